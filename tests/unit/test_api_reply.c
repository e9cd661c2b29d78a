// SPDX-License-Identifier: Apache-2.0
// What a shell reads of an answer, and where a secret goes in it.
// uses: api/reply.c
#include "api/reply.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_becomes_lines_that_cannot_be_forged),
		cmocka_unit_test(a_secret_goes_into_its_empty_place_only),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
