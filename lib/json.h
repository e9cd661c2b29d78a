// SPDX-License-Identifier: Apache-2.0
// JSON in and out: a strict checker in front of cJSON, and getters that say what is wrong.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "lib/attr.h"
#include "lib/outcome.h"

struct err;

// cJSON alone cuts strings at \u0000, takes duplicate names, invalid UTF-8, 01, 1e999 and raw
// newlines, loses digits of large integers and compares names without case. So no text reaches it
// before json_check has walked it by RFC 8259, with the I-JSON rules (RFC 7493): valid UTF-8, no
// lone surrogates, no duplicate names, numbers that a double holds. Memory is bounded by the limits
// before anything is allocated.
struct json_limits {
	size_t bytes; // longest text
	unsigned depth; // deepest nesting of arrays and objects, at most JSON_DEPTH_MAX
	unsigned values; // most values (and so cJSON nodes, about 100 bytes each)
	bool big_integers; // accept integers beyond +-(2^53 - 1); they are rounded
};

enum { JSON_DEPTH_MAX = 64 };

// 64 KiB, 16 deep, 4,096 values
extern const struct json_limits json_from_client;
// 4 MiB, 48 deep, 65,536 values, big integers (Docker's nanoseconds)
extern const struct json_limits json_from_peer;

// Only the checker. Returns 0 or -1 with a sentence that names the byte ("at byte 12: ...").
// Duplicate names are found by json_parse.
_must_check_ int json_check(
	const char *text, size_t len, const struct json_limits *limits, struct err *e);

// Checks and parses. `text` need not be NUL-terminated. The caller frees *ret with cJSON_Delete (or
// _cleanup_(json_freep)).
_must_check_ int json_parse(
	const char *text, size_t len, const struct json_limits *limits, cJSON **ret, struct err *e);

void json_freep(cJSON **json);

// Getters by exact name. The value's type must be right; the error names the member and what was
// expected. Returned pointers live as long as `object`. The _opt forms return JSON_ABSENT and leave
// *ret alone when the member is missing or null.
enum json_outcome { JSON_ABSENT = OUTCOMES_JSON };

_must_check_ int json_get_text(
	const cJSON *object, const char *name, const char **ret, struct err *e);
_must_check_ int json_get_int(const cJSON *object, const char *name, int64_t min, int64_t max,
	int64_t *ret, struct err *e); // whole numbers in min..max
_must_check_ int json_get_number(const cJSON *object, const char *name, double *ret, struct err *e);
_must_check_ int json_get_bool(const cJSON *object, const char *name, bool *ret, struct err *e);
_must_check_ int json_get_object(
	const cJSON *object, const char *name, const cJSON **ret, struct err *e);
_must_check_ int json_get_array(
	const cJSON *object, const char *name, const cJSON **ret, struct err *e);

_must_check_ int json_opt_text(
	const cJSON *object, const char *name, const char **ret, struct err *e);
_must_check_ int json_opt_int(const cJSON *object, const char *name, int64_t min, int64_t max,
	int64_t *ret, struct err *e);
_must_check_ int json_opt_bool(const cJSON *object, const char *name, bool *ret, struct err *e);
_must_check_ int json_opt_object(
	const cJSON *object, const char *name, const cJSON **ret, struct err *e);
_must_check_ int json_opt_array(
	const cJSON *object, const char *name, const cJSON **ret, struct err *e);

// Builders. They abort when memory is out. Invalid UTF-8 in `text` is replaced by U+FFFD. NULL text
// becomes null. The functions that return a cJSON return the new child, owned by its parent.
cJSON *json_new_object(void);
cJSON *json_new_array(void);
void json_set_text(cJSON *object, const char *name, const char *text);
void json_set_int(cJSON *object, const char *name, int64_t number);
void json_set_number(cJSON *object, const char *name, double number);
void json_set_bool(cJSON *object, const char *name, bool value);
cJSON *json_set(cJSON *object, const char *name, cJSON *child); // takes child
cJSON *json_set_object(cJSON *object, const char *name);
cJSON *json_set_array(cJSON *object, const char *name);
void json_add_text(cJSON *array, const char *text);
cJSON *json_add(cJSON *array, cJSON *child); // takes child

// Compact text on the heap, the caller frees it.
char *json_print(const cJSON *json);
