// SPDX-License-Identifier: Apache-2.0
// SQL's types at the HTTP border: how a value is checked, and its JSON Schema.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

struct str;

// A type is named as pg_catalog.format_type writes it: "uuid", "ccp.label". Its check (check.c), its
// JSON kind and its OpenAPI format are a row of a table in type.c, by its own name or by that of its
// base type; its bounds, pattern and words are its rule (rule.h). Whatever the type, a text is valid
// UTF-8 without control characters before its own check sees it (a password that is tried may hold
// them, but no NUL).

// Whether values of the type can be checked: it is in the table, and where the table leaves the
// limits to a domain it is one that has some.
bool type_is_checked(const char *type);

// Whether it is "ccp.task_state[]": values with commas between them in a query, an array in a body.
bool type_is_list(const char *type);

// Whether it is a password's: never stored, not even as a fast hash.
bool type_is_secret(const char *type);

// Checks one value. true: *ret_text is the argument in PostgreSQL's text form, on the heap. false:
// `why` holds a sentence's end for people ("must be ...").
bool type_check(const char *type, const char *text, size_t len, char **ret_text, struct str *why);

// The same for a value of a JSON body, which is not null; its kind must be the type's.
bool type_check_json(const char *type, const cJSON *value, char **ret_text, struct str *why);

// Where the document has the schema of any JSON value, for values of which SQL says no more.
#define TYPE_JSON_VALUE "#/components/schemas/json_value"

// Adds that schema, and json_object, which it refers to: a schema that refers to itself directly is
// more than generators of types understand.
void type_add_json(cJSON *schemas);

// The JSON Schema of a type; TYPE_JSON_VALUE when it is not in the table. The caller owns it.
cJSON *type_schema(const char *type, bool nullable);

// Adds what a value must be ("must be ...") where the schema's words cannot say it.
void type_describe(const char *type, struct str *sentence);
