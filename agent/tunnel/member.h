// SPDX-License-Identifier: Apache-2.0
// Writes one JSON object from another by a table of the members that it may have.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "lib/attr.h"

struct err;
struct member;

// An object that is written. Its members come from two: the public one and, if there is one, the
// one that holds the secrets.
struct member_build {
	const char *where; // the public object's name, for sentences
	unsigned kind; // the bit of its type
	const cJSON *from;
	const cJSON *secret; // NULL: none
	cJSON *to;
};

// Checks `value` and writes it as m->name; EINVAL with a sentence that names the member and never
// says a secret.
typedef int member_put_fn(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e);

// A table of these ends with a row without a name. Its rows stand in the order in which the members
// are written.
struct member {
	const char *name;
	unsigned kinds; // that know it
	unsigned needed; // that cannot do without it
	member_put_fn *put; // for one that is there and not null
	const char *const *words; // for member_word: all there are, NULL at the end
	const char *fixed; // written for each, and not to be given
	bool secret; // it is read from the secrets
};

// Writes all members. EINVAL also for one that the table does not know.
_must_check_ int members_put(
	const struct member_build *b, const struct member *table, struct err *e);

enum { MEMBER_NUMBER_MAX = 65535, MEMBER_TEXT_MAX = 1024 };

// Points to the value's text instead of copying it: what was a secret is nowhere else to be wiped.
member_put_fn member_text;
member_put_fn member_word; // one of m->words
member_put_fn member_number; // 0 to MEMBER_NUMBER_MAX
member_put_fn member_port; // 1 to MEMBER_NUMBER_MAX
member_put_fn member_flag;
member_put_fn member_duration; // "10s", "500ms", "1m"
member_put_fn member_uuid; // as a text
member_put_fn member_nothing; // known, and read elsewhere

// A list of 1 to 16 texts, each of which is_item() likes.
_must_check_ int member_list(const struct member_build *b, const struct member *m,
	const cJSON *value, bool (*is_item)(const char *text), struct err *e);

// For other member_put_fn: "proxy_config.tls.alpn must be ...". Always returns -1.
_must_check_ _cold_ int member_refuse(
	const struct member_build *b, const struct member *m, const char *must, struct err *e);

// A text of at most `max` bytes without control characters?
bool member_is_text(const cJSON *value, size_t max);

// The bit of the word's place in `words`; 0: it is none of them, or no text.
unsigned member_word_bit(const cJSON *value, const char *const *words);
