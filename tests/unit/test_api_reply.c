// SPDX-License-Identifier: Apache-2.0
// What a shell reads of an answer, where a secret goes in it, and what is sent.
// uses: api/reply.c
#include "api/reply.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "lib/json.h"

static void an_object_becomes_lines_that_cannot_be_forged(void **state)
{
	(void)state;
	_cleanup_(json_freep) cJSON *object = cJSON_Parse(
		"{\"a\":1,\"b\":[\"x\",\"y z\"],\"c\":true,\"d\":null,\"e\":{\"f\":1},\"g\":\"1\\nready=true\\r\"}");
	_cleanup_(freep) char *lines = reply_lines(object);
	assert_string_equal(lines, "a=1\nb=x\nb=y z\nc=true\nd=\ng=1 ready=true \n");
}

static void a_secret_goes_into_its_empty_place_only(void **state)
{
	static const struct {
		const char *json;
		const char *secret;
		const char *want;
	} cases[] = {
		{"{\"id\":1,\"password\":\"\"}", "s3cret", "{\"id\":1,\"password\":\"s3cret\"}"},
		{"{\"id\":1,\"password\":null}", "s3cret", "{\"id\":1,\"password\":null}"},
		{"{\"name\":\"\\\"password\\\":\\\"\\\"\",\"password\":\"\"}", "s3cret",
			"{\"name\":\"\\\"password\\\":\\\"\\\"\",\"password\":\"s3cret\"}"},
		{"{\"id\":1,\"password\":\"\"}", NULL, "{\"id\":1,\"password\":null}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *json = xstrdup(cases[i].json);
		reply_set_secret(&json, "password", cases[i].secret);
		assert_string_equal(json, cases[i].want);
		free(json);
	}
}

static void an_answer_says_what_it_sends_and_frees_what_it_made(void **state)
{
	static const char constant[] = "lives on";
	struct request made = {0}, kept = {0}, empty = {0};
	(void)state;
	reply_text(&made, 200, "text/plain", xstrdup("made for it"));
	assert_string_equal(made.reply.data, "made for it");
	assert_int_equal(made.reply.len, strlen("made for it"));
	reply_done(&made.reply); // or it leaks
	reply_file(&kept, 200, "text/plain", constant);
	assert_ptr_equal(kept.reply.data, constant);
	assert_int_equal(kept.reply.len, strlen(constant));
	reply_done(&kept.reply);
	reply_empty(&empty, 204);
	assert_int_equal(empty.reply.len, 0);
	reply_done(&empty.reply);
}

static void statuses_have_titles(void **state)
{
	(void)state;
	assert_string_equal(reply_title(204), "No Content");
	assert_string_equal(reply_title(431), "Request Header Fields Too Large");
	assert_string_equal(reply_title(299), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_becomes_lines_that_cannot_be_forged),
		cmocka_unit_test(a_secret_goes_into_its_empty_place_only),
		cmocka_unit_test(an_answer_says_what_it_sends_and_frees_what_it_made),
		cmocka_unit_test(statuses_have_titles),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
