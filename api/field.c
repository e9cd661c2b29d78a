// SPDX-License-Identifier: Apache-2.0
// The table of input types.
#include "api/field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/check.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { LIST_MAX_BYTES = 4096, DESCRIPTION_MAX_BYTES = 1024 };

enum kind { KIND_TEXT, KIND_NUMBER, KIND_BOOLEAN };

static const struct {
	const char *sql;
	enum kind kind;
	const char *json_type;
	const char *format;
	bool (*check)(const struct field *field, char **text);
	const char *must; // what a value must be; a refusal says it, and the document
	const char *unit; // of what min and max count; NULL: there are none
} types[FIELD_TYPES] = {
	[FIELD_TEXT] = {"text", KIND_TEXT, "string", NULL, check_text, "must be a text",
		"characters"},
	[FIELD_CHOICE] = {"text", KIND_TEXT, "string", NULL, check_choice, "must be one of", NULL},
	[FIELD_UUID] = {"uuid", KIND_TEXT, "string", "uuid", check_uuid, "must be a UUID", NULL},
	[FIELD_INTEGER] = {"integer", KIND_NUMBER, "integer", NULL, check_integer,
		"must be a whole number", ""},
	[FIELD_NUMBER] = {"numeric", KIND_NUMBER, "number", NULL, check_number, "must be a number",
		""},
	[FIELD_BOOLEAN] = {"boolean", KIND_BOOLEAN, "boolean", NULL, check_boolean,
		"must be true or false", NULL},
	[FIELD_TIME] = {"timestamp with time zone", KIND_TEXT, "string", "date-time", check_time,
		"must be a time as in RFC 3339, like 2030-01-31T12:00:00Z", NULL},
	[FIELD_ADDRESS] = {"inet", KIND_TEXT, "string", "ip", check_address,
		"must be an IPv4 or IPv6 address", NULL},
	[FIELD_INTERFACE] = {"inet", KIND_TEXT, "string", "ip-interface", check_interface,
		"must be an address with an optional prefix, like 10.66.0.2/32", NULL},
	[FIELD_NETWORKS] = {"cidr[]", KIND_TEXT, "array", "ip-networks", check_networks,
		"must be 1 to 64 networks without host bits, like 0.0.0.0/0", NULL},
	[FIELD_ENDPOINT] = {"text", KIND_TEXT, "string", "endpoint", check_endpoint,
		"must be an address and a port, such as 198.51.100.1:51820 or [2001:db8::1]:51820; "
		"names are not resolved, write the address that the name has",
		NULL},
	[FIELD_KEY] = {"text", KIND_TEXT, "string", "base64-key", check_key,
		"must be a key of 32 bytes in base64 (44 characters)", NULL},
	[FIELD_PASSWORD] = {"text", KIND_TEXT, "string", "password", check_password,
		"must be a text without NUL", "bytes"},
	[FIELD_SSH_KEY] = {"text", KIND_TEXT, "string", "ssh-public-key", check_ssh_key,
		"must be one line of an OpenSSH public key: ssh-ed25519, ecdsa-sha2-nistp256, -384, "
		"-521, or ssh-rsa with 2048 bits or more",
		NULL},
};

void field_prepare(const struct field *field)
{
	if (field->pattern && field->type != FIELD_CHOICE)
		check_prepare(field->pattern);
}

static void add_rule(const struct field *field, struct str *sentence)
{
	const char *unit = types[field->type].unit;
	str_add(sentence, types[field->type].must);
	if (unit)
		str_addf(sentence, " %s %.10g to %.10g%s%s", *unit != '\0' ? "of" : "from",
			field->min, field->max, *unit != '\0' ? " " : "", unit);
	if (field->pattern)
		str_addf(sentence, "%s %s", field->type == FIELD_CHOICE ? "" : " that matches",
			field->pattern);
}

bool field_check(
	const struct field *field, const char *text, size_t len, char **ret_text, struct str *why)
{
	if (field->type == FIELD_SSH_KEY)
		while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
			len--;
	if (text_characters(text, len, field->type == FIELD_PASSWORD) < 0) {
		str_add(why, "must be UTF-8 text without control characters");
		return false;
	}
	char *value = xstrndup(text, len);
	if (!types[field->type].check(field, &value)) {
		wipe_freep(&value);
		add_rule(field, why);
		return false;
	}
	*ret_text = value;
	return true;
}

// A list of texts counts as one text with commas.
static bool check_list(
	const struct field *field, const cJSON *list, char **ret_text, struct str *why)
{
	_cleanup_(str_done) struct str text = STR_INIT(LIST_MAX_BYTES);
	const cJSON *item;
	bool texts = true;
	cJSON_ArrayForEach (item, list) {
		const char *part = cJSON_GetStringValue(item);
		texts = texts && part && *part != '\0' && !strchr(part, ',');
		str_addf(&text, "%s%s", text.len > 0 ? "," : "", part ? part : "");
	}
	if (texts && !text.overflow)
		return field_check(field, str_text(&text), text.len, ret_text, why);
	add_rule(field, why);
	return false;
}

static bool check_number_json(
	const struct field *field, double value, char **ret_text, struct str *why)
{
	char number[32];
	bool whole = value == floor(value) && fabs(value) < 1e15;
	int len = snprintf(number, sizeof(number), whole ? "%.0f" : "%.6f", value);
	if (len > 0 && (size_t)len < sizeof(number))
		return field_check(field, number, (size_t)len, ret_text, why);
	add_rule(field, why);
	return false;
}

bool field_check_json(
	const struct field *field, const cJSON *value, char **ret_text, struct str *why)
{
	enum kind kind = types[field->type].kind;
	if (cJSON_IsNull(value) && field->nullable) {
		*ret_text = NULL;
		return true;
	}
	if (cJSON_IsString(value) && kind == KIND_TEXT)
		return field_check(
			field, value->valuestring, strlen(value->valuestring), ret_text, why);
	if (cJSON_IsArray(value) && field->type == FIELD_NETWORKS)
		return check_list(field, value, ret_text, why);
	if (cJSON_IsNumber(value) && kind == KIND_NUMBER)
		return check_number_json(field, value->valuedouble, ret_text, why);
	if (cJSON_IsBool(value) && kind == KIND_BOOLEAN) {
		*ret_text = xstrdup(cJSON_IsTrue(value) ? "true" : "false");
		return true;
	}
	if (cJSON_IsNull(value))
		str_add(why, "must not be null");
	else
		str_addf(why, "must be a JSON %s", types[field->type].json_type);
	return false;
}

const char *field_sql_type(const struct field *field)
{
	return field->as == FIELD_AS_IT_IS ? types[field->type].sql : "text";
}

static void schema_choice(cJSON *schema, const char *words)
{
	cJSON *list = json_set_array(schema, "enum");
	for (const char *word = words; *word != '\0';) {
		size_t len = strcspn(word, "|");
		_cleanup_(freep) char *copy = xstrndup(word, len);
		json_add_text(list, copy);
		word += len + (word[len] == '|');
	}
}

// What the field is for, and what its value must be as far as JSON Schema cannot say it.
static void schema_describe(cJSON *schema, const struct field *field)
{
	_cleanup_(str_done) struct str text = STR_INIT(DESCRIPTION_MAX_BYTES);
	str_add(&text, field->help ? field->help : "");
	if (types[field->type].format && !types[field->type].unit)
		str_addf(&text, "%sIt %s.", text.len > 0 ? " " : "", types[field->type].must);
	if (text.len > 0)
		json_set_text(schema, "description", str_text(&text));
}

cJSON *field_schema(const struct field *field)
{
	cJSON *schema = json_new_object();
	const char *type = types[field->type].json_type;
	if (field->nullable) {
		cJSON *either = json_set_array(schema, "type");
		json_add_text(either, type);
		json_add_text(either, "null");
	} else {
		json_set_text(schema, "type", type);
	}
	if (types[field->type].format)
		json_set_text(schema, "format", types[field->type].format);
	if (field->type == FIELD_NETWORKS)
		json_set_text(json_set_object(schema, "items"), "type", "string");
	if (field->type == FIELD_CHOICE)
		schema_choice(schema, field->pattern);
	else if (field->pattern)
		json_set_text(schema, "pattern", field->pattern);
	if (types[field->type].unit) {
		bool number = types[field->type].kind == KIND_NUMBER;
		json_set_number(schema, number ? "minimum" : "minLength", field->min);
		json_set_number(schema, number ? "maximum" : "maxLength", field->max);
	}
	schema_describe(schema, field);
	return schema;
}
