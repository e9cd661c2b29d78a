// SPDX-License-Identifier: Apache-2.0
// Refuses to serve a database that does not fit the route table.
#include "api/catalogue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/arguments.h"
#include "api/route.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/mem.h"

static const char functions_sql[] =
	"select p.proname, p.proargnames[a.n], format_type(a.type, null), a.n > p.pronargs - p.pronargdefaults,"
	" coalesce(o.typname, r.typname)"
	" from pg_proc as p"
	" join pg_type as r on r.oid = p.prorettype"
	" left join lateral (select t.typname from unnest(p.proallargtypes, p.proargnames) as x (type, name)"
	"     join pg_type as t on t.oid = x.type where x.name = 'answer') as o on true"
	" left join lateral unnest(p.proargtypes) with ordinality as a (type, n) on true"
	" where p.pronamespace = 'api'::regnamespace"
	" order by p.proname, a.n";
enum { FUNCTION_NAME, FUNCTION_ARGUMENT, FUNCTION_TYPE, FUNCTION_DEFAULT, FUNCTION_ANSWER };

static const char types_sql[] =
	"select c.relname, a.attname, format_type(a.atttypid, null),"
	" case when t.typelem <> 0 and t.typcategory = 'A' then format_type(t.typelem, null) end,"
	" coalesce(col_description(c.oid, a.attnum), '')"
	" from pg_class as c"
	" join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
	" join pg_type as t on t.oid = a.atttypid"
	" where c.relnamespace = 'api'::regnamespace and c.relkind in ('c', 'v')"
	" order by c.relname, a.attnum";

static int differs(struct err *e, const struct route *route, const char *what, const char *name)
{
	(void)!err_say(e, EINVAL,
		"%s %s: %s %s; the program and the database are not of one version", route->method,
		route->path, what, name);
	return CATALOGUE_DIFFERS;
}

static const struct argument *find(const struct argument *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

static int check_argument(const struct route *route, const struct argument *argument,
	const struct pg_result *rows, int row, struct err *e)
{
	if (argument == NULL)
		return db_bool(rows, row, FUNCTION_DEFAULT)
			       ? 0
			       : differs(e, route, "the table has no field for",
					 db_text(rows, row, FUNCTION_ARGUMENT));
	if (strcmp(argument->sql_type, db_text(rows, row, FUNCTION_TYPE)) != 0)
		return differs(e, route, "another type has", argument->name);
	if (argument->optional && !db_bool(rows, row, FUNCTION_DEFAULT))
		return differs(e, route, "no default has", argument->name);
	return 0;
}

static int check_route(const struct route *route, const struct pg_result *rows, struct err *e)
{
	struct argument list[ARGUMENTS_MAX];
	size_t count = arguments_of(route, list);
	size_t found = 0;
	bool exists = false;
	for (int row = 0; row < db_rows(rows); row++) {
		if (strcmp(db_text(rows, row, FUNCTION_NAME), route->function) != 0)
			continue;
		exists = true;
		if (strcmp(db_text(rows, row, FUNCTION_ANSWER),
			    route->answer != NULL ? route->answer : "void") != 0)
			return differs(
				e, route, "another answer has function api.", route->function);
		if (db_text(rows, row, FUNCTION_ARGUMENT) == NULL)
			continue; // no arguments at all
		const struct argument *argument =
			find(list, count, db_text(rows, row, FUNCTION_ARGUMENT));
		int r = check_argument(route, argument, rows, row, e);
		if (r != 0)
			return r;
		found += argument != NULL;
	}
	if (!exists)
		return differs(e, route, "there is no function api.", route->function);
	if (found != count)
		for (size_t i = 0; i < count; i++) {
			bool there = false;
			for (int row = 0; row < db_rows(rows); row++)
				there |= strcmp(db_text(rows, row, FUNCTION_NAME),
						 route->function) == 0 &&
					 strcmp(db_text(rows, row, FUNCTION_ARGUMENT),
						 list[i].name) == 0;
			if (!there)
				return differs(
					e, route, "the function lacks the argument", list[i].name);
		}
	return 0;
}

static bool type_exists(const struct pg_result *types, const char *name)
{
	for (int row = 0; row < db_rows(types); row++)
		if (strcmp(db_text(types, row, CATALOGUE_TYPE), name) == 0)
			return true;
	return false;
}

int catalogue_check(
	struct db *db, const struct wait *w, struct pg_result **ret_types, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *functions = NULL;
	_cleanup_(db_result_freep) struct pg_result *types = NULL;
	int r = db_call(db, &(struct db_call){.sql = functions_sql}, w, &functions, e);
	if (r == 0)
		r = db_call(db, &(struct db_call){.sql = types_sql}, w, &types, e);
	for (const struct route *route = routes; r == 0 && route->method != NULL; route++) {
		if (route->function != NULL)
			r = check_route(route, functions, e);
		if (r == 0 && route->answer != NULL && !type_exists(types, route->answer))
			r = differs(e, route, "there is no type api.", route->answer);
	}
	if (r == 0)
		*ret_types = TAKE_PTR(types);
	return r;
}
