// SPDX-License-Identifier: Apache-2.0
// Writes the OpenAPI document: what all operations share. An operation itself is operation.c.
#include "api/openapi.h"

#include <string.h>

#include "api/catalogue.h"
#include "api/cookie.h"
#include "api/operation.h"
#include "api/route.h"
#include "api/type.h"
#include "lib/db.h"
#include "lib/json.h"
#include "lib/mem.h"

static const char nullable_mark[] = "(or null"; // "(or null)", "(or null while it is stopped)"

// The schema of an answer's member: a composite of ours by name, or a type.
static cJSON *member_schema(const char *type, const char *composite, bool nullable)
{
	if (!composite)
		return type_schema(type, nullable);
	cJSON *schema = operation_schema(composite);
	if (!nullable)
		return schema;
	cJSON *either = json_new_object();
	cJSON *list = json_set_array(either, "anyOf");
	json_add(list, schema);
	json_set_text(json_add(list, json_new_object()), "type", "null");
	return either;
}

static void add_attribute(
	cJSON *properties, cJSON *required, const struct pg_result *types, int row)
{
	const char *name = db_text(types, row, CATALOGUE_ATTRIBUTE);
	const char *comment = db_text(types, row, CATALOGUE_COMMENT);
	const char *type = db_text(types, row, CATALOGUE_SQL_TYPE);
	const char *composite = db_text(types, row, CATALOGUE_COMPOSITE);
	bool is_list = db_bool(types, row, CATALOGUE_IS_LIST);
	bool nullable = strstr(comment, nullable_mark);
	cJSON *schema = is_list ? json_new_object() : member_schema(type, composite, nullable);
	if (is_list) {
		if (nullable) {
			cJSON *kinds = json_set_array(schema, "type");
			json_add_text(kinds, "array");
			json_add_text(kinds, "null");
		} else {
			json_set_text(schema, "type", "array");
		}
		json_set(schema, "items", member_schema(type, composite, false));
	}
	json_set_text(schema, "description", comment);
	json_set(properties, name, schema);
	if (!(is_list && nullable))
		json_add_text(required, name);
}

static void add_schemas(cJSON *components, const struct pg_result *types)
{
	cJSON *schemas = json_set_object(components, "schemas");
	cJSON *properties = NULL;
	cJSON *required = NULL;
	for (int row = 0; row < db_rows(types); row++) {
		const char *name = db_text(types, row, CATALOGUE_TYPE);
		if (!cJSON_GetObjectItemCaseSensitive(schemas, name)) {
			cJSON *schema = json_set_object(schemas, name);
			json_set_text(schema, "type", "object");
			json_set_text(
				schema, "description", db_text(types, row, CATALOGUE_TYPE_COMMENT));
			properties = json_set_object(schema, "properties");
			required = json_set_array(schema, "required");
		}
		add_attribute(properties, required, types, row);
	}
	type_add_json(schemas);
}

// Composites that only our own programs read are not part of the document.
static void drop_unused_schemas(cJSON *document, cJSON *schemas)
{
	for (bool dropped = true; dropped;) {
		dropped = false;
		_cleanup_(freep) char *text = json_print(document);
		for (cJSON *schema = schemas->child, *next; schema; schema = next) {
			next = schema->next;
			_cleanup_(freep) char *reference =
				xasprintf("\"#/components/schemas/%s\"", schema->string);
			if (!strstr(text, reference)) {
				cJSON_Delete(cJSON_DetachItemViaPointer(schemas, schema));
				dropped = true;
			}
		}
	}
}

static void add_scheme(cJSON *schemes, const char *name, const char *format, const char *help)
{
	cJSON *scheme = json_set_object(schemes, name);
	json_set_text(scheme, "type", "http");
	json_set_text(scheme, "scheme", "bearer");
	if (format)
		json_set_text(scheme, "bearerFormat", format);
	json_set_text(scheme, "description", help);
}

static void add_cookie(cJSON *schemes)
{
	cJSON *scheme = json_set_object(schemes, OPERATION_COOKIE);
	json_set_text(scheme, "type", "apiKey");
	json_set_text(scheme, "in", "cookie");
	json_set_text(scheme, "name", COOKIE_NAME);
	json_set_text(scheme, "description",
		"The refresh cookie of a login with `cookie`. Where it is there it counts before a token, "
		"and the browser must say that a page of this server asks: Sec-Fetch-Site is "
		"same-origin, or Origin names the Host; else 403.");
}

static void add_header(cJSON *headers, const char *name, const char *type, const char *help)
{
	cJSON *header = json_set_object(headers, name);
	json_set_text(header, "description", help);
	json_set_text(json_set_object(header, "schema"), "type", type);
}

static void add_components(cJSON *document, const struct pg_result *types)
{
	cJSON *components = json_set_object(document, "components");
	add_schemas(components, types);
	cJSON *headers = json_set_object(components, "headers");
	add_header(headers, "X-Request-Id", "string",
		"Id of the request, taken or made; the log has it.");
	add_header(headers, "ETag", "string", "The version of what is answered, for If-Match.");
	add_header(headers, "Set-Cookie", "string",
		"A browser's refresh cookie, where one is given, replaced or taken away.");
	add_header(headers, "Retry-After", "integer", "Seconds to wait before asking again.");
	operation_add_problems(json_set_object(components, "responses"));
	cJSON *schemes = json_set_object(components, "securitySchemes");
	add_scheme(schemes, OPERATION_JWT, "JWT", "The token of a login.");
	add_scheme(schemes, OPERATION_POLL_TOKEN, NULL, "The poll_token of a bootstrap session.");
	add_cookie(schemes);
}

static void add_info(cJSON *document)
{
	cJSON *info = json_set_object(document, "info");
	json_set_text(info, "title", "cloud-cli-proxy");
	json_set_text(info, "version", CCP_VERSION);
	json_set_text(info, "description",
		"Linux containers whose whole traffic leaves through one designated address. Errors "
		"are problem documents (RFC 9457); times are RFC 3339 in UTC; lists are read page by "
		"page with `cursor`.");
	cJSON *license = json_set_object(info, "license");
	json_set_text(license, "name", "Apache-2.0");
	json_set_text(license, "identifier", "Apache-2.0");
	json_set_text(json_add(json_set_array(document, "servers"), json_new_object()), "url", "/");
}

char *openapi_make(const struct pg_result *types)
{
	_cleanup_(json_freep) cJSON *document = json_new_object();
	json_set_text(document, "openapi", "3.1.0");
	add_info(document);
	cJSON *tags = json_set_array(document, "tags");
	cJSON *paths = json_set_object(document, "paths");
	for (const struct route_table *table = route_tables; table->noun; table++) {
		cJSON *tag = json_add(tags, json_new_object());
		json_set_text(tag, "name", table->noun);
		json_set_text(tag, "description", table->help);
		ROUTES_OF (route, table)
			if (route->who != ROUTE_MONITOR)
				operation_add(paths, table->noun, route);
	}
	add_components(document, types);
	cJSON *components = cJSON_GetObjectItemCaseSensitive(document, "components");
	drop_unused_schemas(document, cJSON_GetObjectItemCaseSensitive(components, "schemas"));
	return json_print(document);
}
