// SPDX-License-Identifier: Apache-2.0
// All processes: what may be a user name at the ssh port, which is a host's short id.
#pragma once

#include <stdbool.h>

// 6 to 16 of a-z and 0-9, as the database makes them.
enum { NAME_MIN = 6, NAME_LEN_MAX = 16, NAME_SIZE = NAME_LEN_MAX + 1 };

bool name_is_valid(const char *name);

// The name itself, or "-", which no host has: a bad name then costs as much as an unknown host.
const char *name_or_dash(const char *name);
