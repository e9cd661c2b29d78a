// SPDX-License-Identifier: Apache-2.0
// Whole files, read up to a limit and written over.
#pragma once

#include <stddef.h>

#include "lib/attr.h"

struct err;

// Reads a file of at most `max` bytes; a longer one is an error. *ret is NUL-terminated, the caller
// frees it.
_must_check_ int file_read_all(
	const char *path, size_t max, char **ret, size_t *ret_len, struct err *e);

// Writes a text over a file that is there, in one call: what /proc wants.
_must_check_ int file_put(const char *path, const char *text, struct err *e);
