// SPDX-License-Identifier: Apache-2.0
// Listener: how many connections may be open, and how many may be logging in.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/source.h"

enum {
	STARTUP_PLACES = 100, // for connections that have not logged in
	STARTUP_ADDRESS_MAX = 16, // of these, for one address
	STARTUP_SILENT_MS = 2000, // a client that has sent nothing for so long says nothing
};

enum startup_decision {
	STARTUP_ENTERS, // there is room
	STARTUP_ENTERS_FOR, // when *ret_leaver leaves
	STARTUP_REFUSED,
};

// Whether a new connection may begin to log in beside those that do. At STARTUP_ADDRESS_MAX it
// enters for the oldest silent one of its address; when all places are taken, for whom source_leaver
// names. So no address, and no number of addresses of one network, keeps another network out.
enum startup_decision startup_decide(const struct source_place *starting, size_t count,
	struct source newcomer, size_t *ret_leaver);

// How many connections may be open at once. The monitor has a descriptor for each, and must not
// run out of them: `descriptors` is its RLIMIT_NOFILE.
enum { STARTUP_CONNECTIONS_MAX = 4096, STARTUP_DESCRIPTORS_SPARE = 256 };
size_t startup_connections_max(uint64_t descriptors);
