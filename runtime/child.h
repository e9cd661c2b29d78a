// SPDX-License-Identifier: Apache-2.0
// Work that needs another identity or mount namespace: a child does it, within a deadline.
#pragma once

#include "lib/attr.h"

struct err;
struct wait;

typedef int (*child_work)(const void *arg, struct err *e); // 0, or -1 with the error

// Runs `work` in a child and waits for its answer; its error is ours. The child dies with us, and
// at the deadline. `what` names the work in the sentence then. Returns 0, -1.
_must_check_ int child_run(
	child_work work, const void *arg, const char *what, const struct wait *w, struct err *e);

// Closes *fd in a process of its own, after its `work`, and leaves -1; that process is waited for
// by init or the next subreaper. The last close of a file system writes back all that its disk has
// to write: it may take minutes, and no deadline ends it.
_must_check_ int child_close_last(int *fd, child_work work, const void *arg, struct err *e);
