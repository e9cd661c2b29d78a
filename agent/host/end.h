// SPDX-License-Identifier: Apache-2.0
// The end of what runs of a host, as a whole.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"

struct agent;
struct docker;
struct err;
struct host;

// Ends everything: wall closed, processes, handed-out sockets, tunnel; the rules are never flushed
// and the container's file system stays. Works from what Docker knows when the agent knows nothing.
// Repeating it changes nothing. At most 20 s, not to be interrupted: half an end is the one thing
// that must not be left. *ret_exists tells whether there is a container; may be NULL. Only the
// holder.
_must_check_ int host_end(const struct agent *a, struct host *host, struct docker *d,
	bool *ret_exists, struct err *e);
