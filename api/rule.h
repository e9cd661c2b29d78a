// SPDX-License-Identifier: Apache-2.0
// What a value of a type may be: bounds, pattern and words, as the database says them.
#pragma once

#include <regex.h>
#include <stdbool.h>

#include "lib/attr.h"

struct err;

// One domain of SQL. What is absent is NULL or false.
struct rule {
	char *type; // "ccp.mtu"
	char *base; // the type that it is of: "integer"
	bool bounded; // min..max: of a number, a text's characters, a password's bytes, a list's items
	double min, max;
	char *pattern; // a regular expression; PostgreSQL's and POSIX's must read it the same way
	regex_t regex; // the pattern, compiled
	char *words; // "active|disabled"
	bool controls; // a text may hold control characters
	char *must; // "must be ...": said to people in place of what follows from the others
};

// The rule of a type, NULL when it has none ("uuid"). Besides SQL's domains there are two that SQL
// never sees: "password", which is being chosen: one line, as it is typed and kept in files; and
// "password_tried", which is wrong at most.
const struct rule *rule_find(const char *type);

// Whether a rule that has words has this one.
bool rule_has_word(const struct rule *rule, const char *word);

// Adds a rule and owns its texts from then on. Before the first request is checked. -1: POSIX does
// not take the pattern, or reads it otherwise than PostgreSQL.
_must_check_ int rules_add(const struct rule *rule, struct err *e);

void rules_clear(void);
