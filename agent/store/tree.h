// SPDX-License-Identifier: Apache-2.0
// Removes trees of users' files, whatever is in them.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"

struct err;
struct wait;

// What directories of the tree are called once they have been moved to its top.
#define TREE_MOVED ".trash-"

// Empties the directory `fd` of the entries whose name `takes`; it must take those of TREE_MOVED. No
// link is followed and no file opened. Directories are moved to the top, so any depth is removed with
// a few descriptors and no recursion. Returns 0, WAIT_TIMEOUT (some are gone, call it again),
// WAIT_CANCELED or -1.
_must_check_ int tree_empty(
	int fd, bool (*takes)(const char *name), const struct wait *w, struct err *e);
