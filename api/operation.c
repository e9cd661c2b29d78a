// SPDX-License-Identifier: Apache-2.0
// Writes one operation of the document: its inputs, and each status that it can answer.
#include "api/operation.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/reply.h"
#include "api/route.h"
#include "api/steps.h"
#include "api/type.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { DESCRIPTION_MAX_BYTES = 1024, ID_MAX_BYTES = 128 };

static void set_reference(cJSON *object, const char *kind, const char *name)
{
	_cleanup_(freep) char *reference = xasprintf("#/components/%s/%s", kind, name);
	json_set_text(object, "$ref", reference);
}

cJSON *operation_schema(const char *composite)
{
	cJSON *schema = json_new_object();
	set_reference(schema, "schemas", composite);
	return schema;
}

// What the field is for, and what its value must be as far as JSON Schema cannot say it.
static cJSON *field_schema(const struct field *field)
{
	cJSON *schema = type_schema(field->type, field->flags & FIELD_NULLABLE);
	_cleanup_(str_done) struct str must = STR_INIT(DESCRIPTION_MAX_BYTES);
	type_describe(field->type, &must);
	_cleanup_(freep) char *text = xasprintf("%s%s%s%s%s", field->help ? field->help : "",
		field->help && must.len > 0 ? " " : "", must.len > 0 ? "It " : "", str_text(&must),
		must.len > 0 ? "." : "");
	if (*text != '\0')
		json_set_text(schema, "description", text);
	return schema;
}

static void add_header(cJSON *list, const char *name, const char *help)
{
	cJSON *parameter = json_add(list, json_new_object());
	json_set_text(parameter, "name", name);
	json_set_text(parameter, "in", "header");
	json_set_text(parameter, "description", help);
	json_set_text(json_set_object(parameter, "schema"), "type", "string");
}

static void add_parameters(cJSON *operation, const struct route *route)
{
	cJSON *list = json_set_array(operation, "parameters");
	FIELDS_EACH (field, route) {
		if (field->in == FIELD_IN_BODY)
			continue;
		cJSON *parameter = json_add(list, json_new_object());
		json_set_text(parameter, "name", field->name);
		json_set_text(parameter, "in", field->in == FIELD_IN_PATH ? "path" : "query");
		json_set_bool(parameter, "required", field->flags & FIELD_REQUIRED);
		json_set(parameter, "schema", field_schema(field));
		if (type_is_list(field->type))
			json_set_bool(parameter, "explode", false); // a,b
	}
	if (route_flags(route) & ROUTE_IF_MATCH)
		add_header(list, "If-Match",
			"ETags; 412 when none of them is the present one. Weak ones never are.");
	if (route_flags(route) & ROUTE_RESUMES)
		add_header(list, "Last-Event-ID",
			"The id that came last: the stream goes on behind it.");
	if (route_flags(route) & ROUTE_IDEMPOTENT)
		add_header(list, "Idempotency-Key",
			"The same request with the same key does nothing more and gives the same ids, "
			"without secrets; 404 when what it made has been deleted since. A route that does "
			"not name this parameter ignores it.");
}

static bool has_field(const struct route *route, enum field_in in)
{
	FIELDS_EACH (field, route)
		if (field->in == in)
			return true;
	return false;
}

static void add_body(cJSON *operation, const struct route *route)
{
	if (!has_field(route, FIELD_IN_BODY))
		return;
	cJSON *schema = json_new_object();
	json_set_text(schema, "type", "object");
	json_set_bool(schema, "additionalProperties", false);
	cJSON *properties = json_set_object(schema, "properties");
	cJSON *required = json_set_array(schema, "required");
	FIELDS_EACH (field, route) {
		if (field->in != FIELD_IN_BODY)
			continue;
		json_set(properties, field->name, field_schema(field));
		if (field->flags & FIELD_REQUIRED)
			json_add_text(required, field->name);
	}
	cJSON *body = json_set_object(operation, "requestBody");
	json_set_bool(body, "required", required->child);
	cJSON *content = json_set_object(body, "content");
	if (route_flags(route) & ROUTE_FORM)
		json_set(json_set_object(content, "application/x-www-form-urlencoded"), "schema",
			cJSON_Duplicate(schema, true));
	json_set(json_set_object(content, "application/json"), "schema", schema);
}

// What the route can be refused with; the rows of a status are tried until one holds.
static bool is_open(const struct route *route)
{
	return route->who == ROUTE_PUBLIC && !(route_flags(route) & ROUTE_VERDICT);
}

static bool works(const struct route *route)
{
	return route->work;
}

static bool may_refuse_caller(const struct route *route)
{
	return !is_open(route);
}

// Also what a request with the same Idempotency-Key made, and has been deleted since.
static bool may_miss(const struct route *route)
{
	return has_field(route, FIELD_IN_PATH) ||
	       (route_flags(route) & (ROUTE_VERDICT | ROUTE_IDEMPOTENT));
}

static bool changes(const struct route *route)
{
	return strcmp(route->method, "GET") != 0 || (route_flags(route) & ROUTE_VERDICT);
}

static bool has_if_match(const struct route *route)
{
	return route_flags(route) & ROUTE_IF_MATCH;
}

static bool may_have_body(const struct route *route)
{
	return strcmp(route->method, "GET") != 0;
}

static bool is_for_logins(const struct route *route)
{
	return route->who == ROUTE_USER || route->who == ROUTE_ADMIN;
}

static bool has_limits(const struct route *route)
{
	return is_for_logins(route) || (route_flags(route) & ROUTE_VERDICT);
}

static bool always(const struct route *route)
{
	return route;
}

// clang-format off
static const struct {
	unsigned status;
	bool (*applies)(const struct route *route);
	const char *help;
} refusals[] = {
	{400, always,            "What came is not a well-formed request."},
	{401, may_refuse_caller, "There is no login, or it has ended."},
	{403, may_refuse_caller, "The caller may not do this."},
	{404, may_miss,          "It does not exist, has been deleted since, or is another user's."},
	{409, changes,           "It does not fit what is there."},
	{412, has_if_match,      "It was changed in between."},
	{413, always,            "The body is too long."},
	{415, may_have_body,     "The body's type is not read here."},
	{422, always,            "A value cannot be; errors names each field."},
	{429, has_limits,        "There were too many attempts, or too many requests or streams of this login."},
	{431, always,            "The head is too long."},
	{500, works,             "Something failed that should not; the log has the request id."},
	{503, always,            "It cannot be served now."},
};
// clang-format on

static void refer_header(cJSON *response, const char *name)
{
	cJSON *headers = cJSON_GetObjectItemCaseSensitive(response, "headers");
	if (!headers)
		headers = json_set_object(response, "headers");
	set_reference(json_set_object(headers, name), "headers", name);
}

static void add_content(cJSON *response, const char *type, cJSON *schema)
{
	cJSON *content = cJSON_GetObjectItemCaseSensitive(response, "content");
	if (!content)
		content = json_set_object(response, "content");
	json_set(json_set_object(content, type), "schema", schema);
}

static cJSON *text_schema(void)
{
	cJSON *schema = json_new_object();
	json_set_text(schema, "type", "string");
	return schema;
}

void operation_add_problems(cJSON *responses)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		char status[12];
		snprintf(status, sizeof(status), "%u", refusals[i].status);
		cJSON *response = json_set_object(responses, status);
		json_set_text(response, "description", refusals[i].help);
		refer_header(response, "X-Request-Id");
		if (refusals[i].status == 429 || refusals[i].status == 503)
			refer_header(response, "Retry-After");
		add_content(response, "application/problem+json", operation_schema("problem"));
	}
}

// What the events of a stream say: one of these each, as JSON.
static cJSON *events_schema(const struct work *work)
{
	cJSON *schema = json_new_object();
	json_set_text(schema, "description",
		"Events without a name, each with one of these as its data. Named ones: ready and "
		"heartbeat bring an id; resync: read the lists of its topic again (null: of all); "
		"end: the login may listen no more, and why.");
	cJSON *any = json_set_array(schema, "anyOf");
	for (size_t i = 0; i < ROUTE_EVENTS_MAX && work->events[i]; i++)
		json_add(any, operation_schema(work->events[i]));
	return schema;
}

static void add_success(cJSON *response, const struct route *route)
{
	json_set_text(response, "description", route->summary);
	refer_header(response, "X-Request-Id");
	if (route_flags(route) & ROUTE_ETAG)
		refer_header(response, "ETag");
	if (route_flags(route) & (ROUTE_COOKIE | ROUTE_NEW_COOKIE))
		refer_header(response, "Set-Cookie");
	if (route->work && route->work->other_type)
		add_content(response, route->work->other_type, text_schema());
	if (route->work && route->work->content_type)
		add_content(response, route->work->content_type,
			*route->work->events ? events_schema(route->work) : text_schema());
	else if (route->answer)
		add_content(response, "application/json", operation_schema(route->answer));
	else if (!route->work)
		add_content(response, "application/json", operation_schema("json_value"));
	if (route->answer && (route_flags(route) & ROUTE_FORM))
		add_content(response, "text/plain", text_schema());
}

static void add_own_success(cJSON *responses, const struct route *route)
{
	char status[12];
	snprintf(status, sizeof(status), "%d", route->status);
	add_success(json_set_object(responses, status), route);
}

static void add_responses(cJSON *operation, const struct route *route)
{
	cJSON *responses = json_set_object(operation, "responses");
	char status[12];
	add_own_success(responses, route);
	if (route->other)
		add_own_success(responses, route->other);
	if (route_flags(route) & ROUTE_ACCEPTED)
		add_success(json_set_object(responses, "202"), route);
	if (route_flags(route) & ROUTE_IMPORT)
		add_success(json_set_object(responses, "201"), route);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (!refusals[i].applies(route))
			continue;
		snprintf(status, sizeof(status), "%u", refusals[i].status);
		cJSON *response = json_set_object(responses, status);
		if (refusals[i].status == 503 && !route->work && route->answer)
			add_success(response, route); // the same form says what is away
		else
			set_reference(response, "responses", status);
	}
}

static void set_id(cJSON *operation, const struct route *route)
{
	if (route->name || !route->kind) {
		json_set_text(
			operation, "operationId", route->name ? route->name : route->function);
		return;
	}
	size_t noun = (size_t)(strrchr(route->function, '_') + 1 - route->function);
	_cleanup_(freep) char *id =
		xasprintf("%.*s%s", (int)noun, route->function, strchr(route->kind, '.') + 1);
	json_set_text(operation, "operationId", id);
}

static void add_security(cJSON *operation, const struct route *route)
{
	cJSON *security = json_set_array(operation, "security");
	if (route->who != ROUTE_PUBLIC)
		json_set_array(json_add(security, json_new_object()),
			route->who == ROUTE_POLL ? OPERATION_POLL_TOKEN : OPERATION_JWT);
	if (route_flags(route) & ROUTE_COOKIE)
		json_set_array(json_add(security, json_new_object()), OPERATION_COOKIE);
}

void operation_add(cJSON *paths, const char *tag, const struct route *route)
{
	static const char *const who[] = {[ROUTE_CLOSED] = "closed",
		[ROUTE_PUBLIC] = "public",
		[ROUTE_POLL] = "poll token",
		[ROUTE_USER] = "user",
		[ROUTE_ADMIN] = "admin"};
	cJSON *path = cJSON_GetObjectItemCaseSensitive(paths, route->path);
	if (!path)
		path = json_set_object(paths, route->path);
	char method[8] = "";
	for (size_t i = 0; route->method[i] != '\0' && i < sizeof(method) - 1; i++)
		method[i] = (char)tolower((unsigned char)route->method[i]);
	cJSON *operation = json_set_object(path, method);
	set_id(operation, route);
	json_add_text(json_set_array(operation, "tags"), tag);
	json_set_text(operation, "summary", route->summary);
	json_set_text(operation, "x-who", who[route->who]);
	add_security(operation, route);
	add_parameters(operation, route);
	add_body(operation, route);
	add_responses(operation, route);
}
