// SPDX-License-Identifier: Apache-2.0
// Routes are found, forms are decoded, values are checked.
// uses: api/check.c api/field.c api/form.c api/input.c api/route.c
#include "tests/unit/unit.h"

#include <string.h>

#include "api/form.h"
#include "api/input.h"
#include "api/route.h"
#include "lib/err.h"
#include "lib/json.h"

#define KEY32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

const struct route routes[] = {
	{.method = "GET", .path = "/things", .who = ROUTE_PUBLIC},
	{.method = "POST",
		.path = "/things/{id}/parts/{part}",
		.who = ROUTE_PUBLIC,
		.fields =
			{{.name = "id", .type = FIELD_UUID, .in = FIELD_IN_PATH, .required = true},
				{.name = "part",
					.type = FIELD_INTEGER,
					.in = FIELD_IN_PATH,
					.required = true,
					.max = 9},
				{.name = "name",
					.type = FIELD_TEXT,
					.in = FIELD_IN_BODY,
					.required = true,
					.min = 2,
					.max = 4,
					.pattern = "^[a-z]+$"},
				{.name = "count",
					.type = FIELD_INTEGER,
					.in = FIELD_IN_BODY,
					.nullable = true,
					.max = 10}}},
	{.method = "DELETE", .path = "/things/{id}", .who = ROUTE_PUBLIC},
	{.method = "GET", .path = "/things/{id}", .who = ROUTE_PUBLIC},
	{0},
};

static void a_path_finds_its_row_and_its_parts(void **state)
{
	const struct route *route = NULL;
	struct route_part parts[ROUTE_PARTS_MAX];
	_cleanup_(str_done) struct str allow = STR_INIT(100);

	(void)state;
	assert_int_equal(route_find("POST", "/things/a-1/parts/7", &route, parts, &allow), 0);
	assert_ptr_equal(route, &routes[1]);
	assert_int_equal(parts[0].len, 3);
	assert_memory_equal(parts[0].text, "a-1", 3);
	assert_memory_equal(parts[1].text, "7", 1);
	assert_int_equal(route_find("HEAD", "/things", &route, parts, &allow), 0);
	assert_ptr_equal(route, &routes[0]);
}

static void no_path_is_found_that_is_not_whole(void **state)
{
	static const char *const paths[] = {"", "/", "/thing", "/things/", "/thingsx", "//things",
		"/things/a/", "/things//parts/1", "/things/a/parts/1/x", "things", "/THINGS"};
	const struct route *route = NULL;
	struct route_part parts[ROUTE_PARTS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_(str_done) struct str allow = STR_INIT(100);
		assert_int_equal(
			route_find("GET", paths[i], &route, parts, &allow), ROUTE_NOT_FOUND);
	}
}

static void another_method_is_told_which_there_are(void **state)
{
	const struct route *route = NULL;
	struct route_part parts[ROUTE_PARTS_MAX];
	_cleanup_(str_done) struct str allow = STR_INIT(100);

	(void)state;
	assert_int_equal(route_find("PUT", "/things/a", &route, parts, &allow), ROUTE_NO_METHOD);
	assert_string_equal(str_text(&allow), "DELETE, GET, HEAD");
}

static void a_form_is_decoded_once(void **state)
{
	static const char text[] = "a=1&b=two+words%21&&c&d=%2526&e==&=f";
	static const char *const want[][2] = {
		{"a", "1"}, {"b", "two words!"}, {"c", ""}, {"d", "%26"}, {"e", "="}, {"", "f"}};
	struct form form;
	struct err e;

	(void)state;
	assert_int_equal(form_parse(text, strlen(text), &form, &e), 0);
	assert_int_equal(form.count, ARRAY_SIZE(want));
	for (size_t i = 0; i < form.count; i++) {
		assert_string_equal(form.pairs[i].name, want[i][0]);
		assert_string_equal(form.pairs[i].value, want[i][1]);
		assert_int_equal(form.pairs[i].value_len, strlen(want[i][1]));
	}
	form_done(&form);
}

static void a_broken_form_is_refused(void **state)
{
	static const char *const texts[] = {
		"a=%", "a=%2", "a=%zz", "a=%00", "%00=a", "a=%2&b=1", "a=1&%"};
	struct form form;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(form_parse(texts[i], strlen(texts[i]), &form, &e), -1);
		form_done(&form);
	}
	_cleanup_(str_done) struct str many = STR_INIT(1000);
	for (int i = 0; i <= FORM_PAIRS_MAX; i++)
		str_add(&many, "a=&");
	assert_int_equal(form_parse(str_text(&many), many.len, &form, &e), -1);
	form_done(&form);
}

// Checks `text` as `type` and returns the argument, or NULL.
static char *checked(enum field_type type, const char *text, int64_t min, int64_t max)
{
	const struct field field = {.name = "x", .type = type, .min = min, .max = max};
	_cleanup_(str_done) struct str why = STR_INIT(512);
	char *value = NULL;

	if (field_check(&field, text, strlen(text), &value, &why))
		return value;
	assert_true(why.len > 0);
	return NULL;
}

static void values_of_each_type_are_taken_and_others_refused(void **state)
{
	static const struct {
		enum field_type type;
		const char *text;
		const char *want; // NULL: refused
	} cases[] = {
		{FIELD_UUID, "6b8f1c9e-1111-4222-8333-444455556666",
			"6b8f1c9e-1111-4222-8333-444455556666"},
		{FIELD_UUID, "6B8F1C9E-1111-4222-8333-444455556666",
			"6b8f1c9e-1111-4222-8333-444455556666"},
		{FIELD_UUID, "6b8f1c9e-1111-4222-8333-44445555666", NULL},
		{FIELD_UUID, "6b8f1c9e-1111-4222-8333-4444555566667", NULL},
		{FIELD_UUID, "6b8f1c9e_1111-4222-8333-444455556666", NULL},
		{FIELD_INTEGER, "42", "42"},
		{FIELD_INTEGER, "43", NULL},
		{FIELD_INTEGER, "4x", NULL},
		{FIELD_INTEGER, "", NULL},
		{FIELD_INTEGER, "99999999999999999999", NULL},
		{FIELD_NUMBER, "1.5", "1.5"},
		{FIELD_NUMBER, "1e1", NULL},
		{FIELD_NUMBER, "nan", NULL},
		{FIELD_BOOLEAN, "true", "true"},
		{FIELD_BOOLEAN, "yes", NULL},
		{FIELD_TIME, "2028-02-29T12:00:00Z", "2028-02-29T12:00:00Z"},
		{FIELD_TIME, "2027-02-29T12:00:00Z", NULL},
		{FIELD_TIME, "2027-12-31T23:59:59.123+05:30", "2027-12-31T23:59:59.123+05:30"},
		{FIELD_TIME, "2027-12-31T23:59:59", NULL},
		{FIELD_TIME, "2027-12-31 23:59:59Z", NULL},
		{FIELD_TIME, "now", NULL},
		{FIELD_TIME, "infinity", NULL},
		{FIELD_ADDRESS, "198.51.100.1", "198.51.100.1"},
		{FIELD_ADDRESS, "2001:db8::1", "2001:db8::1"},
		{FIELD_ADDRESS, "198.51.100.1/32", NULL},
		{FIELD_ADDRESS, "0127.1", NULL},
		{FIELD_INTERFACE, "10.1.2.3/24", "10.1.2.3/24"},
		{FIELD_INTERFACE, "10.1.2.3", "10.1.2.3"},
		{FIELD_INTERFACE, "10.1.2.3/33", NULL},
		{FIELD_NETWORKS, "0.0.0.0/0, ::/0", "{0.0.0.0/0,::/0}"},
		{FIELD_NETWORKS, "10.0.0.1/8", NULL},
		{FIELD_NETWORKS, ",", NULL},
		{FIELD_NETWORKS, "10.0.0.0/8 192.168.0.0/16", NULL},
		{FIELD_NETWORKS, "10.0.0.0/8,", NULL},
		{FIELD_NETWORKS, ",10.0.0.0/8", NULL},
		{FIELD_NETWORKS, "10.0.0.0/8,,192.168.0.0/16", NULL},
		{FIELD_NETWORKS, " 10.0.0.0/8 ,192.168.0.0/16 ", "{10.0.0.0/8,192.168.0.0/16}"},
		{FIELD_NETWORKS, "10.0.0.0", NULL},
		{FIELD_ENDPOINT, "198.51.100.1:51820", "198.51.100.1:51820"},
		{FIELD_ENDPOINT, "[2001:db8::1]:1", "[2001:db8::1]:1"},
		{FIELD_ENDPOINT, "2001:db8::1:1", NULL},
		{FIELD_ENDPOINT, "1.2.3:1", NULL},
		{FIELD_ENDPOINT, "198.51.100.1:65536", NULL},
		{FIELD_ENDPOINT, "198.51.100.1:", NULL},
		{FIELD_ENDPOINT, ":1", NULL},
		{FIELD_ENDPOINT, "vpn.example.com:51820", NULL},
		{FIELD_KEY, KEY32, KEY32},
		{FIELD_KEY, "AAAA", NULL},
		{FIELD_KEY, "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", NULL},
		{FIELD_SSH_KEY, "ssh-ed25519 " ED25519 " me@home\n", "ssh-ed25519 " ED25519},
		{FIELD_SSH_KEY, "ssh-rsa " ED25519, NULL},
		{FIELD_SSH_KEY, "ssh-ed25519 " ED25519 "\nssh-ed25519 " ED25519, NULL},
		{FIELD_SSH_KEY, "ssh-ed25519", NULL},
		{FIELD_TEXT, "a\nb", NULL},
		{FIELD_TEXT, "\xc3\x28", NULL},
		{FIELD_TEXT, "\xed\xa0\x80", NULL},
		{FIELD_TEXT, "\xc0\xaf", NULL},
		{FIELD_TEXT, "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *value = checked(cases[i].type, cases[i].text, 0, 42);
		if (!cases[i].want && value)
			fail_msg("\"%s\" was taken", cases[i].text);
		if (cases[i].want && (!value || strcmp(value, cases[i].want) != 0))
			fail_msg("\"%s\" became \"%s\"", cases[i].text, value ? value : "refused");
	}
}

static void lengths_are_counted_in_characters_and_of_passwords_in_bytes(void **state)
{
	(void)state;
	_cleanup_(freep) char *four = checked(FIELD_TEXT, "gr\xc3\xbc\xc3\x9f", 4, 4);
	_cleanup_(freep) char *bytes = checked(FIELD_PASSWORD, "gr\xc3\xbc\xc3\x9f", 6, 6);
	assert_non_null(four);
	assert_non_null(bytes);
	assert_null(checked(FIELD_PASSWORD, "gr\xc3\xbc\xc3\x9f", 4, 4));
}

// The complaints of a body, as "field message|...".
static char *complaints(const char *body)
{
	struct input input;
	struct err e;
	_cleanup_(json_freep) cJSON *json = NULL;
	_cleanup_(str_done) struct str text = STR_INIT(4096);
	const struct route_part parts[] = {{"6b8f1c9e-1111-4222-8333-444455556666", 36}, {"7", 1}};
	const cJSON *error;

	routes_prepare();
	assert_int_equal(json_parse(body, strlen(body), &json_from_client, &json, &e), 0);
	input_init(&input, &routes[1]);
	input_path(&input, parts);
	input_json(&input, json);
	input_finish(&input);
	cJSON_ArrayForEach (error, input.errors)
		str_addf(&text, "%s %s|", cJSON_GetStringValue(cJSON_GetObjectItem(error, "field")),
			cJSON_GetStringValue(cJSON_GetObjectItem(error, "message")));
	input_done(&input);
	return xstrdup(str_text(&text));
}

static void every_complaint_about_a_body_is_told_at_once(void **state)
{
	(void)state;
	_cleanup_(freep) char *none = complaints("{\"name\":\"abc\",\"count\":null}");
	assert_string_equal(none, "");
	_cleanup_(freep) char *all = complaints("{\"count\":11,\"other\":1,\"name\":\"ABC\"}");
	assert_string_equal(all,
		"count must be a whole number from 0 to 10|other is not known here|name must be a text of 2 to 4 characters that matches ^[a-z]+$|");
	_cleanup_(freep) char *kinds = complaints("{\"count\":\"1\",\"name\":null}");
	assert_string_equal(kinds, "count must be a JSON integer|name must not be null|");
	_cleanup_(freep) char *missing = complaints("{}");
	assert_string_equal(missing, "name is required|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_finds_its_row_and_its_parts),
		cmocka_unit_test(no_path_is_found_that_is_not_whole),
		cmocka_unit_test(another_method_is_told_which_there_are),
		cmocka_unit_test(a_form_is_decoded_once),
		cmocka_unit_test(a_broken_form_is_refused),
		cmocka_unit_test(values_of_each_type_are_taken_and_others_refused),
		cmocka_unit_test(lengths_are_counted_in_characters_and_of_passwords_in_bytes),
		cmocka_unit_test(every_complaint_about_a_body_is_told_at_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
