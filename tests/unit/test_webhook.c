// SPDX-License-Identifier: Apache-2.0
// Secrets and signatures of webhooks.
#include "lib/webhook.h"

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/err.h"

// The specification's own example, which its libraries test themselves with.
static void the_specifications_example_is_signed_as_it_says(void **state)
{
	char signature[WEBHOOK_SIGNATURE_SIZE];
	struct err e;

	(void)state;
	assert_int_equal(webhook_sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
				 "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
				 "{\"test\": 2432232314}", signature, &e),
		0);
	assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void a_secret_that_was_made_signs_and_no_two_are_equal(void **state)
{
	char one[WEBHOOK_SECRET_SIZE], two[WEBHOOK_SECRET_SIZE], signature[WEBHOOK_SIGNATURE_SIZE];
	struct err e;

	(void)state;
	webhook_secret_make(one);
	webhook_secret_make(two);
	assert_int_equal(strncmp(one, "whsec_", 6), 0);
	assert_int_equal(strlen(one), WEBHOOK_SECRET_SIZE - 1);
	assert_string_not_equal(one, two);
	assert_int_equal(webhook_sign(one, "a", 1, "", signature, &e), 0);
}

#define TOO_LONG \
	"whsec_" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void what_is_not_a_secret_signs_nothing_and_is_not_repeated(void **state)
{
	static const char *const wrong[] = {"", "whsec_", "whsec_AAAA",
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw!",
		TOO_LONG};
	char signature[WEBHOOK_SIGNATURE_SIZE];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(webhook_sign(wrong[i], "a", 1, "", signature, &e), -1);
		assert_null(strstr(e.message, "MfKQ"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_specifications_example_is_signed_as_it_says),
		cmocka_unit_test(a_secret_that_was_made_signs_and_no_two_are_equal),
		cmocka_unit_test(what_is_not_a_secret_signs_nothing_and_is_not_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
