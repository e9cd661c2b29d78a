// SPDX-License-Identifier: Apache-2.0
// Whether a text is a value of a field's type; one function a type, for the table in field.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field;

// A check sees a text that text_characters has let through. It may put another text, on the heap,
// in its place: the form that PostgreSQL takes. What a value must be is said once, in the table; so
// these only say whether it is.
bool check_text(const struct field *field, char **text); // min..max characters, pattern
bool check_choice(const struct field *field, char **text);
bool check_uuid(const struct field *field, char **text);
bool check_integer(const struct field *field, char **text);
bool check_number(const struct field *field, char **text);
bool check_boolean(const struct field *field, char **text);
bool check_time(const struct field *field, char **text);
bool check_address(const struct field *field, char **text);
bool check_interface(const struct field *field, char **text);
bool check_networks(const struct field *field, char **text); // becomes the text form of cidr[]
bool check_endpoint(const struct field *field, char **text);
bool check_key(const struct field *field, char **text);
bool check_password(const struct field *field, char **text); // min..max bytes
bool check_ssh_key(const struct field *field, char **text); // loses its comment

enum { CHECK_NETWORKS_MAX = 64 };

// The characters of valid UTF-8, or -1; also for a NUL, and for a control character unless
// `controls`.
int64_t text_characters(const char *text, size_t len, bool controls);

// Compiles a pattern of check_text, before its first use. One that is not valid aborts.
void check_prepare(const char *pattern);
