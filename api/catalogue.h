// SPDX-License-Identifier: Apache-2.0
// The database's side of the route table: functions and composites of schema api.
#pragma once

#include "lib/attr.h"
#include "lib/outcome.h"

struct db;
struct err;
struct pg_result;
struct wait;

// The composites' attributes, a row each: type, attribute, SQL type, element's SQL type when it is
// a list, comment.
enum {
	CATALOGUE_TYPE,
	CATALOGUE_ATTRIBUTE,
	CATALOGUE_SQL_TYPE,
	CATALOGUE_ELEMENT,
	CATALOGUE_COMMENT
};

enum catalogue_outcome { CATALOGUE_DIFFERS = OUTCOMES_CATALOGUE };

// Compares every row of the route table with pg_proc: the function is there, with exactly the
// arguments that the row makes, of the right types, optional ones with a default, and it returns
// the row's composite and what else the row's flags and slot need of its answer. 0: *ret_types is
// for openapi_make (free with db_result_freep). CATALOGUE_DIFFERS: `e` says which route and what.
// Else as db_call.
_must_check_ int catalogue_check(
	struct db *db, const struct wait *w, struct pg_result **ret_types, struct err *e);
