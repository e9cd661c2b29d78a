// SPDX-License-Identifier: Apache-2.0
// When a run is checked next, and how thoroughly.
// uses: agent/host/schedule.c agent/host/turn.c
#include "agent/host/schedule.h"
#include "agent/host/turn.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

#include "lib/mem.h"

static void a_check_is_full_when_it_is_wanted_or_due(void **state)
{
	static const struct {
		bool want_full;
		int64_t full_at_ms, now_ms;
		bool full;
	} rows[] = {
		{false, 1000, 999, false},
		{false, 1000, 1000, true},
		{false, 1000, 1001, true},
		{true, 1000, 0, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct schedule s = {
			.full_at_ms = rows[i].full_at_ms, .want_full = rows[i].want_full};
		assert_int_equal(schedule_is_full(&s, rows[i].now_ms), rows[i].full);
	}
}

// At 1000, with a full check each 600, whose turns are 600, 1200, ...: before and after a check that asks for a pause of 60.
static void the_next_check_comes_at_its_time(void **state)
{
	static const struct {
		bool want_full;
		int64_t full_at_ms;
		bool was_full, passed;
		int64_t pause_ms, next_full_at_ms;
		bool then_want_full;
	} rows[] = {
		{false, 1500, false, true, 60, 1500, false},
		{false, 1060, false, true, 60, 1060, false},
		{false, 1059, false, true, 59, 1059, false},
		{false, 1001, false, true, 1, 1001, false},
		{false, 1000, false, true, 60, 1000, false}, // due while a light one ran
		{false, 900, false, true, 60, 900, false},
		{false, 900, true, true, 60, 1200, false},
		{false, 900, true, false, 60, 900, true}, // it is still due
		{false, 1500, false, false, 60, 1500, true},
		{false, 1500, true, false, 60, 1500, true},
		{true, 1500, false, true, 0, 1500, true}, // changed meanwhile
		{true, 1500, true, true, 0, 1200, true},
		{true, 1500, false, false, 60, 1500, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct schedule s = {.full_ms = 600,
			.full_at_ms = rows[i].full_at_ms,
			.want_full = rows[i].want_full};
		int64_t pause = schedule_next(&s, rows[i].was_full, rows[i].passed, 60, 1000);
		if (pause != rows[i].pause_ms || s.full_at_ms != rows[i].next_full_at_ms ||
			s.want_full != rows[i].then_want_full)
			fail_msg("row %zu: pause %lld, full at %lld, %s", i, (long long)pause,
				(long long)s.full_at_ms, s.want_full ? "wanted" : "not wanted");
	}
}

static void silence_that_was_nothing_is_heard_less_and_less_often(void **state)
{
	static const struct {
		int64_t at_ms; // of a check that passed
		int64_t deaf_ms;
	} rows[] = {
		{1000, 5000},
		{7000, 10000}, // soon after that
		{26000, 20000},
		{60000, 40000},
		{140000, 60000}, // no more than light_ms
		{220000, 60000},
		{344999, 60000},
		{470000, 5000}, // after as long again without one
		{486000, 5000},
	};
	struct schedule s = {.light_ms = 60000};
	(void)state;
	assert_true(schedule_hears_silence(&s, 0));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t until_ms = rows[i].at_ms + rows[i].deaf_ms;
		schedule_silence_was_nothing(&s, rows[i].at_ms);
		assert_int_equal(s.deaf_until_ms, until_ms);
		assert_false(schedule_hears_silence(&s, rows[i].at_ms));
		assert_false(schedule_hears_silence(&s, until_ms - 1));
		assert_true(schedule_hears_silence(&s, until_ms));
	}
}

enum { HOSTS = 200, PERIOD_MS = 60000 };

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

// Whatever their numbers begin with: two of the same time would be as close as can be, and no pause
// is longer than two of an even row's.
static void hosts_that_begin_together_are_checked_one_after_another(void **state)
{
	static const uint32_t firsts[] = {0, 1, 77, 2147446783u};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
		int64_t turns[HOSTS + 1];
		for (uint32_t j = 0; j < HOSTS; j++) {
			turns[j] = turn_ms(firsts[i] + j, PERIOD_MS, 123456);
		}
		qsort(turns, HOSTS, sizeof(turns[0]), compare);
		turns[HOSTS] = turns[0] + PERIOD_MS;
		for (size_t j = 0; j < HOSTS; j++) {
			int64_t pause = turns[j + 1] - turns[j];
			assert_in_range(pause, PERIOD_MS / HOSTS / 3, 2 * PERIOD_MS / HOSTS);
		}
	}
}

static void a_turn_comes_once_a_period_and_after_a_check_that_was_made_in_it(void **state)
{
	static const int64_t periods[] = {1, 7, 1000, 60000, 86400000};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(periods); i++) {
		uint32_t number = 2147446790u;
		int64_t first = turn_ms(number, periods[i], 5000000);
		assert_in_range(first, 1, periods[i]);
		int64_t at = 5000000 + first;
		assert_int_equal(turn_ms(number, periods[i], at), periods[i]);
		assert_int_equal(turn_ms(number, periods[i], at - 1), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_is_full_when_it_is_wanted_or_due),
		cmocka_unit_test(the_next_check_comes_at_its_time),
		cmocka_unit_test(silence_that_was_nothing_is_heard_less_and_less_often),
		cmocka_unit_test(hosts_that_begin_together_are_checked_one_after_another),
		cmocka_unit_test(a_turn_comes_once_a_period_and_after_a_check_that_was_made_in_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
