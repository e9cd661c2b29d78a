// SPDX-License-Identifier: Apache-2.0
// The database's side of the route tables: domains, functions and composites.
#pragma once

#include "lib/attr.h"
#include "lib/outcome.h"

struct db;
struct err;
struct pg_result;
struct wait;

// The composites' attributes, a row each: composite, attribute, whether it is a list, the SQL type
// of it or of the list's items, the name of that type when it is a composite of ours, the comments
// on the attribute and on the composite.
enum {
	CATALOGUE_TYPE,
	CATALOGUE_ATTRIBUTE,
	CATALOGUE_IS_LIST,
	CATALOGUE_SQL_TYPE,
	CATALOGUE_COMPOSITE,
	CATALOGUE_COMMENT,
	CATALOGUE_TYPE_COMMENT
};

enum catalogue_outcome { CATALOGUE_DIFFERS = OUTCOMES_CATALOGUE };

// Reads the rules of all domains (rule.h) and compares every row of the route tables with pg_proc:
// each field's type (and that of an Idempotency-Key) has limits, the function is there, with
// exactly the arguments that the row makes, of the right types (so the bounds of both sides are
// those of one domain), optional ones with a default, and it returns the row's composite and what
// else the row needs of its answer. 0: *ret_types is for openapi_make (free with db_result_freep).
// CATALOGUE_DIFFERS: `e` says which route and what. Else as db_call.
_must_check_ int catalogue_check(
	struct db *db, const struct wait *w, struct pg_result **ret_types, struct err *e);
