// SPDX-License-Identifier: Apache-2.0
// When a run is checked next, and how thoroughly.
// uses: agent/host/schedule.c
#include "agent/host/schedule.h"

#include "tests/unit/unit.h"

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

// At 1000, with a full check each 600: before and after a check that asks for a pause of 60.
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
		{false, 900, true, true, 60, 1600, false},
		{false, 900, true, false, 60, 900, true}, // it is still due
		{false, 1500, false, false, 60, 1500, true},
		{false, 1500, true, false, 60, 1500, true},
		{true, 1500, false, true, 0, 1500, true}, // changed meanwhile
		{true, 1500, true, true, 0, 1600, true},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_is_full_when_it_is_wanted_or_due),
		cmocka_unit_test(the_next_check_comes_at_its_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
