// SPDX-License-Identifier: Apache-2.0
// Routes are found, forms are decoded, values are checked.
// uses: api/check.c api/form.c api/input.c api/route.c api/rule.c api/type.c
#include "tests/unit/unit.h"

#include <string.h>

#include "api/form.h"
#include "api/input.h"
#include "api/route.h"
#include "api/rule.h"
#include "api/type.h"
#include "lib/err.h"
#include "lib/json.h"

#define KEY32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

#define NAMES "^[a-z]+$"

// What the database would say of its domains.
static const struct rule rules[] = {
	{.type = "t.name", .base = "text", .bounded = true, .min = 2, .max = 4, .pattern = NAMES},
	{.type = "t.text", .base = "text", .bounded = true, .min = 0, .max = 42},
	{.type = "t.four", .base = "text", .bounded = true, .min = 4, .max = 4},
	{.type = "t.part", .base = "integer", .bounded = true, .min = 0, .max = 9},
	{.type = "t.count", .base = "integer", .bounded = true, .min = 0, .max = 10},
	{.type = "t.integer", .base = "integer", .bounded = true, .min = 0, .max = 42},
	{.type = "t.number", .base = "numeric", .bounded = true, .min = 0, .max = 42},
	{.type = "t.networks", .base = "cidr[]", .bounded = true, .min = 1, .max = 2},
	{.type = "t.word", .base = "text", .words = "on|off"},
	{.type = "t.endless", .base = "text"},
	{.type = "ccp.endpoint", .base = "text", .must = "must be written as 192.0.2.1:1"},
	{.type = "ccp.address", .base = "inet"},
};

static int rules_setup(void **state)
{
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		assert_int_equal(rules_add(&rules[i], &e), 0);
	return 0;
}

static const struct route things[] = {
	{.method = "GET", .path = "/things", .who = ROUTE_PUBLIC},
	{.method = "POST",
		.path = "/things/{id}/parts/{part}",
		.who = ROUTE_PUBLIC,
		.fields =
			(const struct field[]){
				{"id", "uuid", FIELD_IN_PATH, FIELD_REQUIRED, NULL},
				{"part", "t.part", FIELD_IN_PATH, FIELD_REQUIRED, NULL},
				{"name", "t.name", FIELD_IN_BODY, FIELD_REQUIRED, NULL},
				{"count", "t.count", FIELD_IN_BODY, FIELD_NULLABLE, NULL},
				{"words", "t.word[]", FIELD_IN_BODY, FIELD_NULLABLE, NULL},
				{0},
			}},
	{.method = "DELETE", .path = "/things/{id}", .who = ROUTE_PUBLIC},
	{.method = "GET", .path = "/things/{id}", .who = ROUTE_PUBLIC},
	{0},
};
static const struct route others[] = {
	{.method = "GET", .path = "/others", .who = ROUTE_PUBLIC},
	{.method = "GET", .path = "/numbers", .who = ROUTE_MONITOR},
	{0},
};
const struct route_table route_tables[] = {{"things", "", things}, {"others", "", others}, {0}};

static int find(const char *method, const char *path, const struct route **ret,
	struct route_part parts[static ROUTE_PARTS_MAX], struct str *allow)
{
	return route_find(&(struct route_query){.method = method, .path = path}, ret, parts, allow);
}

static void a_path_finds_its_row_and_its_parts(void **state)
{
	const struct route *route = NULL;
	struct route_part parts[ROUTE_PARTS_MAX];
	_cleanup_(str_done) struct str allow = STR_INIT(100);

	(void)state;
	assert_int_equal(find("POST", "/things/a-1/parts/7", &route, parts, &allow), 0);
	assert_ptr_equal(route, &things[1]);
	assert_int_equal(parts[0].len, 3);
	assert_memory_equal(parts[0].text, "a-1", 3);
	assert_memory_equal(parts[1].text, "7", 1);
	assert_int_equal(find("HEAD", "/things", &route, parts, &allow), 0);
	assert_ptr_equal(route, &things[0]);
	assert_int_equal(find("GET", "/others", &route, parts, &allow), 0);
	assert_ptr_equal(route, &others[0]);
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
		assert_int_equal(find("GET", paths[i], &route, parts, &allow), ROUTE_NOT_FOUND);
	}
}

static void the_listener_for_monitoring_has_routes_of_its_own(void **state)
{
	static const struct {
		const char *path;
		bool is_monitor;
		int outcome;
	} cases[] = {
		{"/numbers", true, 0},
		{"/numbers", false, ROUTE_NOT_FOUND},
		{"/others", true, ROUTE_NOT_FOUND},
	};
	const struct route *route = NULL;
	struct route_part parts[ROUTE_PARTS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(str_done) struct str allow = STR_INIT(100);
		const struct route_query query = {"GET", cases[i].path, cases[i].is_monitor};
		assert_int_equal(route_find(&query, &route, parts, &allow), cases[i].outcome);
	}
}

static void another_method_is_told_which_there_are(void **state)
{
	const struct route *route = NULL;
	struct route_part parts[ROUTE_PARTS_MAX];
	_cleanup_(str_done) struct str allow = STR_INIT(100);

	(void)state;
	assert_int_equal(find("PUT", "/things/a", &route, parts, &allow), ROUTE_NO_METHOD);
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
static char *checked(const char *type, const char *text)
{
	_cleanup_(str_done) struct str why = STR_INIT(512);
	char *value = NULL;

	assert_true(type_is_checked(type));
	if (type_check(type, text, strlen(text), &value, &why))
		return value;
	assert_true(why.len > 0);
	return NULL;
}

static void values_of_each_type_are_taken_and_others_refused(void **state)
{
	static const struct {
		const char *type;
		const char *text;
		const char *want; // NULL: refused
	} cases[] = {
		{"uuid", "6b8f1c9e-1111-4222-8333-444455556666",
			"6b8f1c9e-1111-4222-8333-444455556666"},
		{"uuid", "6B8F1C9E-1111-4222-8333-444455556666",
			"6b8f1c9e-1111-4222-8333-444455556666"},
		{"uuid", "6b8f1c9e-1111-4222-8333-44445555666", NULL},
		{"uuid", "6b8f1c9e-1111-4222-8333-4444555566667", NULL},
		{"uuid", "6b8f1c9e_1111-4222-8333-444455556666", NULL},
		{"t.integer", "42", "42"},
		{"t.integer", "43", NULL},
		{"t.integer", "4x", NULL},
		{"t.integer", "", NULL},
		{"t.integer", "99999999999999999999", NULL},
		{"t.number", "1.5", "1.5"},
		{"t.number", "1e1", NULL},
		{"t.number", "nan", NULL},
		{"boolean", "true", "true"},
		{"boolean", "yes", NULL},
		{"timestamp with time zone", "2028-02-29T12:00:00Z", "2028-02-29T12:00:00Z"},
		{"timestamp with time zone", "2027-02-29T12:00:00Z", NULL},
		{"timestamp with time zone", "2027-12-31T23:59:59.123+05:30",
			"2027-12-31T23:59:59.123+05:30"},
		{"timestamp with time zone", "2027-12-31T23:59:59", NULL},
		{"timestamp with time zone", "2027-12-31 23:59:59Z", NULL},
		{"timestamp with time zone", "now", NULL},
		{"timestamp with time zone", "infinity", NULL},
		{"ccp.address", "198.51.100.1", "198.51.100.1"},
		{"ccp.address", "2001:db8::1", "2001:db8::1"},
		{"ccp.address", "198.51.100.1/32", NULL},
		{"ccp.address", "0127.1", NULL},
		{"ccp.interface", "10.1.2.3/24", "10.1.2.3/24"},
		{"ccp.interface", "10.1.2.3", "10.1.2.3"},
		{"ccp.interface", "10.1.2.3/33", NULL},
		{"t.networks", "0.0.0.0/0, ::/0", "{0.0.0.0/0,::/0}"},
		{"t.networks", "10.0.0.1/8", NULL},
		{"t.word[]", "on", "{\"on\"}"},
		{"t.word[]", "off,on", "{\"off\",\"on\"}"},
		{"t.word[]", "off,up", NULL},
		{"t.word[]", "", NULL},
		{"t.word[]", ",on", NULL},
		{"t.word[]", "on,", NULL},
		{"t.word[]", "on on", NULL},
		{"t.text[]", "a\"b\\,}{", "{\"a\\\"b\\\\\",\"}{\"}"},
		{"t.word[]", "on,on,on,on,on,on,on,on,on,on,on,on,on,on,on,on,on,on,on,on,on",
			NULL},
		{"t.networks", ",", NULL},
		{"t.networks", "10.0.0.0/8 192.168.0.0/16", NULL},
		{"t.networks", "10.0.0.0/8,", NULL},
		{"t.networks", ",10.0.0.0/8", NULL},
		{"t.networks", "10.0.0.0/8,,192.168.0.0/16", NULL},
		{"t.networks", "10.0.0.0/8,11.0.0.0/8,12.0.0.0/8", NULL},
		{"t.word", "on", "on"},
		{"t.word", "o", NULL},
		{"t.word", "on|off", NULL},
		{"t.word", "", NULL},
		{"t.networks", " 10.0.0.0/8 ,192.168.0.0/16 ", "{10.0.0.0/8,192.168.0.0/16}"},
		{"t.networks", "10.0.0.0", NULL},
		{"ccp.endpoint", "198.51.100.1:51820", "198.51.100.1:51820"},
		{"ccp.endpoint", "[2001:db8::1]:1", "[2001:db8::1]:1"},
		{"ccp.endpoint", "[64:ff9b::192.0.2.1]:51820", "[64:ff9b::c000:201]:51820"},
		{"ccp.endpoint", "[1:2:3:4:5:6:7::]:51820", "[1:2:3:4:5:6:7:0]:51820"},
		{"ccp.endpoint", "[::2:3:4:5:6:7:8]:51820", "[0:2:3:4:5:6:7:8]:51820"},
		{"ccp.endpoint", "[::ffff:192.0.2.1]:51820", NULL},
		{"ccp.endpoint", "2001:db8::1:1", NULL},
		{"ccp.endpoint", "1.2.3:1", NULL},
		{"ccp.endpoint", "198.51.100.1:65536", NULL},
		{"ccp.endpoint", "198.51.100.1:", NULL},
		{"ccp.endpoint", ":1", NULL},
		{"ccp.endpoint", "vpn.example.com:51820", NULL},
		{"ccp.wg_key", KEY32, KEY32},
		{"ccp.wg_key", "AAAA", NULL},
		{"ccp.wg_key", "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", NULL},
		{"ccp.ssh_public_key", "ssh-ed25519 " ED25519 " me@home\n", "ssh-ed25519 " ED25519},
		{"ccp.ssh_public_key", "ssh-rsa " ED25519, NULL},
		{"ccp.ssh_public_key", "ssh-ed25519 " ED25519 "\nssh-ed25519 " ED25519, NULL},
		{"ccp.ssh_public_key", "ssh-ed25519", NULL},
		{"t.text", "a\nb", NULL},
		{"t.text", "\xc3\x28", NULL},
		{"t.text", "\xed\xa0\x80", NULL},
		{"t.text", "\xc0\xaf", NULL},
		{"t.text", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *value = checked(cases[i].type, cases[i].text);
		if (!cases[i].want && value)
			fail_msg("\"%s\" was taken", cases[i].text);
		if (cases[i].want && (!value || strcmp(value, cases[i].want) != 0))
			fail_msg("\"%s\" became \"%s\"", cases[i].text, value ? value : "refused");
	}
}

static void lengths_are_counted_in_characters_and_of_passwords_in_bytes(void **state)
{
	(void)state;
	_cleanup_(freep) char *four = checked("t.four", "gr\xc3\xbc\xc3\x9f");
	_cleanup_(freep) char *bytes = checked("password", "gr\xc3\xbc\xc3\x9f\xc3\x9f");
	assert_non_null(four);
	assert_non_null(bytes);
	assert_null(checked("password", "gr\xc3\xbc\xc3\x9f"));
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

	assert_int_equal(json_parse(body, strlen(body), &json_from_client, &json, &e), 0);
	input_init(&input, &things[1]);
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
	_cleanup_(freep) char *list = complaints("{\"name\":\"abc\",\"words\":[\"on\",\"off\"]}");
	assert_string_equal(list, "");
	_cleanup_(freep) char *wrong = complaints("{\"name\":\"abc\",\"words\":[\"on\",1]}");
	assert_string_equal(wrong, "words must be one of on|off, or several with commas|");
	_cleanup_(freep) char *no_list = complaints("{\"name\":\"abc\",\"words\":{}}");
	assert_string_equal(no_list, "words must be a JSON array|");
}

static void a_type_without_limits_is_not_checked(void **state)
{
	static const char *const types[] = {
		"text", "integer", "t.endless", "bigint", "jsonb", "nothing"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_false(type_is_checked(types[i]));
}

static void a_pattern_that_posix_does_not_know_is_refused(void **state)
{
	static char *const patterns[] = {"(?:a", "^\\d$", "^\\\\\\w$", "[\\s]"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct err e;
		struct rule rule = {.type = "t.bad", .base = "text", .pattern = patterns[i]};
		assert_int_equal(rules_add(&rule, &e), -1);
		assert_non_null(strstr(e.message, "t.bad"));
	}
}

static void a_refusal_and_the_schema_say_the_same_limits(void **state)
{
	static const struct {
		const char *type;
		const char *wrong;
		const char *why;
		const char *schema;
	} cases[] = {
		{"t.name", "ABC", "must be a text of 2 to 4 characters that matches " NAMES,
			"{\"type\":\"string\",\"pattern\":\"" NAMES
			"\",\"minLength\":2,\"maxLength\":4}"},
		{"t.word", "up", "must be one of on|off",
			"{\"type\":\"string\",\"enum\":[\"on\",\"off\"]}"},
		{"t.number", "43", "must be a number from 0 to 42",
			"{\"type\":\"number\",\"minimum\":0,\"maximum\":42}"},
		{"t.word[]", "on,up", "must be one of on|off, or several with commas",
			"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"on\",\"off\"]},"
			"\"minItems\":1,\"maxItems\":20}"},
		{"ccp.endpoint", "there", "must be written as 192.0.2.1:1",
			"{\"type\":\"string\",\"format\":\"endpoint\","
			"\"examples\":[\"198.51.100.1:51820\"]}"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(str_done) struct str why = STR_INIT(512);
		char *value = NULL;
		assert_false(type_check(
			cases[i].type, cases[i].wrong, strlen(cases[i].wrong), &value, &why));
		assert_string_equal(str_text(&why), cases[i].why);
		_cleanup_(json_freep) cJSON *schema = type_schema(cases[i].type, false);
		_cleanup_(freep) char *text = json_print(schema);
		assert_string_equal(text, cases[i].schema);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_finds_its_row_and_its_parts),
		cmocka_unit_test(no_path_is_found_that_is_not_whole),
		cmocka_unit_test(the_listener_for_monitoring_has_routes_of_its_own),
		cmocka_unit_test(another_method_is_told_which_there_are),
		cmocka_unit_test(a_form_is_decoded_once),
		cmocka_unit_test(a_broken_form_is_refused),
		cmocka_unit_test(values_of_each_type_are_taken_and_others_refused),
		cmocka_unit_test(lengths_are_counted_in_characters_and_of_passwords_in_bytes),
		cmocka_unit_test(every_complaint_about_a_body_is_told_at_once),
		cmocka_unit_test(a_type_without_limits_is_not_checked),
		cmocka_unit_test(a_pattern_that_posix_does_not_know_is_refused),
		cmocka_unit_test(a_refusal_and_the_schema_say_the_same_limits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rules_setup, NULL);
}
