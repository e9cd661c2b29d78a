// SPDX-License-Identifier: Apache-2.0
// Login tokens: HS256 by key id, and nothing else that looks like one.
// uses: api/token.c
#include "api/token.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jwt.h>

#include "lib/wait.h"

static const struct token_key keys[] = {
	{.kid = "new-key", .secret = {1, 2, 3}, .signs = true},
	{.kid = "old-key", .secret = {9, 8, 7}},
};

static struct claims someone(int64_t expires_in_s)
{
	return (struct claims){
		.user_id = "6b8f1c9e-1111-4222-8333-444455556666",
		.login_id = "6b8f1c9e-1111-4222-8333-444455557777",
		.generation = 3,
		.expires_at = time(NULL) + expires_in_s,
	};
}

// A token that libjwt makes with other settings than ours.
static char *foreign(jwt_alg_t algorithm, const char *kid, const unsigned char *secret, int len)
{
	jwt_t *jwt;

	assert_int_equal(jwt_new(&jwt), 0);
	jwt_add_header(jwt, "kid", kid);
	jwt_add_grant(jwt, "sub", "6b8f1c9e-1111-4222-8333-444455556666");
	jwt_add_grant(jwt, "lid", "6b8f1c9e-1111-4222-8333-444455557777");
	jwt_add_grant_int(jwt, "gen", 3);
	jwt_add_grant_int(jwt, "exp", time(NULL) + 60);
	assert_int_equal(jwt_set_alg(jwt, algorithm, secret, len), 0);
	char *token = jwt_encode_str(jwt);
	jwt_free(jwt);
	assert_non_null(token);
	return token;
}

static int checked(char *token)
{
	struct claims claims;
	int r = token_check(token, &claims);

	free(token);
	return r;
}

static int keys_set(void **state)
{
	(void)state;
	token_set_keys(keys, ARRAY_SIZE(keys));
	return 0;
}

static void a_token_comes_back_as_it_was_made(void **state)
{
	struct claims claims = someone(60), seen;
	char *token = NULL;

	(void)state;
	assert_int_equal(token_make(&claims, &token), 0);
	assert_int_equal(token_check(token, &seen), 0);
	assert_string_equal(claims.user_id, seen.user_id);
	assert_string_equal(claims.login_id, seen.login_id);
	assert_int_equal(claims.generation, seen.generation);
	assert_int_equal(claims.expires_at, seen.expires_at);
	free(token);
}

static void an_expired_token_is_refused(void **state)
{
	struct claims claims = someone(-1);
	char *token = NULL;

	(void)state;
	assert_int_equal(token_make(&claims, &token), 0);
	assert_int_equal(checked(token), TOKEN_INVALID);
}

static void a_retired_key_still_verifies(void **state)
{
	(void)state;
	assert_int_equal(
		checked(foreign(JWT_ALG_HS256, "old-key", keys[1].secret, TOKEN_KEY_BYTES)), 0);
}

static void other_algorithms_and_keys_are_refused(void **state)
{
	static const unsigned char wrong[TOKEN_KEY_BYTES] = {1};

	(void)state;
	assert_int_equal(
		checked(foreign(JWT_ALG_HS512, "new-key", keys[0].secret, TOKEN_KEY_BYTES)),
		TOKEN_INVALID);
	assert_int_equal(checked(foreign(JWT_ALG_NONE, "new-key", NULL, 0)), TOKEN_INVALID);
	assert_int_equal(
		checked(foreign(JWT_ALG_HS256, "new-key", wrong, TOKEN_KEY_BYTES)), TOKEN_INVALID);
	assert_int_equal(
		checked(foreign(JWT_ALG_HS256, "new-key", keys[1].secret, TOKEN_KEY_BYTES)),
		TOKEN_INVALID);
	assert_int_equal(checked(foreign(JWT_ALG_HS256, "no-key", keys[0].secret, TOKEN_KEY_BYTES)),
		TOKEN_UNKNOWN_KEY);
}

static void what_is_no_token_is_refused(void **state)
{
	static const char *const texts[] = {
		"", ".", "..", "a.b.c", "{}", "eyJhbGciOiJIUzI1NiJ9.e30.", "\xff"};
	struct claims claims;
	char *big = xcalloc(1, TOKEN_TEXT_MAX * 2);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(token_check(texts[i], &claims), TOKEN_INVALID);
	memset(big, 'a', TOKEN_TEXT_MAX + 1);
	assert_int_equal(token_check(big, &claims), TOKEN_INVALID);
	free(big);
}

static void without_keys_nothing_is_signed_or_believed(void **state)
{
	struct claims claims = someone(60);
	char *token = NULL;

	(void)state;
	assert_int_equal(token_make(&claims, &token), 0);
	token_set_keys(NULL, 0);
	assert_int_equal(checked(token), TOKEN_NO_KEYS);
	assert_int_equal(token_make(&claims, &token), TOKEN_NO_KEYS);
}

static void a_key_signs_when_its_time_has_come(void **state)
{
	struct token_key pending[] = {keys[0], keys[1]};
	struct claims claims = someone(60);
	char *before = NULL;
	char *after = NULL;

	(void)state;
	pending[0].signs_at_ms = wait_now_ms() + 60000;
	pending[1].signs = true;
	token_set_keys(pending, ARRAY_SIZE(pending));
	assert_int_equal(token_make(&claims, &before), 0);
	pending[0].signs_at_ms = wait_now_ms();
	token_set_keys(pending, ARRAY_SIZE(pending));
	assert_int_equal(token_make(&claims, &after), 0);
	assert_string_not_equal(before, after);
	assert_int_equal(checked(before), 0);
	assert_int_equal(checked(after), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_token_comes_back_as_it_was_made, keys_set),
		cmocka_unit_test_setup(an_expired_token_is_refused, keys_set),
		cmocka_unit_test_setup(a_retired_key_still_verifies, keys_set),
		cmocka_unit_test_setup(other_algorithms_and_keys_are_refused, keys_set),
		cmocka_unit_test_setup(what_is_no_token_is_refused, keys_set),
		cmocka_unit_test_setup(a_key_signs_when_its_time_has_come, keys_set),
		cmocka_unit_test_setup(without_keys_nothing_is_signed_or_believed, keys_set),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
