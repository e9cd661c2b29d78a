// SPDX-License-Identifier: Apache-2.0
// Small files of a program's own, read and replaced whole.
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "lib/attr.h"

struct err;

// Reads a plain file of at most max_bytes. The caller frees *ret (wipe_freep for secrets); it is
// NUL-terminated. -1 with ENOENT when there is none, EMSGSIZE when it is longer.
_must_check_ int file_read(
	int dir_fd, const char *name, size_t max_bytes, char **ret, struct err *e);

// Replaces the file by a new one that is on the disk before it gets the name: a reader sees
// the old or the new text, and so does the next boot. No directory of a user's is ever given here.
_must_check_ int file_write(
	int dir_fd, const char *name, const void *data, size_t size, mode_t mode, struct err *e);

// Removes a name, and what a file_write that was killed left beside it; 0 also when it is not there.
_must_check_ int file_remove(int dir_fd, const char *name, struct err *e);
