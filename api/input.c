// SPDX-License-Identifier: Apache-2.0
// Gathers a request's values and what is wrong with them.
#include "api/input.h"

#include <assert.h>
#include <string.h>

#include "api/type.h"
#include "lib/json.h"
#include "lib/mem.h"

// A complaint has room for the longest list of words, that of the types of events.
enum { COMPLAINTS_MAX = 50, COMPLAINT_MAX_BYTES = 8192, NULLS_MAX_BYTES = 1024 };

void input_init(struct input *input, const struct route *route)
{
	*input = (struct input){.route = route, .nulls = STR_INIT(NULLS_MAX_BYTES)};
}

void input_done(struct input *input)
{
	for (size_t i = 0; i < ROUTE_FIELDS_MAX; i++) {
		wipe_freep(&input->values[i].text);
		freep(&input->values[i].sealed);
	}
	str_done(&input->nulls);
	cJSON_Delete(input->errors);
	input->errors = NULL;
}

void input_complain(struct input *input, const char *field, const char *message)
{
	if (!input->errors)
		input->errors = json_new_array();
	if (cJSON_GetArraySize(input->errors) >= COMPLAINTS_MAX)
		return;
	cJSON *error = json_add(input->errors, json_new_object());
	json_set_text(error, "field", field);
	json_set_text(error, "message", message);
}

static const struct field *field_find(const struct route *route, enum field_in in, const char *name)
{
	FIELDS_EACH (field, route)
		if (field->in == in && strcmp(field->name, name) == 0)
			return field;
	return NULL;
}

static struct value *value_of(struct input *input, const struct field *field)
{
	return &input->values[field - input->route->fields];
}

// The field of a name that came in, or NULL after a complaint: unknown, or given twice.
static const struct field *field_take(struct input *input, enum field_in in, const char *name)
{
	char shown[65] = "";
	strncat(shown, name, sizeof(shown) - 1);
	const struct field *field = field_find(input->route, in, name);
	if (!field) {
		input_complain(input, shown, "is not known here");
		return NULL;
	}
	if (value_of(input, field)->present) {
		input_complain(input, shown, "is given twice");
		return NULL;
	}
	value_of(input, field)->present = true;
	return field;
}

void input_text(
	struct input *input, enum field_in in, const char *name, const char *text, size_t len)
{
	const struct field *field = field_take(input, in, name);
	if (!field)
		return;
	_cleanup_(str_done) struct str why = STR_INIT(COMPLAINT_MAX_BYTES);
	if (type_check(field->type, text, len, &value_of(input, field)->text, &why))
		return;
	if (in == FIELD_IN_PATH)
		input->bad_path = true;
	else
		input_complain(input, field->name, str_text(&why));
}

void input_path(struct input *input, const struct route_part parts[static ROUTE_PARTS_MAX])
{
	size_t part = 0;
	FIELDS_EACH (field, input->route)
		if (field->in == FIELD_IN_PATH) {
			assert(part < ROUTE_PARTS_MAX);
			input_text(input, FIELD_IN_PATH, field->name, parts[part].text,
				parts[part].len);
			part++;
		}
}

static void input_member(struct input *input, const struct field *field, const cJSON *member)
{
	if (cJSON_IsNull(member)) {
		if (!(field->flags & FIELD_NULLABLE))
			input_complain(input, field->name, "must not be null");
		else
			str_addf(&input->nulls, "%s%s", input->nulls.len > 0 ? "," : "{",
				field->name);
		return;
	}
	_cleanup_(str_done) struct str why = STR_INIT(COMPLAINT_MAX_BYTES);
	if (!type_check_json(field->type, member, &value_of(input, field)->text, &why))
		input_complain(input, field->name, str_text(&why));
}

void input_json(struct input *input, const cJSON *object)
{
	const cJSON *member;
	cJSON_ArrayForEach (member, object) {
		const struct field *field = field_take(input, FIELD_IN_BODY, member->string);
		if (field)
			input_member(input, field, member);
	}
}

void input_finish(struct input *input)
{
	if (input->nulls.len > 0)
		str_add(&input->nulls, "}");
	FIELDS_EACH (field, input->route)
		if ((field->flags & FIELD_REQUIRED) && !value_of(input, field)->present)
			input_complain(input, field->name, "is required");
}

static const struct value *value_named(const struct input *input, const char *name)
{
	FIELDS_EACH (field, input->route)
		if (strcmp(field->name, name) == 0)
			return &input->values[field - input->route->fields];
	return NULL;
}

const char *input_find(const struct input *input, const char *name)
{
	const struct value *value = value_named(input, name);
	return value ? value->text : NULL;
}

const char *input_get(const struct input *input, const char *name)
{
	const struct value *value = value_named(input, name);
	assert(value);
	return value->text;
}
