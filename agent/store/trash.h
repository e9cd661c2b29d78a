// SPDX-License-Identifier: Apache-2.0
// Homes and old /tmp directories that are being removed: moved aside at once, emptied in the background.
#pragma once

#include "lib/attr.h"

struct err;
struct pool;
struct store;

// Moves homes/<name> to the trash; 0 also when there is none. `homes_fd` is that directory.
_must_check_ int trash_move(int homes_fd, const char *name, struct err *e);

// Removes what lies in the trash on a thread of the pool, a slice of 200 ms at a time, so that
// other jobs get their turn. A failure is logged; the next sweep tries again. From any thread. The
// store is borrowed until the pool has ended.
void trash_sweep(struct pool *pool, const struct store *store);
