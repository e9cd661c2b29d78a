// SPDX-License-Identifier: Apache-2.0
// A key of 32 bytes (WireGuard's, the sealing key's) as text: standard base64 with padding.
#pragma once

#include <stdint.h>

#include "lib/attr.h"

struct err;

enum {
	KEY32_SIZE = 32,
	KEY32_TEXT_SIZE = 45, // with the NUL
};

void key32_text(const uint8_t key[static KEY32_SIZE], char ret[static KEY32_TEXT_SIZE]);

// EINVAL unless the whole text is base64 of exactly 32 bytes; the sentence names `what`, never the
// text. The caller wipes a secret key.
_must_check_ int key32_parse(
	const char *text, const char *what, uint8_t ret[static KEY32_SIZE], struct err *e);
