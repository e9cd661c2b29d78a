// SPDX-License-Identifier: Apache-2.0
// Refuses to serve a database that does not fit the route tables.
#include "api/catalogue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/arguments.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/rule.h"
#include "api/type.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/mem.h"

static const char functions_sql[] =
	"select p.proname, p.proargnames[a.n], format_type(a.type, null), a.n > p.pronargs - p.pronargdefaults,"
	" coalesce(o.typname, r.typname),"
	" (select coalesce(string_agg(x.name || ' ' || format_type(x.type, null), ','), '')"
	"     from unnest(p.proallargtypes, p.proargnames, p.proargmodes) as x (type, name, mode) where x.mode = 'o')"
	" from pg_proc as p"
	" join pg_type as r on r.oid = p.prorettype"
	" left join lateral (select t.typname from unnest(p.proallargtypes, p.proargnames) as x (type, name)"
	"     join pg_type as t on t.oid = x.type where x.name = 'answer') as o on true"
	" left join lateral unnest(p.proargtypes) with ordinality as a (type, n) on true"
	" where p.pronamespace = 'api'::regnamespace"
	" order by p.proname, a.n";
enum {
	FUNCTION_NAME,
	FUNCTION_ARGUMENT, // null in the one row of a function without arguments
	FUNCTION_TYPE,
	FUNCTION_DEFAULT,
	FUNCTION_ANSWER,
	FUNCTION_OUT // "name type,name type"
};

// What the steps read of an answer besides the composite.
static const struct {
	unsigned flag;
	const char *out;
} outs[] = {
	{ROUTE_VERDICT, "verdict ccp.verdict"},
	{ROUTE_VERDICT, "retry_after_s integer"},
	{ROUTE_VERDICT, "sentence text"},
	{ROUTE_LOGIN, "user_id uuid"},
	{ROUTE_LOGIN, "login_id uuid"},
	{ROUTE_LOGIN, "generation integer"},
	{ROUTE_NEW_COOKIE, "cookie_id uuid"},
	{ROUTE_NEW_COOKIE, "cookie_life_s integer"},
};

static const char types_sql[] =
	"select c.relname, a.attname, i.oid <> t.oid, format_type(i.oid, null), ic.relname,"
	" coalesce(col_description(c.oid, a.attnum), ''), coalesce(obj_description(c.oid, 'pg_class'), '')"
	" from pg_class as c"
	" join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
	" join pg_type as t on t.oid = a.atttypid"
	" join pg_type as i on i.oid = case when t.typcategory = 'A' and t.typtype = 'b' then t.typelem else t.oid end"
	" left join pg_class as ic on ic.oid = i.typrelid and ic.relnamespace = 'api'::regnamespace"
	" where c.relnamespace = 'api'::regnamespace and c.relkind in ('c', 'v')"
	" order by c.relname, a.attnum";

static int differs(struct err *e, const struct route *route, const char *what, const char *name)
{
	err_note(e, EINVAL, "%s %s: %s %s; the program and the database are of different versions",
		route->method, route->path, what, name);
	return CATALOGUE_DIFFERS;
}

static bool is_listed(const char *list, const char *item)
{
	size_t len = strlen(item);
	for (const char *at = list; *at != '\0';) {
		size_t next = strcspn(at, ",");
		if (next == len && memcmp(at, item, len) == 0)
			return true;
		at += next + (at[next] == ',');
	}
	return false;
}

static int check_outs(
	const struct route *route, const struct pg_result *rows, int row, struct err *e)
{
	if (strcmp(db_text(rows, row, FUNCTION_ANSWER), route->answer ? route->answer : "void") !=
		0)
		return differs(
			e, route, "the database has another answer of function", route->function);
	for (size_t i = 0; i < ARRAY_SIZE(outs); i++)
		if ((route_flags(route) & outs[i].flag) &&
			!is_listed(db_text(rows, row, FUNCTION_OUT), outs[i].out))
			return differs(e, route, "the function does not return", outs[i].out);
	return 0;
}

// The index of an argument in the list, or `count`.
static size_t find(const struct argument *list, size_t count, const char *name)
{
	size_t i = 0;
	while (i < count && strcmp(list[i].name, name) != 0)
		i++;
	return i;
}

static int check_argument(const struct route *route, const struct argument *argument,
	const struct pg_result *rows, int row, struct err *e)
{
	if (!argument)
		return db_bool(rows, row, FUNCTION_DEFAULT)
			       ? 0
			       : differs(e, route, "the table has no field for",
					 db_text(rows, row, FUNCTION_ARGUMENT));
	if (strcmp(argument->type, db_text(rows, row, FUNCTION_TYPE)) != 0)
		return differs(e, route, "the database has another type for", argument->name);
	if (argument->optional && !db_bool(rows, row, FUNCTION_DEFAULT))
		return differs(e, route, "the database has no default for", argument->name);
	return 0;
}

static int check_route(const struct route *route, const struct pg_result *rows, struct err *e)
{
	struct argument list[ARGUMENTS_MAX];
	bool found[ARGUMENTS_MAX] = {0};
	size_t count = arguments_of(route, list);
	bool exists = false;
	for (int row = 0; row < db_rows(rows); row++) {
		if (strcmp(db_text(rows, row, FUNCTION_NAME), route->function) != 0)
			continue;
		int r = exists ? 0 : check_outs(route, rows, row, e);
		exists = true;
		const char *name = db_text(rows, row, FUNCTION_ARGUMENT);
		if (r == 0 && name) {
			size_t i = find(list, count, name);
			r = check_argument(route, i < count ? &list[i] : NULL, rows, row, e);
			if (i < count)
				found[i] = true;
		}
		if (r != 0)
			return r;
	}
	if (!exists)
		return differs(e, route, "the database has no function", route->function);
	for (size_t i = 0; i < count; i++)
		if (!found[i])
			return differs(e, route, "the function lacks the argument", list[i].name);
	return 0;
}

// Whether a composite has a member; NULL asks only whether there is such a type.
static bool type_has(const struct pg_result *types, const char *name, const char *member)
{
	for (int row = 0; row < db_rows(types); row++)
		if (strcmp(db_text(types, row, CATALOGUE_TYPE), name) == 0 &&
			(!member || strcmp(db_text(types, row, CATALOGUE_ATTRIBUTE), member) == 0))
			return true;
	return false;
}

static int check_answer(const struct route *route, const struct pg_result *types, struct err *e)
{
	if (!type_has(types, route->answer, NULL))
		return differs(e, route, "the database has no type", route->answer);
	if ((route_flags(route) & ROUTE_ETAG) && !type_has(types, route->answer, "version"))
		return differs(e, route, "the answer lacks the member", "version");
	const char *secret = route->work ? route->work->secret_member : NULL;
	if (secret && !type_has(types, route->answer, secret))
		return differs(e, route, "the answer lacks the member", secret);
	return 0;
}

// What a reply may say must be a word of ccp.error_codes, with its meaning and remedy.
static int check_codes(struct err *e)
{
	static const char type[] = "ccp.error_code";
	const struct rule *rule = rule_find(type);
	const char *code;
	for (size_t i = 0; (code = reply_code(i)); i++)
		if (*code != '\0' && !(rule && rule->words && rule_has_word(rule, code)))
			return err_outcome(e, CATALOGUE_DIFFERS, EINVAL,
				"%s has no row for %s; the program and the database are of different versions",
				type, code);
	return 0;
}

static int check_fields(const struct route *route, struct err *e)
{
	static const char no_limits[] = "there are no bounds, pattern or words for";
	static const char key_type[] = "ccp.request_key";
	size_t count = 0;
	FIELDS_EACH (field, route) {
		if (++count > ROUTE_FIELDS_MAX)
			return err_outcome(e, CATALOGUE_DIFFERS, E2BIG,
				"%s %s has more than %d fields", route->method, route->path,
				ROUTE_FIELDS_MAX);
		if (!type_is_checked(field->type))
			return differs(e, route, no_limits, field->type);
	}
	if ((route_flags(route) & ROUTE_IDEMPOTENT) && !type_is_checked(key_type))
		return differs(e, route, no_limits, key_type);
	return 0;
}

static char *column_text(const struct pg_result *rows, int row, int column)
{
	const char *text = db_text(rows, row, column);
	return text ? xstrdup(text) : NULL;
}

static int read_rules(struct db *db, const struct wait *w, struct err *e)
{
	enum { TYPE, BASE, LOWEST, HIGHEST, PATTERN, WORDS, MUST };
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int r = db_call(db,
		DB_CALL("select type, base, lowest, highest, pattern, words, must from api.value_rules()"),
		w, &rows, e);
	if (r != 0)
		return r;
	rules_clear();
	for (int row = 0; row < db_rows(rows); row++) {
		const char *lowest = db_text(rows, row, LOWEST);
		const char *highest = db_text(rows, row, HIGHEST);
		struct rule rule = {
			.type = column_text(rows, row, TYPE),
			.base = column_text(rows, row, BASE),
			.bounded = lowest && highest,
			.min = lowest ? strtod(lowest, NULL) : 0,
			.max = highest ? strtod(highest, NULL) : 0,
			.pattern = column_text(rows, row, PATTERN),
			.words = column_text(rows, row, WORDS),
			.must = column_text(rows, row, MUST),
		};
		if (rules_add(&rule, e) < 0)
			return CATALOGUE_DIFFERS;
	}
	return 0;
}

static int check_row(const struct route *route, const struct pg_result *functions,
	const struct pg_result *types, struct err *e)
{
	int r = check_fields(route, e);
	if (r == 0 && route->function)
		r = check_route(route, functions, e);
	if (r == 0 && route->answer)
		r = check_answer(route, types, e);
	return r;
}

int catalogue_check(
	struct db *db, const struct wait *w, struct pg_result **ret_types, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *functions = NULL;
	_cleanup_(db_result_freep) struct pg_result *types = NULL;
	int r = read_rules(db, w, e);
	if (r == 0)
		r = db_call(db, &(struct db_call){.sql = functions_sql}, w, &functions, e);
	if (r == 0)
		r = db_call(db, &(struct db_call){.sql = types_sql}, w, &types, e);
	if (r == 0)
		r = check_codes(e);
	ROUTES_EACH (route) {
		if (r == 0)
			r = check_row(route, functions, types, e);
		if (r == 0 && route->other)
			r = check_row(route->other, functions, types, e);
	}
	if (r == 0)
		*ret_types = TAKE_PTR(types);
	return r;
}
