// SPDX-License-Identifier: Apache-2.0
// Keys of 32 bytes: to base64 and back, and nothing else.
#include "lib/key32.h"

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/err.h"

#define ONES "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

static void a_key_comes_back_as_it_was(void **state)
{
	uint8_t key[KEY32_SIZE], ones[KEY32_SIZE];
	char text[KEY32_TEXT_SIZE];
	struct err e;

	(void)state;
	memset(ones, 1, sizeof(ones));
	key32_text(ones, text);
	assert_string_equal(text, ONES);
	assert_int_equal(key32_parse(text, "it", key, &e), 0);
	assert_memory_equal(key, ones, sizeof(key));
}

static void what_is_not_a_key_is_refused_by_its_name(void **state)
{
	static const char *const bad[] = {"", "AQEB", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
		ONES "x", ONES "\n", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
		"BQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF=",
		"AQEBAQEBAQEBAQEBAQEBAQEBAQEB QEBAQEBAQEBAQE="};
	uint8_t key[KEY32_SIZE] = {9}, before[KEY32_SIZE] = {9};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(key32_parse(bad[i], "the exit's key", key, &e), -1);
		assert_string_equal(e.message, "the exit's key is not 32 bytes in base64");
		assert_memory_equal(key, before, sizeof(key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_comes_back_as_it_was),
		cmocka_unit_test(what_is_not_a_key_is_refused_by_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
