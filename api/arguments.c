// SPDX-License-Identifier: Apache-2.0
// From a row of the route tables to named arguments.
#include "api/arguments.h"

#include <assert.h>
#include <stdio.h>

#include "api/request.h"
#include "lib/mem.h"

static const char *text_or_null(const char *text)
{
	return *text != '\0' ? text : NULL;
}

static const char *get_login_id(const struct request *r)
{
	return text_or_null(r->caller.claims.login_id);
}

static const char *get_generation(const struct request *r)
{
	return text_or_null(r->caller.generation);
}

static const char *get_cookie_id(const struct request *r)
{
	return text_or_null(r->caller.cookie.id);
}

static const char *get_cookie_sha256(const struct request *r)
{
	return text_or_null(r->caller.cookie.sha256);
}

static const char *get_new_cookie_sha256(const struct request *r)
{
	return text_or_null(r->made.cookie_sha256);
}

static const char *get_address(const struct request *r)
{
	return r->head.address;
}

static const char *get_poll_sha256(const struct request *r)
{
	return r->caller.poll_sha256;
}

static const char *get_idempotency_key(const struct request *r)
{
	return r->head.idempotency_key;
}

static const char *get_request_sha256(const struct request *r)
{
	return r->head.idempotency_key ? r->body.sha256 : NULL;
}

static const char *get_if_match(const struct request *r)
{
	return r->head.has_if_match ? r->head.if_match : NULL;
}

static const char *get_nulls(const struct request *r)
{
	return r->input.nulls.len > 0 ? r->input.nulls.data : NULL;
}

static const char *get_matched(const struct request *r)
{
	return r->made.matched ? "true" : "false";
}

static const char *get_stored_hash(const struct request *r)
{
	return r->made.stored_hash;
}

static const char *get_secret_sha256(const struct request *r)
{
	return r->made.secret_sha256;
}

static const char *get_hash(const struct request *r)
{
	return r->made.hash;
}

static const char *get_sealed(const struct request *r)
{
	return r->made.sealed;
}

static const char *get_secret_members(const struct request *r)
{
	return r->made.secret_members;
}

static const char *get_secret_keys(const struct request *r)
{
	return r->made.secret_keys;
}

static const char *get_own_public_key(const struct request *r)
{
	return text_or_null(r->made.own_public_key);
}

static const char *get_import(const struct request *r)
{
	return r->made.import;
}

static const char *get_kind(const struct request *r)
{
	return r->route->kind;
}

// The arguments that do not come from a field: by who may use the route, or by its flags.
// clang-format off
enum { LOGGED_IN = 1 << ROUTE_USER | 1 << ROUTE_ADMIN, POLLS = 1 << ROUTE_POLL };
static const struct {
	unsigned who;
	unsigned flag;
	const char *name;
	const char *type;
	bool optional;
	const char *(*get)(const struct request *r);
} extras[] = {
	{LOGGED_IN, 0,                  "p_login_id",          "uuid",            false, get_login_id},
	{LOGGED_IN, 0,                  "p_generation",        "integer",         false, get_generation},
	{POLLS,     0,                  "p_poll_sha256",       "ccp.sha256",      false, get_poll_sha256},
	{0,         ROUTE_COOKIE,       "p_cookie_id",         "uuid",            true,  get_cookie_id},
	{0,         ROUTE_COOKIE,       "p_cookie_sha256",     "ccp.sha256",      true,  get_cookie_sha256},
	{0,         ROUTE_NEW_COOKIE,   "p_new_cookie_sha256", "ccp.sha256",      true,  get_new_cookie_sha256},
	{0,         ROUTE_ADDRESS,      "p_address",           "inet",            false, get_address},
	{0,         ROUTE_IDEMPOTENT,   "p_idempotency_key",   "ccp.request_key", true,  get_idempotency_key},
	{0,         ROUTE_IDEMPOTENT,   "p_request_sha256",    "ccp.sha256",      true,  get_request_sha256},
	{0,         ROUTE_IF_MATCH,     "p_if_match",          "text",            true,  get_if_match},
	{0,         ROUTE_NULLS,        "p_nulls",             "text[]",          true,  get_nulls},
	{0,         ROUTE_MATCHED,      "p_matched",           "boolean",         false, get_matched},
	{0,         ROUTE_MATCHED,      "p_password_hash",     "text",            false, get_stored_hash},
	{0,         ROUTE_POLL_TOKEN,   "p_poll_token_sha256", "ccp.sha256",      false, get_secret_sha256},
	{0,         ROUTE_SSH_PASSWORD, "p_ssh_password_hash", "text",            false, get_hash},
	{0,         ROUTE_NEW_PASSWORD, "p_password_hash",     "text",            false, get_hash},
	{0,         ROUTE_NEW_SECRET,   "p_secret_sealed",     "text",            false, get_sealed},
	{0,         ROUTE_EXIT_SECRETS, "p_proxy_secret_members", "text[]",       true,  get_secret_members},
	{0,         ROUTE_EXIT_SECRETS, "p_proxy_secret_keys", "integer[]",       true,  get_secret_keys},
	{0,         ROUTE_IMPORT,       "p_read",              "ccp.object",      false, get_import},
	{0,         ROUTE_EXIT_SECRETS, "p_wg_own_public_key", "ccp.wg_key",      true,  get_own_public_key},
};
// clang-format on

static struct argument *add(
	struct argument *list, size_t *count, const char *name, const char *suffix)
{
	assert(*count < ARGUMENTS_MAX);
	struct argument *argument = &list[(*count)++];
	*argument = (struct argument){0};
	int len = snprintf(argument->name, sizeof(argument->name), "%s%s", name, suffix);
	assert(len < (int)sizeof(argument->name));
	return argument;
}

static void add_extra(struct argument *list, size_t *count, size_t i)
{
	struct argument *argument = add(list, count, extras[i].name, "");
	argument->type = extras[i].type;
	argument->optional = extras[i].optional;
	argument->get = extras[i].get;
}

static void add_field(struct argument *list, size_t *count, const struct field *field)
{
	bool hashed = field->flags & FIELD_HASHED;
	bool sealed = field->flags & FIELD_SEALED;
	_cleanup_(freep) char *name = xasprintf("p_%s", field->name);
	struct argument *argument = add(list, count, name,
		hashed   ? "_hash"
		: sealed ? "_sealed"
			 : "");
	argument->type = hashed || sealed ? "text" : field->type;
	// What is hashed is given by the client or made by us, so the function always gets it.
	argument->optional = !(field->flags & FIELD_REQUIRED) && !hashed;
	argument->field = field;
}

size_t arguments_of(const struct route *route, struct argument ret[static ARGUMENTS_MAX])
{
	size_t count = 0;
	unsigned flags = route_flags(route);
	for (size_t i = 0; i < ARRAY_SIZE(extras); i++)
		if ((extras[i].who & 1u << route->who) || (extras[i].flag & flags))
			add_extra(ret, &count, i);
	if (route->kind) {
		struct argument *argument = add(ret, &count, "p_kind", "");
		argument->type = "text";
		argument->get = get_kind;
	}
	FIELDS_EACH (field, route)
		if (!(field->flags & FIELD_LOCAL))
			add_field(ret, &count, field);
	return count;
}

bool argument_value(const struct argument *argument, const struct request *r, const char **ret)
{
	if (!argument->field) {
		*ret = argument->get(r);
		return *ret || !argument->optional;
	}
	if (argument->field->flags & FIELD_HASHED) {
		*ret = r->made.hash;
		return true;
	}
	const struct value *value = &r->input.values[argument->field - r->route->fields];
	if (argument->field->flags & FIELD_SEALED) {
		*ret = value->sealed;
		return *ret;
	}
	*ret = value->text;
	return value->present;
}

int arguments_add(
	const struct request *r, struct str *sql, const char *values[static ARGUMENTS_MAX])
{
	struct argument list[ARGUMENTS_MAX];
	size_t count = arguments_of(r->route, list);
	int params = 0;
	for (size_t i = 0; i < count; i++) {
		if (!argument_value(&list[i], r, &values[params]))
			continue;
		params++;
		str_addf(sql, "%s%s => $%d::%s", params > 1 ? ", " : "", list[i].name, params,
			list[i].type);
	}
	return params;
}
