// SPDX-License-Identifier: Apache-2.0
// Sealed secrets: open with the right key only, and only unchanged.

#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "lib/seal.h"

static void what_is_sealed_opens(void **state)
{
	struct seal_pair pair, again;
	char key[KEY32_TEXT_SIZE];
	_cleanup_(freep) char *box = NULL;
	_cleanup_(freep) char *secret = NULL;
	size_t size;
	struct err e;

	(void)state;
	seal_pair_make(&pair);
	seal_pair_from_secret(pair.secret_key, &again);
	assert_memory_equal(&pair, &again, sizeof(pair));
	key32_text(pair.public_key, key);
	assert_int_equal(seal_make(key, "a\0b", 3, &box, &e), 0);
	assert_int_equal(seal_open(&pair, box, &secret, &size, &e), 0);
	assert_int_equal(size, 3);
	assert_memory_equal(secret, "a\0b", 4);
}

static void two_boxes_of_one_secret_differ(void **state)
{
	struct seal_pair pair;
	char key[KEY32_TEXT_SIZE];
	_cleanup_(freep) char *a = NULL;
	_cleanup_(freep) char *b = NULL;
	struct err e;

	(void)state;
	seal_pair_make(&pair);
	key32_text(pair.public_key, key);
	assert_int_equal(seal_make(key, "x", 1, &a, &e), 0);
	assert_int_equal(seal_make(key, "x", 1, &b, &e), 0);
	assert_string_not_equal(a, b);
}

static void another_key_or_a_changed_box_does_not_open(void **state)
{
	struct seal_pair pair, other;
	char key[KEY32_TEXT_SIZE];
	_cleanup_(freep) char *box = NULL;
	char *secret = NULL;
	size_t size;
	struct err e;

	(void)state;
	seal_pair_make(&pair);
	seal_pair_make(&other);
	key32_text(pair.public_key, key);
	assert_int_equal(seal_make(key, "secret", 6, &box, &e), 0);
	assert_int_equal(seal_open(&other, box, &secret, &size, &e), -1);
	assert_int_equal(e.code, EBADMSG);
	box[50] = box[50] == 'A' ? 'B' : 'A';
	assert_int_equal(seal_open(&pair, box, &secret, &size, &e), -1);
	assert_int_equal(seal_open(&pair, "no base64!", &secret, &size, &e), -1);
	assert_int_equal(seal_open(&pair, "", &secret, &size, &e), -1);
	assert_null(secret);
}

static void bad_keys_and_long_secrets_are_refused(void **state)
{
	static char big[SEAL_SECRET_MAX + 1];
	struct seal_pair pair;
	char key[KEY32_TEXT_SIZE];
	char *box = NULL;
	struct err e;

	(void)state;
	seal_pair_make(&pair);
	key32_text(pair.public_key, key);
	assert_int_equal(seal_make(key, big, sizeof(big), &box, &e), -1);
	assert_int_equal(seal_make("short", "x", 1, &box, &e), -1);
	assert_int_equal(
		seal_make("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "x", 1, &box, &e), -1);
	assert_null(box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_opens),
		cmocka_unit_test(two_boxes_of_one_secret_differ),
		cmocka_unit_test(another_key_or_a_changed_box_does_not_open),
		cmocka_unit_test(bad_keys_and_long_secrets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
