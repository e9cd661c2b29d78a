// SPDX-License-Identifier: Apache-2.0
// The checked values of one request, by the fields of its route.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "api/route.h"
#include "lib/mem.h"

// Collects from the path, the query and the body, in any order; every complaint is kept, so that
// the client sees all of them at once. After input_finish the values are right or `errors` is not
// empty.
struct value {
	bool present;
	char *text; // PostgreSQL's text form; NULL is null
	char *sealed; // of a field that is FIELD_SEALED: what goes to SQL in its place (sealing.c)
};

struct input {
	const struct route *route;
	struct value values[ROUTE_FIELDS_MAX]; // values[i] belongs to route->fields[i]
	bool bad_path; // a malformed id in the path, which names nothing
	struct str
		nulls; // the members of the body that are null, as SQL's text[]: "{a,b}"; "" for none
	cJSON *errors; // [{"field","message"}], NULL when there is none
};

void input_init(struct input *input, const struct route *route);
void input_done(struct input *input); // wipes and frees

void input_path(struct input *input, const struct route_part parts[static ROUTE_PARTS_MAX]);
void input_text(
	struct input *input, enum field_in in, const char *name, const char *text, size_t len);
void input_json(struct input *input, const cJSON *object);
void input_finish(struct input *input); // complains about what is missing

void input_complain(struct input *input, const char *field, const char *message);

// The value of a field; NULL when absent or null. A name that the route does not have asserts.
const char *input_get(const struct input *input, const char *name);

// The same, and NULL when the route has no such field.
const char *input_find(const struct input *input, const char *name);
