// SPDX-License-Identifier: Apache-2.0
// JSON: what the strict checker refuses and takes, getters, builders.
#include "lib/json.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"

#define TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

static const struct text {
	const char *bytes;
	size_t len;
} good[] =
	{
		TEXT("null"),
		TEXT(" true "),
		TEXT("\t[\r\n]"),
		TEXT("{}"),
		TEXT("\"\""),
		TEXT("0"),
		TEXT("-0"),
		TEXT("-0.5e-7"),
		TEXT("9007199254740991"),
		TEXT("1.7976931348623157e308"),
		TEXT("1e-999"),
		TEXT("[1,[2,[3]]]"),
		TEXT("{\"a\":{\"b\":[null,true,false]},\"A\":1}"),
		TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\""),
		TEXT("\"\\ud83d\\ude00\""),
		TEXT("\"\xf0\x9f\x98\x80 \xe4\xbd\xa0\x7f\""),
		TEXT("\"\xef\xbb\xbf\""),
},
  bad[] = {
	  TEXT(""),
	  TEXT("  "),
	  TEXT("nul"),
	  TEXT("True"),
	  TEXT("nullx"),
	  TEXT("{} {}"),
	  TEXT("1\0"),
	  TEXT("01"),
	  TEXT("-"),
	  TEXT("+1"),
	  TEXT(".5"),
	  TEXT("1."),
	  TEXT("1e"),
	  TEXT("1e+"),
	  TEXT("1e999"),
	  TEXT("-1e999"),
	  TEXT("0x10"),
	  TEXT("NaN"),
	  TEXT("Infinity"),
	  TEXT("9007199254740992"),
	  TEXT("-9007199254740992"),
	  TEXT("0.0000000000000000000000000000000000000000000000000000000000001"),
	  TEXT("[1,]"),
	  TEXT("[,1]"),
	  TEXT("[1 2]"),
	  TEXT("["),
	  TEXT("]"),
	  TEXT("{\"a\"}"),
	  TEXT("{\"a\":}"),
	  TEXT("{\"a\":1,}"),
	  TEXT("{a:1}"),
	  TEXT("{'a':1}"),
	  TEXT("{\"a\":1"),
	  TEXT("{\"a\":1]"),
	  TEXT("{\"a\":1,\"a\":2}"),
	  TEXT("{\"a\":1,\"\\u0061\":2}"),
	  TEXT("[{\"x\":{\"b\":1,\"c\":2,\"b\":3}}]"),
	  TEXT("\""),
	  TEXT("\"\\\""),
	  TEXT("\"\\x\""),
	  TEXT("\"\\u12\""),
	  TEXT("\"\\u00g0\""),
	  TEXT("\"\\u0000\""),
	  TEXT("\"a\\u0000b\""),
	  TEXT("\"\\ud83d\""),
	  TEXT("\"\\ud83dx\""),
	  TEXT("\"\\ud83d\\u0041\""),
	  TEXT("\"\\ude00\""),
	  TEXT("\"\n\""),
	  TEXT("\"\t\""),
	  TEXT("\"\0\""),
	  TEXT("\"\x80\""),
	  TEXT("\"\xc0\xaf\""),
	  TEXT("\"\xc3\""),
	  TEXT("\"\xed\xa0\x80\""),
	  TEXT("\"\xe0\x80\x80\""),
	  TEXT("\"\xf4\x90\x80\x80\""),
	  TEXT("\"\xf8\x88\x80\x80\x80\""),
	  TEXT("\xef\xbb\xbfnull"),
	  TEXT("/* c */ 1"),
	  TEXT("1 // c"),
};

// The bytes are copied to the heap without a NUL behind, so that the sanitizer sees one byte read
// too many.
static int parse(const struct text *text, const struct json_limits *limits, struct err *e)
{
	_cleanup_(freep) char *exact = xcalloc(1, text->len);
	_cleanup_(json_freep) cJSON *json = NULL;

	memcpy(exact, text->bytes, text->len);
	return json_parse(exact, text->len, limits, &json, e);
}

static void good_texts_are_taken(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (parse(&good[i], &json_from_client, &e) != 0)
			fail_msg("refused: %s: %s", good[i].bytes, e.message);
}

static void bad_texts_are_refused_with_a_reason(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		e.message[0] = '\0';
		if (parse(&bad[i], &json_from_client, &e) != -1)
			fail_msg("taken: %s", bad[i].bytes);
		assert_true(strncmp(e.message, "bad JSON", 8) == 0);
	}
}

static void limits_hold(void **state)
{
	const struct json_limits tight = {.bytes = 20, .depth = 2, .values = 5};
	struct err e;

	(void)state;
	assert_int_equal(parse(&(struct text)TEXT("[[1]]"), &tight, &e), 0);
	assert_int_equal(parse(&(struct text)TEXT("[[[1]]]"), &tight, &e), -1);
	assert_int_equal(parse(&(struct text)TEXT("[1,2,3,4]"), &tight, &e), 0);
	assert_int_equal(parse(&(struct text)TEXT("[1,2,3,4,5]"), &tight, &e), -1);
	assert_int_equal(parse(&(struct text)TEXT("\"12345678901234567\" "), &tight, &e), 0);
	assert_int_equal(parse(&(struct text)TEXT("\"12345678901234567\"  "), &tight, &e), -1);
	assert_int_equal(e.code, EMSGSIZE);
}

static void a_peer_may_send_big_integers(void **state)
{
	const struct text nanoseconds = TEXT("{\"timeNano\":1764000000000000000}");
	struct err e;

	(void)state;
	assert_int_equal(parse(&nanoseconds, &json_from_peer, &e), 0);
	assert_int_equal(parse(&nanoseconds, &json_from_client, &e), -1);
}

static void getters_check_type_and_range_and_name_the_member(void **state)
{
	static const char text[] =
		"{\"t\":\"x\",\"n\":5,\"f\":1.5,\"b\":true,\"o\":{},\"l\":[],\"z\":null}";
	_cleanup_(json_freep) cJSON *json = NULL;
	const char *word = NULL;
	const cJSON *child = NULL;
	int64_t number = 0;
	double real = 0;
	bool flag = false;
	struct err e;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &json_from_client, &json, &e), 0);
	assert_int_equal(json_get_text(json, "t", &word, &e), 0);
	assert_string_equal(word, "x");
	assert_int_equal(json_get_int(json, "n", 1, 5, &number, &e), 0);
	assert_int_equal(number, 5);
	assert_int_equal(json_get_int(json, "n", 1, 4, &number, &e), -1);
	assert_int_equal(e.code, ERANGE);
	assert_int_equal(json_get_int(json, "f", 1, 5, &number, &e), -1);
	assert_int_equal(json_get_number(json, "f", &real, &e), 0);
	assert_int_equal(json_get_bool(json, "b", &flag, &e), 0);
	assert_true(flag);
	assert_int_equal(json_get_object(json, "o", &child, &e), 0);
	assert_int_equal(json_get_array(json, "l", &child, &e), 0);
	assert_int_equal(json_get_text(json, "T", &word, &e), -1);
	assert_string_equal(e.message, "\"T\" is missing: it must be a string");
	assert_int_equal(json_get_text(json, "n", &word, &e), -1);
	assert_string_equal(e.message, "\"n\" must be a string");
	assert_int_equal(json_opt_text(json, "z", &word, &e), JSON_ABSENT);
	assert_int_equal(json_opt_int(json, "missing", 0, 1, &number, &e), JSON_ABSENT);
	assert_int_equal(json_get_text(json, "z", &word, &e), -1);
}

static void what_is_built_is_always_json(void **state)
{
	_cleanup_(json_freep) cJSON *json = json_new_object();
	struct err e;

	(void)state;
	json_set_text(json, "bytes", "a\xff\x80z\x01\"");
	json_set_text(json, "none", NULL);
	json_set_int(json, "big", INT64_MAX);
	json_set_int(json, "twice", 1);
	json_set_int(json, "twice", 2);
	json_add_text(json_set_array(json, "list"), "x");
	_cleanup_(freep) char *text = json_print(json);
	assert_string_equal(text,
		"{\"bytes\":\"a\xef\xbf\xbd\xef\xbf\xbdz\\u0001\\\"\",\"none\":null,"
		"\"big\":9223372036854775807,\"twice\":2,\"list\":[\"x\"]}");
	assert_int_equal(json_check(text, strlen(text), &json_from_peer, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_texts_are_taken),
		cmocka_unit_test(bad_texts_are_refused_with_a_reason),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(a_peer_may_send_big_integers),
		cmocka_unit_test(getters_check_type_and_range_and_name_the_member),
		cmocka_unit_test(what_is_built_is_always_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
