// SPDX-License-Identifier: Apache-2.0
// Whether a text is a value of a type; one function a type, for the table in type.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rule;

// A check sees a text that text_characters has let through. It may put another text, on the heap,
// in its place: the form that PostgreSQL takes. What a value must be is said once, in the table; so
// these only say whether it is.
// `rule` is NULL for a type that needs none.
bool check_text(const struct rule *rule, char **text); // bounds in characters, pattern
bool check_uuid(const struct rule *rule, char **text);
bool check_integer(const struct rule *rule, char **text);
bool check_number(const struct rule *rule, char **text);
bool check_boolean(const struct rule *rule, char **text);
bool check_time(const struct rule *rule, char **text);
bool check_address(const struct rule *rule, char **text);
bool check_interface(const struct rule *rule, char **text);
bool check_networks(const struct rule *rule, char **text); // becomes the text form of cidr[]
bool check_endpoint(const struct rule *rule, char **text); // becomes the shortest form
bool check_key(const struct rule *rule, char **text);
bool check_json(const struct rule *rule, char **text); // printed from what was parsed
bool check_password(const struct rule *rule, char **text); // bounds in bytes
bool check_proxy_secret(const struct rule *rule, char **text); // JSON
bool check_ssh_public_key(const struct rule *rule, char **text); // loses its comment

// The characters of valid UTF-8, or -1; also for a NUL, and for a control character unless
// `controls`.
int64_t text_characters(const char *text, size_t len, bool controls);
