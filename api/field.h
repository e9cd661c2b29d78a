// SPDX-License-Identifier: Apache-2.0
// The types of a route's inputs: how each is checked, what it is in SQL and in the OpenAPI
// document.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

struct str;

// A type is a row of a table in field.c: its SQL type, its JSON kind, its OpenAPI format, its check
// (check.c) and what it says of a value that fails it. Whatever the type, a text is valid UTF-8
// without control characters before its own check sees it (a password may hold them, but no NUL).
enum field_type {
	FIELD_TEXT, // min..max characters, pattern
	FIELD_CHOICE, // one of pattern's words: "active|disabled"
	FIELD_UUID,
	FIELD_INTEGER, // min..max
	FIELD_NUMBER, // min..max, decimals allowed
	FIELD_BOOLEAN,
	FIELD_TIME, // RFC 3339 with a zone
	FIELD_ADDRESS, // one IPv4 or IPv6 address, numeric
	FIELD_INTERFACE, // an address with or without /prefix; host bits are kept
	FIELD_NETWORKS, // ["0.0.0.0/0", "::/0"], or one text with commas; no host bits
	FIELD_ENDPOINT, // address:port or [address]:port; names are not resolved
	FIELD_KEY, // base64 of 32 bytes
	FIELD_PASSWORD, // min..max bytes, no NUL
	FIELD_SSH_KEY, // an OpenSSH public key line; kept as "type base64"
	FIELD_TYPES,
};

enum field_in { FIELD_IN_PATH, FIELD_IN_QUERY, FIELD_IN_BODY };

// How a field becomes an argument of the SQL function.
enum field_as {
	FIELD_AS_IT_IS, // p_<name>
	FIELD_AS_HASH, // p_<name>_hash: a step of the route hashes it
	FIELD_AS_SEALED, // p_<name>_sealed: sealed to the installation's public key
	FIELD_AS_NOTHING, // a step of the route uses it; no argument
};

struct field {
	const char *name; // NULL ends a list
	enum field_type type;
	enum field_in in;
	enum field_as as;
	bool required;
	bool nullable; // JSON null is accepted and passed on as SQL's NULL
	double min, max; // whole for all but FIELD_NUMBER
	const char *pattern; // POSIX extended regular expression with anchors; FIELD_CHOICE: words
	const char *help; // one sentence for the document
};

// Compiles the field's pattern. Call it for every field before the first check; an invalid pattern
// aborts.
void field_prepare(const struct field *field);

// Checks one value. true: *ret_text is the argument in PostgreSQL's text form, on the heap. false:
// `why` holds a sentence's end for people ("must be ...").
bool field_check(
	const struct field *field, const char *text, size_t len, char **ret_text, struct str *why);

// The same for a value of a JSON body; its kind must be the type's. Null gives true and *ret_text
// NULL when nullable.
bool field_check_json(
	const struct field *field, const cJSON *value, char **ret_text, struct str *why);

// The SQL type of the argument ("uuid"), as pg_catalog.format_type writes it.
const char *field_sql_type(const struct field *field);

// The JSON Schema of the field, without its name. The caller owns it.
cJSON *field_schema(const struct field *field);
