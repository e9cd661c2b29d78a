// SPDX-License-Identifier: Apache-2.0
// Writes the OpenAPI document.
#include "api/openapi.h"

#include <stdio.h>
#include <string.h>

#include "api/catalogue.h"
#include "api/route.h"
#include "api/type.h"
#include "lib/db.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { DESCRIPTION_MAX_BYTES = 1024 };

static void set_reference(cJSON *schema, const char *type)
{
	_cleanup_(freep) char *reference = xasprintf("#/components/schemas/%s", type);
	json_set_text(schema, "$ref", reference);
}

// The schema of an answer's member: a composite of ours by name, or a type.
static cJSON *member_schema(const char *type, const char *composite, bool nullable)
{
	if (!composite)
		return type_schema(type, nullable);
	cJSON *schema = json_new_object();
	set_reference(schema, composite);
	return schema;
}

static void add_attribute(
	cJSON *properties, cJSON *required, const struct pg_result *types, int row)
{
	const char *name = db_text(types, row, CATALOGUE_ATTRIBUTE);
	const char *comment = db_text(types, row, CATALOGUE_COMMENT);
	const char *type = db_text(types, row, CATALOGUE_SQL_TYPE);
	const char *composite = db_text(types, row, CATALOGUE_COMPOSITE);
	bool is_list = db_bool(types, row, CATALOGUE_IS_LIST);
	bool nullable = strstr(comment, "(or null)");
	cJSON *schema = is_list ? json_new_object() : member_schema(type, composite, nullable);
	if (is_list) {
		json_set_text(schema, "type", "array");
		json_set(schema, "items", member_schema(type, composite, false));
	}
	json_set_text(schema, "description", comment);
	json_set(properties, name, schema);
	if (!(is_list && nullable))
		json_add_text(required, name);
}

static void add_schemas(cJSON *document, const struct pg_result *types)
{
	cJSON *components = json_set_object(document, "components");
	cJSON *schemas = json_set_object(components, "schemas");
	cJSON *properties = NULL;
	cJSON *required = NULL;
	for (int row = 0; row < db_rows(types); row++) {
		const char *name = db_text(types, row, CATALOGUE_TYPE);
		if (!cJSON_GetObjectItemCaseSensitive(schemas, name)) {
			cJSON *schema = json_set_object(schemas, name);
			json_set_text(schema, "type", "object");
			properties = json_set_object(schema, "properties");
			required = json_set_array(schema, "required");
		}
		add_attribute(properties, required, types, row);
	}
	cJSON *bearer = json_set_object(json_set_object(components, "securitySchemes"), "bearer");
	json_set_text(bearer, "type", "http");
	json_set_text(bearer, "scheme", "bearer");
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
	if (route_flags(route) & ROUTE_IDEMPOTENT)
		add_header(list, "Idempotency-Key",
			"The same request with the same key does nothing more and gives the same ids, "
			"without secrets. A route that does not name this parameter ignores it.");
}

static void add_body(cJSON *operation, const struct route *route)
{
	cJSON *schema = json_new_object();
	cJSON *properties = json_new_object();
	cJSON *required = json_new_array();
	json_set_text(schema, "type", "object");
	json_set_bool(schema, "additionalProperties", false);
	FIELDS_EACH (field, route) {
		if (field->in != FIELD_IN_BODY)
			continue;
		json_set(properties, field->name, field_schema(field));
		if (field->flags & FIELD_REQUIRED)
			json_add_text(required, field->name);
	}
	bool any = properties->child;
	bool must = required->child;
	json_set(schema, "properties", properties);
	json_set(schema, "required", required);
	if (!any) {
		cJSON_Delete(schema);
		return;
	}
	cJSON *body = json_set_object(operation, "requestBody");
	json_set_bool(body, "required", must);
	cJSON *content = json_set_object(body, "content");
	if (route_flags(route) & ROUTE_FORM)
		json_set(json_set_object(content, "application/x-www-form-urlencoded"), "schema",
			cJSON_Duplicate(schema, true));
	json_set(json_set_object(content, "application/json"), "schema", schema);
}

static void add_responses(cJSON *operation, const struct route *route)
{
	cJSON *responses = json_set_object(operation, "responses");
	char status[12];
	snprintf(status, sizeof(status), "%d", route->status);
	cJSON *success = json_set_object(responses, status);
	json_set_text(success, "description", route->summary);
	if (route->answer)
		set_reference(json_set_object(json_set_object(json_set_object(success, "content"),
						      "application/json"),
				      "schema"),
			route->answer);
	cJSON *problem = json_set_object(responses, "default");
	json_set_text(problem, "description", "A problem.");
	set_reference(json_set_object(json_set_object(json_set_object(problem, "content"),
					      "application/problem+json"),
			      "schema"),
		"problem");
}

static void add_route(cJSON *paths, const struct route *route)
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
		method[i] = (char)(route->method[i] | 0x20);
	cJSON *operation = json_set_object(path, method);
	json_set_text(operation, "summary", route->summary);
	json_set_text(operation, "x-who", who[route->who]);
	cJSON *security = json_set_array(operation, "security");
	if (route->who != ROUTE_PUBLIC)
		json_set_array(json_add(security, json_new_object()), "bearer");
	add_parameters(operation, route);
	add_body(operation, route);
	add_responses(operation, route);
}

char *openapi_make(const struct pg_result *types)
{
	_cleanup_(json_freep) cJSON *document = json_new_object();
	json_set_text(document, "openapi", "3.1.0");
	cJSON *info = json_set_object(document, "info");
	json_set_text(info, "title", "cloud-cli-proxy");
	json_set_text(info, "version", CCP_VERSION);
	cJSON *paths = json_set_object(document, "paths");
	ROUTES_EACH (route)
		add_route(paths, route);
	add_schemas(document, types);
	return json_print(document);
}
