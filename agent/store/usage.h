// SPDX-License-Identifier: Apache-2.0
// How much of the disk trees of files take, counted in slices of time.
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/wait.h"

struct err;

// The trees are their users', who may make them as large, as deep and as closed as they like and
// change them meanwhile. So nothing is followed, nothing but directories is opened, other file
// systems are left out, and counting ends at a limit. A level is a descriptor: what is moved
// meanwhile leads nowhere else. Directories are open to their users alone, for which the
// caller needs CAP_DAC_READ_SEARCH.
enum { USAGE_LEVELS = 255 };

struct usage {
	int64_t bytes_max, files_max; // it ends when one is passed
	int64_t bytes; // of blocks: holes take none; a file with N names counts for 1/N at each
	int64_t files; // names
	int depth; // USAGE_LEVELS + 1: there is more below, which was not counted
	dev_t device; // of the present tree
	DIR *levels[USAGE_LEVELS];
	int count; // of levels
};
void usage_done(struct usage *u); // closes what is open

// Begins with a tree, when no other is under way. ENOENT: there is none.
_must_check_ int usage_enter(struct usage *u, int dir_fd, const char *path, struct err *e);

// Goes on. 0: the tree is counted, or a limit is passed. WAIT_TIMEOUT: call it again.
_must_check_ int usage_count(struct usage *u, const struct wait *w, struct err *e);

bool usage_is_over(const struct usage *u);

// Adds the large files without a name that processes in the pid namespace of `pid` have open, of
// the file system of its root directory and of `device`. WAIT_TIMEOUT: not all were looked at. What
// is mapped only, or under way in a socket, is not seen. Needs CAP_SYS_PTRACE.
_must_check_ int usage_add_nameless(
	struct usage *u, pid_t pid, dev_t device, const struct wait *w, struct err *e);
