// SPDX-License-Identifier: Apache-2.0
// The table of types.
#include "api/type.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "api/check.h"
#include "api/rule.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { TEXT_MAX_BYTES = 64 * 1024, NAME_MAX_BYTES = 64, LIST_MAX_ITEMS = 20 };

enum kind {
	KIND_TEXT,
	KIND_INTEGER,
	KIND_NUMBER,
	KIND_BOOLEAN,
	KIND_LIST, // of texts
	KIND_OBJECT,
	KIND_TEXTS, // an object of texts
	KIND_ANY,
};

static const char *const json_types[] = {
	[KIND_TEXT] = "string",
	[KIND_INTEGER] = "integer",
	[KIND_NUMBER] = "number",
	[KIND_BOOLEAN] = "boolean",
	[KIND_LIST] = "array",
	[KIND_OBJECT] = "object",
	[KIND_TEXTS] = "object",
};

struct type {
	const char *sql;
	enum kind kind;
	const char *format;
	bool (*check)(const struct rule *rule, char **text); // NULL: in answers only
	const char *unit; // of what a rule's bounds count; then a value must have a rule
	const char *must; // what a value must be; a refusal says it, and the document
	const char *example;
};

// clang-format off
static const struct type types[] = {
	{"text",                     KIND_TEXT,    NULL,             check_text,           "characters", "must be a text", NULL},
	{"integer",                  KIND_INTEGER, NULL,             check_integer,        "",           "must be a whole number", NULL},
	{"bigint",                   KIND_INTEGER, "int64",          check_integer,        "",           "must be a whole number", NULL},
	{"numeric",                  KIND_NUMBER,  NULL,             check_number,         "",           "must be a number", NULL},
	{"boolean",                  KIND_BOOLEAN, NULL,             check_boolean,        NULL,         "must be true or false", NULL},
	{"uuid",                     KIND_TEXT,    "uuid",           check_uuid,           NULL,         "must be a UUID",
		"0c9e5f0a-3d9f-4b0e-9a5e-6f1d2c3b4a59"},
	{"timestamp with time zone", KIND_TEXT,    "date-time",      check_time,           NULL,
		"must be a time as in RFC 3339, like 2030-01-31T12:00:00Z", "2030-01-31T12:00:00Z"},
	{"inet",                     KIND_TEXT,    "ip",             check_address,        NULL,         "must be an IPv4 or IPv6 address",
		"198.51.100.7"},
	{"ccp.interface",            KIND_TEXT,    "ip-interface",   check_interface,      NULL,
		"must be an address with an optional prefix, like 10.66.0.2/32", "10.66.0.2/32"},
	{"cidr[]",                   KIND_LIST,    "ip-networks",    check_networks,       "items",
		"must be networks without host bits, like 0.0.0.0/0: a list", NULL},
	{"ccp.endpoint",             KIND_TEXT,    "endpoint",       check_endpoint,       NULL,         "must be an address and a port",
		"198.51.100.1:51820"},
	{"ccp.wg_key",               KIND_TEXT,    "base64-key",     check_key,            NULL,
		"must be a key of 32 bytes in base64 (44 characters)", "K2dGpvZ9nQ3mJ5xHc1sT8uYb4wRfA6eLkN0oViXzQ2M="},
	{"password",                 KIND_TEXT,    "password",       check_password,       "bytes",      "must be a text", NULL},
	{"import_text",              KIND_TEXT,    "import-text",    check_password,       "bytes",      "must be a text", NULL},
	{"ccp.ssh_public_key",       KIND_TEXT,    "ssh-public-key", check_ssh_public_key, NULL,
		"must be one line of an OpenSSH public key: ssh-ed25519, ecdsa-sha2-nistp256, -384, -521, or ssh-rsa with 2048 bits or more",
		NULL},
	{"ccp.object",               KIND_OBJECT,  NULL,             check_json,           NULL,         "must be a JSON object", NULL},
	{"proxy_secret",             KIND_TEXTS,   NULL,             check_proxy_secret,   NULL,
		"must be an object of texts of 1 to 1024 bytes without control characters, of 4096 bytes as JSON; a uuid must be one", NULL},
	{"api.texts",                KIND_TEXTS,   NULL,             NULL,                 NULL,         NULL, NULL},
	{"api.json",                 KIND_ANY,     NULL,             check_json,           NULL,         "must be a JSON value", NULL},
	{"jsonb",                    KIND_ANY,     NULL,             NULL,                 NULL,         NULL, NULL},
};
// clang-format on

static const struct type *type_named(const char *name)
{
	size_t len = strcspn(name, "("); // numeric(5,2)
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strlen(types[i].sql) == len && strncmp(types[i].sql, name, len) == 0)
			return &types[i];
	return NULL;
}

static const struct type *type_find(const char *name, const struct rule *rule)
{
	const struct type *type = type_named(name);
	return type || !rule ? type : type_named(rule->base);
}

// Whether the name is that of a list, "ccp.task_state[]", and of what.
static bool list_item(const char *name, char ret_item[static NAME_MAX_BYTES])
{
	size_t len = strlen(name);
	if (len < 2 || len > NAME_MAX_BYTES || strcmp(name + len - 2, "[]") != 0)
		return false;
	memcpy(ret_item, name, len - 2);
	ret_item[len - 2] = '\0';
	return true;
}

bool type_is_checked(const char *name)
{
	char item[NAME_MAX_BYTES];
	if (list_item(name, item))
		return type_is_checked(item);
	const struct rule *rule = rule_find(name);
	const struct type *type = type_find(name, rule);
	bool limited = rule && (rule->bounded || rule->pattern || rule->words);
	return type && type->check && (!type->unit || limited);
}

bool type_is_list(const char *name)
{
	char ignored[NAME_MAX_BYTES];
	return list_item(name, ignored);
}

bool type_is_secret(const char *name)
{
	const struct type *type = type_find(name, rule_find(name));
	return type && (type->check == check_password || type->check == check_proxy_secret);
}

// What the rule adds to the type's own sentence: "of 1 to 100 characters that matches ^[a-z]+$".
static void add_limits(const struct type *type, const struct rule *rule, struct str *sentence)
{
	if (rule->words) {
		str_addf(sentence, "must be one of %s", rule->words);
		return;
	}
	str_add(sentence, type->must);
	if (rule->bounded)
		str_addf(sentence, " %s %.10g to %.10g%s%s", *type->unit != '\0' ? "of" : "from",
			rule->min, rule->max, *type->unit != '\0' ? " " : "", type->unit);
	if (rule->pattern)
		str_addf(sentence, " that matches %s", rule->pattern);
}

// What a value must be, as the end of a sentence.
static void add_must(const struct type *type, const struct rule *rule, struct str *sentence)
{
	if (rule && rule->must)
		str_add(sentence, rule->must);
	else if (type->unit)
		add_limits(type, rule, sentence);
	else
		str_add(sentence, type->must);
}

// An item of an array in PostgreSQL's text form.
static void add_item(struct str *array, const char *value)
{
	str_add(array, array->len > 1 ? ",\"" : "\"");
	for (; *value != '\0'; value++)
		str_addf(array, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
	str_add(array, "\"");
}

static bool list_check(
	const char *item, const char *text, size_t len, char **ret_text, struct str *why)
{
	_cleanup_(str_done) struct str array = STR_INIT(TEXT_MAX_BYTES);
	str_add(&array, "{");
	const char *end = text + len;
	for (unsigned count = 1; text; count++) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		_cleanup_(wipe_freep) char *value = NULL;
		if (count > LIST_MAX_ITEMS) {
			str_addf(why, "must have at most %d items", LIST_MAX_ITEMS);
			return false;
		}
		if (!type_check(item, text, (size_t)((comma ? comma : end) - text), &value, why)) {
			str_add(why, ", or several with commas");
			return false;
		}
		add_item(&array, value);
		text = comma ? comma + 1 : NULL;
	}
	str_add(&array, "}");
	*ret_text = str_take(&array);
	return *ret_text;
}

bool type_check(const char *name, const char *text, size_t len, char **ret_text, struct str *why)
{
	char item[NAME_MAX_BYTES];
	if (list_item(name, item))
		return list_check(item, text, len, ret_text, why);
	const struct rule *rule = rule_find(name);
	const struct type *type = type_find(name, rule);
	assert(type && type->check);
	if (type->check == check_ssh_public_key)
		while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
			len--;
	if (text_characters(text, len, rule && rule->controls) < 0) {
		str_add(why, "must be UTF-8 text without control characters");
		return false;
	}
	char *value = xstrndup(text, len);
	bool valid = rule && rule->words ? rule_has_word(rule, value) : type->check(rule, &value);
	if (!valid) {
		wipe_freep(&value);
		add_must(type, rule, why);
		return false;
	}
	*ret_text = value;
	return true;
}

// A list of texts counts as one text with commas; an item that cannot be one makes it a wrong one.
static void add_list(const cJSON *list, struct str *text)
{
	const cJSON *item;
	cJSON_ArrayForEach (item, list) {
		const char *part = cJSON_GetStringValue(item);
		bool plain = part && *part != '\0' && !strchr(part, ',');
		str_addf(text, "%s%s", text->len > 0 ? "," : "", plain ? part : "?");
	}
}

static void add_json_text(const cJSON *value, struct str *text)
{
	_cleanup_(wipe_freep) char *json = json_print(value);
	str_add(text, json);
}

// The text that stands for a JSON value of the type's kind; false: it is of another kind.
static bool add_json(enum kind kind, const cJSON *value, struct str *text)
{
	if (cJSON_IsString(value) && (kind == KIND_TEXT || kind == KIND_LIST))
		str_add(text, value->valuestring);
	else if (cJSON_IsArray(value) && kind == KIND_LIST)
		add_list(value, text);
	else if (cJSON_IsNumber(value) && (kind == KIND_INTEGER || kind == KIND_NUMBER))
		str_addf(text, value->valuedouble == floor(value->valuedouble) ? "%.0f" : "%.6f",
			value->valuedouble);
	else if (kind == KIND_ANY ||
		 (cJSON_IsObject(value) && (kind == KIND_OBJECT || kind == KIND_TEXTS)))
		add_json_text(value, text);
	else if (cJSON_IsBool(value) && kind == KIND_BOOLEAN)
		str_add(text, cJSON_IsTrue(value) ? "true" : "false");
	else
		return false;
	return true;
}

bool type_check_json(const char *name, const cJSON *value, char **ret_text, struct str *why)
{
	const struct type *type = type_find(name, rule_find(name));
	assert(type_is_list(name) || (type && type->check));
	enum kind kind = type_is_list(name) ? KIND_LIST : type->kind;
	_cleanup_(str_done) struct str text = STR_INIT(TEXT_MAX_BYTES);
	if (!add_json(kind, value, &text)) {
		str_addf(why, "must be a JSON %s", json_types[kind]);
		return false;
	}
	bool valid = type_check(name, str_text(&text), text.len, ret_text, why);
	if (text.data)
		mem_wipe(text.data, text.len);
	return valid;
}

static void schema_words(cJSON *schema, const char *words, bool nullable)
{
	cJSON *list = json_set_array(schema, "enum");
	for (const char *word = words; *word != '\0';) {
		size_t len = strcspn(word, "|");
		_cleanup_(freep) char *copy = xstrndup(word, len);
		json_add_text(list, copy);
		word += len + (word[len] == '|');
	}
	if (nullable)
		json_add(list, cJSON_CreateNull());
}

static void schema_limits(cJSON *schema, enum kind kind, const struct rule *rule)
{
	static const char *const names[][2] = {
		[KIND_TEXT] = {"minLength", "maxLength"},
		[KIND_INTEGER] = {"minimum", "maximum"},
		[KIND_NUMBER] = {"minimum", "maximum"},
		[KIND_LIST] = {"minItems", "maxItems"},
	};
	if (rule->pattern)
		json_set_text(schema, "pattern", rule->pattern);
	if (rule->bounded) {
		json_set_number(schema, names[kind][0], rule->min);
		json_set_number(schema, names[kind][1], rule->max);
	}
}

static void schema_kind(cJSON *schema, enum kind kind, bool nullable)
{
	if (nullable) {
		cJSON *either = json_set_array(schema, "type");
		json_add_text(either, json_types[kind]);
		json_add_text(either, "null");
	} else {
		json_set_text(schema, "type", json_types[kind]);
	}
}

static void schema_type(cJSON *schema, enum kind kind, bool nullable)
{
	schema_kind(schema, kind, nullable);
	if (kind == KIND_LIST)
		json_set_text(json_set_object(schema, "items"), "type", json_types[KIND_TEXT]);
	else if (kind == KIND_TEXTS)
		json_set_text(json_set_object(schema, "additionalProperties"), "type",
			json_types[KIND_TEXT]);
	else if (kind == KIND_OBJECT)
		json_set_text(
			json_set_object(schema, "additionalProperties"), "$ref", TYPE_JSON_VALUE);
}

static cJSON *list_schema(const char *item, bool nullable)
{
	cJSON *schema = json_new_object();
	schema_kind(schema, KIND_LIST, nullable);
	json_set(schema, "items", type_schema(item, false));
	json_set_number(schema, "minItems", 1);
	json_set_number(schema, "maxItems", LIST_MAX_ITEMS);
	return schema;
}

cJSON *type_schema(const char *name, bool nullable)
{
	char item[NAME_MAX_BYTES];
	if (list_item(name, item) && type_is_checked(item))
		return list_schema(item, nullable);
	const struct rule *rule = rule_find(name);
	const struct type *type = type_find(name, rule);
	cJSON *schema = json_new_object();
	if (!type || type->kind == KIND_ANY) {
		json_set_text(schema, "$ref", TYPE_JSON_VALUE);
		return schema;
	}
	schema_type(schema, type->kind, nullable);
	if (type->format)
		json_set_text(schema, "format", type->format);
	if (type->example)
		json_add_text(json_set_array(schema, "examples"), type->example);
	if (rule && rule->words)
		schema_words(schema, rule->words, nullable);
	else if (rule && type->unit)
		schema_limits(schema, type->kind, rule);
	return schema;
}

static void add_scalars(cJSON *any)
{
	static const char *const scalars[] = {"null", "boolean", "number", "string"};
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++)
		json_set_text(json_add(any, json_new_object()), "type", scalars[i]);
	json_set_text(json_add(any, json_new_object()), "$ref", "#/components/schemas/json_object");
}

void type_add_json(cJSON *schemas)
{
	cJSON *object = json_set_object(schemas, "json_object");
	json_set_text(object, "description", "Values by name.");
	schema_type(object, KIND_OBJECT, false);
	cJSON *value = json_set_object(schemas, "json_value");
	json_set_text(value, "description",
		"A value of which no more is said; a list has no lists in it.");
	cJSON *any = json_set_array(value, "anyOf");
	add_scalars(any);
	cJSON *list = json_add(any, json_new_object());
	json_set_text(list, "type", "array");
	add_scalars(json_set_array(json_set_object(list, "items"), "anyOf"));
}

void type_describe(const char *name, struct str *sentence)
{
	if (type_is_list(name))
		return;
	const struct rule *rule = rule_find(name);
	const struct type *type = type_find(name, rule);
	if (type->format && !type_is_secret(name))
		add_must(type, rule, sentence);
}
