// SPDX-License-Identifier: Apache-2.0
// The SQL function's arguments that follow from a route's row, and their values for one request.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/route.h"

struct request;
struct str;

enum { ARGUMENTS_MAX = ROUTE_FIELDS_MAX + 12 };

struct argument {
	char name[64]; // "p_username"
	const char *type; // as pg_catalog.format_type writes it
	bool optional; // has a default and is left out when the request does not have it
	const struct field *field; // NULL: one of those that the row's flags bring
	const char *(*get)(const struct request *r); // of those
};

// Fills `ret`, in the order of the call; returns their number. The start-up check and every call
// use this list.
size_t arguments_of(const struct route *route, struct argument ret[static ARGUMENTS_MAX]);

// Adds the arguments that this request has, by name and with commas, and their values in the order
// of the parameters; returns their number.
int arguments_add(
	const struct request *r, struct str *sql, const char *values[static ARGUMENTS_MAX]);

// The value in PostgreSQL's text form (NULL is null). false: the request does not have it, leave it
// out.
bool argument_value(const struct argument *argument, const struct request *r, const char **ret);
