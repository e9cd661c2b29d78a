// SPDX-License-Identifier: Apache-2.0
// Password hashes, digests, tokens.
#include "lib/hash.h"

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/err.h"
#include "lib/wait.h"

static const enum hash_kind kinds[] = {HASH_BCRYPT, HASH_YESCRYPT};

static void a_hash_matches_its_password_only(void **state)
{
	char hash[HASH_TEXT_MAX], again[HASH_TEXT_MAX];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_int_equal(hash_make(kinds[i], "correct horse", hash, &e), 0);
		assert_int_equal(hash_make(kinds[i], "correct horse", again, &e), 0);
		assert_string_not_equal(hash, again);
		assert_int_equal(hash_check(kinds[i], "correct horse", hash, &e), 0);
		assert_int_equal(hash_check(kinds[i], "correct hors", hash, &e), HASH_MISMATCH);
		assert_int_equal(hash_check(kinds[i], "", hash, &e), HASH_MISMATCH);
	}
	assert_true(strncmp(hash, "$y$j9T$", 7) == 0);
}

static void bytes_beyond_72_do_not_pass_for_the_first_72(void **state)
{
	char hash[HASH_TEXT_MAX], password[75];
	struct err e;

	(void)state;
	memset(password, 'x', sizeof(password));
	password[72] = '\0';
	assert_int_equal(hash_make(HASH_BCRYPT, password, hash, &e), 0);
	assert_int_equal(hash_check(HASH_BCRYPT, password, hash, &e), 0);
	password[72] = 'y';
	password[73] = '\0';
	assert_int_equal(hash_check(HASH_BCRYPT, password, hash, &e), HASH_MISMATCH);
	assert_int_equal(hash_make(HASH_BCRYPT, password, hash, &e), -1);
	assert_int_equal(hash_make(HASH_BCRYPT, "", hash, &e), -1);
}

static void stored_hashes_of_other_schemes_are_refused(void **state)
{
	static const char *const foreign[] = {"", "x", "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
		"rl.3StKT.4T8M", "$2a$10$J1cmH2UG5ywnFROy6/WX/.yiC4PogYX1sWygklz5bwQkNAVEvCc66",
		"$2b$", "*0"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
			assert_int_equal(hash_check(kinds[k], "password", foreign[i], &e), -1);
}

static void the_dummy_matches_nothing_and_costs_the_same(void **state)
{
	char hash[HASH_TEXT_MAX];
	struct err e;

	(void)state;
	assert_int_equal(hash_make(HASH_BCRYPT, "something", hash, &e), 0);
	assert_int_equal(hash_check(HASH_BCRYPT, "something", hash_dummy, &e), HASH_MISMATCH);
	assert_int_equal(strlen(hash), strlen(hash_dummy));
	assert_memory_equal(hash, hash_dummy, 7); // scheme and cost
}

static void sha256_is_the_published_one(void **state)
{
	char hex[HASH_SHA256_HEX_SIZE];

	(void)state;
	hash_sha256_hex("abc", 3, hex); // FIPS 180-2, appendix B.1
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void tokens_and_passwords_have_their_alphabet(void **state)
{
	char token[HASH_TOKEN_SIZE], other[HASH_TOKEN_SIZE], password[21];

	(void)state;
	hash_token(token);
	hash_token(other);
	assert_int_equal(strlen(token), 43);
	assert_int_equal(
		strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
		43);
	assert_string_not_equal(token, other);
	hash_password(password);
	assert_int_equal(strlen(password), 20);
	assert_null(strpbrk(password, "0O1lI"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_matches_its_password_only),
		cmocka_unit_test(bytes_beyond_72_do_not_pass_for_the_first_72),
		cmocka_unit_test(stored_hashes_of_other_schemes_are_refused),
		cmocka_unit_test(the_dummy_matches_nothing_and_costs_the_same),
		cmocka_unit_test(sha256_is_the_published_one),
		cmocka_unit_test(tokens_and_passwords_have_their_alphabet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
