// SPDX-License-Identifier: Apache-2.0
// What Docker and runc take from a container's file system before its PID 1 runs: looked at
// beforehand, without opening anything.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/outcome.h"
#include "lib/wait.h"

struct docker;
struct err;

// dockerd reads /etc/passwd and /etc/group on the machine, as root, without a limit and without a
// deadline. runc makes mounts, and follows links to where they go: a user who can replace a
// directory above a target decides what lies over what. So these are small plain files and real
// directories, or the container is not started. No process is left in a container that has ended,
// so they stay as they were seen. What else is read, and why it is safe: docs/adr/0020.
enum rootfs_outcome { ROOTFS_UNFIT = OUTCOMES_ROOTFS };
enum rootfs_scope {
	ROOTFS_KEPT, // a container that users have had: what a mount does not protect while it runs
	ROOTFS_IMAGE, // one that was just made of an image: the mount targets themselves too
};

// 0, ROOTFS_UNFIT with a sentence that names the path and what it is, WAIT_TIMEOUT, WAIT_CANCELED,
// -1. `id` is a container that does not run.
_must_check_ int rootfs_check(struct docker *d, const char *id, enum rootfs_scope scope,
	const struct wait *w, struct err *e);
