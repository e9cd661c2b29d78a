// SPDX-License-Identifier: Apache-2.0
// Reads UTF-8.
#pragma once

#include <stddef.h>

// The length in bytes, 1 to 4, of the character that begins at `text`; 0 when the `len` bytes do
// not begin with one: cut off, overlong, a surrogate or beyond U+10FFFF.
int utf8_length(const void *text, size_t len);
