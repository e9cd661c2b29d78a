// SPDX-License-Identifier: Apache-2.0
// Gathers a request's values and what is wrong with them.
#include "api/input.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/mem.h"

enum { COMPLAINTS_MAX = 50 };

void input_init(struct input *input, const struct route *route)
{
	*input = (struct input){.route = route};
}

void input_done(struct input *input)
{
	for (size_t i = 0; i < ROUTE_FIELDS_MAX; i++)
		wipe_freep(&input->values[i].text);
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

static int field_index(const struct input *input, enum field_in in, const char *name)
{
	const struct field *fields = input->route->fields;
	for (int i = 0; fields[i].name; i++)
		if (fields[i].in == in && strcmp(fields[i].name, name) == 0)
			return i;
	return -1;
}

// The slot of a name that came in, or NULL after a complaint: unknown, or given twice.
static struct value *value_take(
	struct input *input, enum field_in in, const char *name, const struct field **ret_field)
{
	char shown[65] = "";
	strncat(shown, name, sizeof(shown) - 1);
	int i = field_index(input, in, name);
	if (i < 0) {
		input_complain(input, shown, "is not known here");
		return NULL;
	}
	if (input->values[i].present) {
		input_complain(input, shown, "is given twice");
		return NULL;
	}
	input->values[i].present = true;
	*ret_field = &input->route->fields[i];
	return &input->values[i];
}

void input_text(
	struct input *input, enum field_in in, const char *name, const char *text, size_t len)
{
	const struct field *field;
	struct value *value = value_take(input, in, name, &field);
	if (!value)
		return;
	_cleanup_(str_done) struct str why = STR_INIT(512);
	if (field_check(field, text, len, &value->text, &why))
		return;
	if (in == FIELD_IN_PATH)
		input->bad_path = true;
	else
		input_complain(input, field->name, str_text(&why));
}

void input_path(struct input *input, const struct route_part parts[static ROUTE_PARTS_MAX])
{
	size_t part = 0;
	for (const struct field *field = input->route->fields; field->name; field++)
		if (field->in == FIELD_IN_PATH) {
			assert(part < ROUTE_PARTS_MAX);
			input_text(input, FIELD_IN_PATH, field->name, parts[part].text,
				parts[part].len);
			part++;
		}
}

void input_json(struct input *input, const cJSON *object)
{
	const cJSON *member;
	cJSON_ArrayForEach (member, object) {
		const struct field *field;
		struct value *value = value_take(input, FIELD_IN_BODY, member->string, &field);
		if (!value)
			continue;
		_cleanup_(str_done) struct str why = STR_INIT(512);
		if (!field_check_json(field, member, &value->text, &why))
			input_complain(input, field->name, str_text(&why));
	}
}

void input_finish(struct input *input)
{
	const struct field *fields = input->route->fields;
	for (size_t i = 0; fields[i].name; i++)
		if (fields[i].required && !input->values[i].present)
			input_complain(input, fields[i].name, "is required");
}

const char *input_get(const struct input *input, const char *name)
{
	const struct field *fields = input->route->fields;
	for (size_t i = 0; fields[i].name; i++)
		if (strcmp(fields[i].name, name) == 0)
			return input->values[i].text;
	assert(!"a name of the route's fields");
	return NULL;
}
