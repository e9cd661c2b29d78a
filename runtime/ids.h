// SPDX-License-Identifier: Apache-2.0
// Which user ids of the machine a container has, and who owns its user namespace.
#pragma once

#include <stdint.h>

#include "lib/attr.h"

struct err;

enum { IDS_SIZE = 65536 }; // 0..65535 inside are base..base+65535 outside

struct ids {
	uint32_t base; // a multiple of IDS_SIZE, at least two of them
	uint32_t owner; // of the namespace: no account's, and outside of every range
};

// Reads "<base>:<owner>", decimal. A range that is not whole or reaches below 131072, and an owner
// below 65536 or within the range, is an error: the container would share ids with the machine's
// accounts, or own itself.
_must_check_ int ids_parse(const char *text, struct ids *ret, struct err *e);
