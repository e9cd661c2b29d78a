// SPDX-License-Identifier: Apache-2.0
// Calls clock.tick() each second, so that time passes for the rules in SQL.
#pragma once

#include "lib/attr.h"

struct err;
struct loop;
struct sealing;
struct tick;

// A thread and a connection of its own: a tick may wait for a lock, and neither the main loop nor a
// task waits with it. A tick that takes longer than a second makes the next one late, not two at
// once.
//
// Before the first tick it tells the worker's sealing key, until SQL has it.
_must_check_ int tick_new(struct loop *loop, const char *conninfo, struct sealing *sealing,
	struct tick **ret, struct err *e);

// Stops ticking and ends the thread. 0, or POOL_LATE as pool_stop says.
_must_check_ int tick_free(struct tick *tick);
