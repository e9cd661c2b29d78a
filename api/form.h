// SPDX-License-Identifier: Apache-2.0
// The one parser for query strings and application/x-www-form-urlencoded bodies.
#pragma once

#include <stddef.h>

#include "lib/attr.h"

struct err;

enum {
	FORM_PAIRS_MAX = 64,
	FORM_BYTES_MAX = 64 * 1024,
};

struct form_pair {
	const char *name; // decoded, NUL-terminated, holds no other NUL
	const char *value;
	size_t value_len;
};

struct form {
	struct form_pair pairs[FORM_PAIRS_MAX];
	size_t count;
	char *memory; // what the pairs point into
};

// "a=1&b=two+words&c" becomes its pairs in order; a name without "=" has the value "". Empty parts
// are skipped. Names and values are not looked at further: the same name may come twice. Returns -1
// with a sentence for a bad %XX, for %00 and for more pairs or bytes than the limits. Free with
// form_done in any case.
_must_check_ int form_parse(const char *text, size_t len, struct form *ret, struct err *e);
void form_done(struct form *form);
