// SPDX-License-Identifier: Apache-2.0
// The strict reading of headers fits the installed libmicrohttpd, and says so when it does not.
// uses: api/headers.c api/headers_check.c
#include "tests/unit/unit.h"

#include <string.h>

#include "api/headers.h"
#include "lib/err.h"

static void the_installed_library_passes_the_self_test(void **state)
{
	struct err e;
	(void)state;
	if (headers_check_library(MHD_get_version(), headers_probes, &e) != 0)
		fail_msg("%s", e.message);
}

static void another_version_is_refused_in_a_sentence(void **state)
{
	struct err e;
	(void)state;
	assert_int_equal(headers_check_library("1.0.1", headers_probes, &e), -1);
	assert_string_equal(e.message,
		"this libmicrohttpd is not the one headers.c knows: it is version 1.0.1, not " HEADERS_MHD);
}

static void a_library_that_reads_otherwise_is_refused_in_a_sentence(void **state)
{
	static const struct headers_probe otherwise[][2] = {
		{{"GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", false}, {NULL, false}},
		{{"GET /a?b=c HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", true}, {NULL, false}},
		{{"GET /longer?b=c HTTP/1.1\r\nHost: a\r\n\r\n", true}, {NULL, false}},
	};
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(otherwise); i++) {
		assert_int_equal(headers_check_library(HEADERS_MHD, otherwise[i], &e), -1);
		assert_string_equal(e.message,
			"this libmicrohttpd is not the one headers.c knows: it reads request 1 of the "
			"self-test differently");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_installed_library_passes_the_self_test),
		cmocka_unit_test(another_version_is_refused_in_a_sentence),
		cmocka_unit_test(a_library_that_reads_otherwise_is_refused_in_a_sentence),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
