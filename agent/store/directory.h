// SPDX-License-Identifier: Apache-2.0
// Directories that are opened by descriptor and never through a link.
#pragma once

#include <sys/types.h>

#include "lib/attr.h"

struct err;

// Opens a directory without following a link in its last part, making it with `mode` when it is
// missing and `mode` is not 0. Returns the descriptor (O_RDONLY, O_CLOEXEC) or -1.
_must_check_ int directory_open(int parent_fd, const char *name, mode_t mode, struct err *e);

// Opens a directory that users filled after making it root's, 0700. It is a directory and not a
// link, no matter which user made it. Returns the descriptor or -1 with errno.
_must_check_ int directory_take_ownership(int parent_fd, const char *name);
