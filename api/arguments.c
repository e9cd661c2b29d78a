// SPDX-License-Identifier: Apache-2.0
// From a row of the route table to named arguments.
#include "api/arguments.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/request.h"
#include "lib/mem.h"

static const char *get_login_id(const struct request *r)
{
	return r->claims.login_id;
}

static const char *get_generation(const struct request *r)
{
	return r->generation_text;
}

static const char *get_address(const struct request *r)
{
	return r->address;
}

static const char *get_poll_sha256(const struct request *r)
{
	return r->poll_sha256;
}

static const char *get_idempotency_key(const struct request *r)
{
	return r->idempotency_key;
}

static const char *get_request_sha256(const struct request *r)
{
	return r->idempotency_key ? r->request_sha256 : NULL;
}

static const char *get_if_match(const struct request *r)
{
	return r->has_if_match ? r->if_match : NULL;
}

static const char *get_matched(const struct request *r)
{
	return r->matched ? "true" : "false";
}

static const char *get_stored_hash(const struct request *r)
{
	return r->stored_hash;
}

static const char *get_secret_sha256(const struct request *r)
{
	return r->secret_sha256;
}

static const char *get_hashed(const struct request *r)
{
	return r->hashed;
}

static const struct {
	unsigned flag;
	const char *name;
	const char *sql_type;
	bool optional;
	const char *(*get)(const struct request *r);
} extras[] = {
	{ROUTE_ADDRESS, "p_address", "inet", false, get_address},
	{ROUTE_IDEMPOTENT, "p_idempotency_key", "text", true, get_idempotency_key},
	{ROUTE_IDEMPOTENT, "p_request_sha256", "text", true, get_request_sha256},
	{ROUTE_IF_MATCH, "p_if_match", "text", true, get_if_match},
	{ROUTE_MATCHED, "p_matched", "boolean", false, get_matched},
	{ROUTE_MATCHED, "p_password_hash", "text", false, get_stored_hash},
	{ROUTE_POLL_TOKEN, "p_poll_token_sha256", "text", false, get_secret_sha256},
	{ROUTE_SSH_PASSWORD, "p_ssh_password_hash", "text", false, get_hashed},
};

static struct argument *add(struct argument *list, size_t *count, const char *name)
{
	assert(*count < ARGUMENTS_MAX);
	struct argument *argument = &list[(*count)++];
	*argument = (struct argument){0};
	bool fits = text_copy(argument->name, sizeof(argument->name), name);
	assert(fits);
	return argument;
}

static void add_extra(struct argument *list, size_t *count, const char *name, const char *sql_type,
	const char *(*get)(const struct request *r))
{
	struct argument *argument = add(list, count, name);
	argument->sql_type = sql_type;
	argument->get = get;
}

static void add_field(struct argument *list, size_t *count, const struct field *field)
{
	static const char *const suffixes[] = {
		[FIELD_AS_IT_IS] = "", [FIELD_AS_HASH] = "_hash", [FIELD_AS_SEALED] = "_sealed"};
	char name[64];
	snprintf(name, sizeof(name), "p_%s%s", field->name, suffixes[field->as]);
	struct argument *argument = add(list, count, name);
	argument->sql_type = field_sql_type(field);
	// What is hashed is given by the client or made by us, so the function always gets it.
	argument->optional = !field->required && field->as != FIELD_AS_HASH;
	argument->field = field;
}

size_t arguments_of(const struct route *route, struct argument ret[static ARGUMENTS_MAX])
{
	size_t count = 0;
	if (route->who == ROUTE_USER || route->who == ROUTE_ADMIN) {
		add_extra(ret, &count, "p_login_id", "uuid", get_login_id);
		add_extra(ret, &count, "p_generation", "integer", get_generation);
	}
	if (route->who == ROUTE_POLL)
		add_extra(ret, &count, "p_poll_sha256", "text", get_poll_sha256);
	for (size_t i = 0; i < ARRAY_SIZE(extras); i++)
		if (route->flags & extras[i].flag) {
			add_extra(ret, &count, extras[i].name, extras[i].sql_type, extras[i].get);
			ret[count - 1].optional = extras[i].optional;
		}
	for (const struct field *field = route->fields; field->name; field++)
		if (field->as != FIELD_AS_NOTHING)
			add_field(ret, &count, field);
	return count;
}

bool argument_value(const struct argument *argument, const struct request *r, const char **ret)
{
	if (!argument->field) {
		*ret = argument->get(r);
		return *ret || !argument->optional;
	}
	const struct value *value = &r->input.values[argument->field - r->route->fields];
	switch (argument->field->as) {
	case FIELD_AS_IT_IS:
		*ret = value->text;
		return value->present;
	case FIELD_AS_HASH:
		*ret = r->hashed;
		return true;
	case FIELD_AS_SEALED:
		*ret = r->sealed;
		return r->sealed;
	case FIELD_AS_NOTHING:
		break;
	}
	return false;
}
