// SPDX-License-Identifier: Apache-2.0
// How many requests a login may make: at once, in a row, beside others.
// uses: api/allowance.c
#include "api/allowance.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/mem.h"

static const int64_t second_us = 1000000;

// Each test has a time of its own, long after the others.
static int64_t later(void)
{
	static int64_t now_us = 1000 * 1000000LL;
	return now_us += 24 * 3600 * second_us;
}

static int taken(const char *login, int64_t now_us, int tries)
{
	int count = 0;
	for (int i = 0; i < tries; i++)
		count += allowance_take(login, now_us) == 0;
	return count;
}

static void a_minutes_requests_may_come_at_once_and_no_more(void **state)
{
	int64_t now_us = later();
	(void)state;
	allowance_set(60);
	assert_int_equal(taken("one", now_us, 100), 60);
	assert_int_equal(allowance_take("one", now_us), 1);
	assert_int_equal(taken("two", now_us, 100), 60); // another's are another's
}

static void each_second_gives_its_share_back(void **state)
{
	int64_t now_us = later();
	(void)state;
	allowance_set(120);
	assert_int_equal(taken("one", now_us, 200), 120);
	assert_int_equal(taken("one", now_us + second_us / 2 - 1, 10), 0);
	assert_int_equal(taken("one", now_us + second_us / 2, 10), 1);
	assert_int_equal(taken("one", now_us + 10 * second_us, 100), 19);
	assert_int_equal(taken("one", now_us + 3600 * second_us, 200), 120); // nothing is saved up
}

static void the_wait_that_is_said_is_enough(void **state)
{
	int64_t now_us = later();
	(void)state;
	allowance_set(60);
	assert_int_equal(taken("one", now_us, 60), 60);
	for (int i = 0; i < 1000; i++) {
		now_us += 7777;
		int wait_s = allowance_take("one", now_us);
		if (wait_s > 0)
			assert_int_equal(allowance_take("one", now_us + wait_s * second_us), 0);
	}
}

static void another_limit_counts_at_once(void **state)
{
	int64_t now_us = later();
	(void)state;
	allowance_set(60);
	assert_int_equal(taken("one", now_us, 100), 60);
	allowance_set(1000000);
	assert_int_equal(taken("one", now_us + second_us, 5000), 5000);
	allowance_set(0);
	assert_int_equal(taken("one", now_us, 10000), 10000);
}

// A login that is forgotten starts from zero, so it must not be one that asks much.
static void many_others_do_not_make_a_busy_login_forgotten(void **state)
{
	int64_t now_us = later();
	(void)state;
	allowance_set(60);
	assert_int_equal(taken("one", now_us, 30), 30);
	for (int i = 0; i < 20 * ALLOWANCE_LOGINS; i++) {
		char other[24];
		snprintf(other, sizeof(other), "other %d", i);
		assert_int_equal(allowance_take(other, now_us), 0);
	}
	assert_int_equal(taken("one", now_us, 100), 30);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minutes_requests_may_come_at_once_and_no_more),
		cmocka_unit_test(each_second_gives_its_share_back),
		cmocka_unit_test(the_wait_that_is_said_is_enough),
		cmocka_unit_test(another_limit_counts_at_once),
		cmocka_unit_test(many_others_do_not_make_a_busy_login_forgotten),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
