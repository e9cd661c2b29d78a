// SPDX-License-Identifier: Apache-2.0
// What becomes of a host: every set of facts that can be found together, and every row of checks.
// uses: agent/host/verdict.c agent/evidence.c
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <string.h>

#include "agent/host/verdict.h"
#include "lib/mem.h"

// Facts that contradict each other are never found.
static bool is_possible(unsigned f)
{
	bool container = f & FOUND_CONTAINER, running = f & FOUND_RUNNING, run = f & FOUND_RUN;
	bool same = f & FOUND_SAME, dead = f & FOUND_DEAD;
	bool wanted = f & FOUND_WANTED, unusable = f & FOUND_UNUSABLE;
	return (container || !running) && ((container && run) || !same) && (same || !dead) &&
	       !(wanted && unusable);
}

// The rules once more, as questions in their order.
static const char *expected_of(unsigned f)
{
	bool running = f & FOUND_RUNNING;
	if (running && (f & FOUND_SAME) && !(f & FOUND_DEAD))
		return "keep running";
	if (running && !(f & FOUND_RUN) && !(f & FOUND_SEEN) && (f & FOUND_WANTED))
		return "adopt running";
	if (running && (f & FOUND_UNUSABLE))
		return "end stopped settings_incomplete";
	if (running && !(f & FOUND_SEEN))
		return "end stopped: while no agent watched";
	if (running && (f & FOUND_SAME))
		return "end stopped: the container has ended";
	if (running)
		return "end stopped: not started by the agent";
	if (f & FOUND_CONTAINER)
		return "end stopped";
	return "end absent: there is no container";
}

static void check_inspection(unsigned facts)
{
	static const char *const actions[] = {
		[INSPECTION_KEEP] = "keep", [INSPECTION_ADOPT] = "adopt", [INSPECTION_END] = "end"};
	const struct inspection_verdict *v = verdict_of_inspection(facts);
	const char *expected = expected_of(facts), *words = strchr(expected, ':');
	_cleanup_(freep) char *got = xasprintf("%s %s%s%s", actions[v->action], v->state,
		v->code ? " " : "", v->code ? v->code : "");
	size_t head = words ? (size_t)(words - expected) : strlen(expected);
	bool says = words ? v->message && strstr(v->message, words + 2) : !v->message;
	if (strlen(got) != head || strncmp(got, expected, head) != 0 || !says)
		fail_msg(
			"facts %#x: \"%s: %s\", expected \"%s\"", facts, got, v->message, expected);
}

static void every_finding_has_its_verdict(void **state)
{
	unsigned tried = 0;
	(void)state;
	for (unsigned facts = 0; facts < FOUND_UNUSABLE << 1; facts++) {
		if (!is_possible(facts))
			continue;
		check_inspection(facts);
		tried++;
	}
	assert_in_range(tried, 50, 200);
}

// p passed, i inconclusive, x too but with the exit proven, f failed: what becomes of the host after each, h holds, u unknown, e ends.
static void checks_that_show_nothing_end_a_host_after_three_in_a_row(void **state)
{
	static const struct {
		const char *checks, *verdicts;
	} rows[] = {
		{"p", "h"},
		{"f", "e"},
		{"i", "u"},
		{"ii", "uu"},
		{"iii", "uue"},
		{"iipii", "uuhuu"},
		{"iipiii", "uuhuue"},
		{"if", "ue"},
		{"xxxx", "uuuu"},
		{"iixii", "uuuuu"},
		{"iixiii", "uuuuue"},
		{"xf", "ue"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unknown_checks unknown = {0};
		int64_t now_ms = 0;
		for (size_t n = 0; rows[i].checks[n]; n++) {
			char check = rows[i].checks[n];
			enum outcome outcome = check == 'p'   ? OUTCOME_PASSED
					       : check == 'f' ? OUTCOME_FAILED
							      : OUTCOME_INCONCLUSIVE;
			enum check_verdict v =
				verdict_of_check(outcome, strchr("px", check), now_ms, &unknown);
			now_ms += CHECK_INCONCLUSIVE_MS / 2;
			if ("hue"[v] != rows[i].verdicts[n])
				fail_msg("%s: check %zu is %c, expected %c", rows[i].checks, n,
					"hue"[v], rows[i].verdicts[n]);
		}
	}
}

static void checks_that_follow_one_another_fast_end_no_host(void **state)
{
	struct unknown_checks unknown = {0};
	const int64_t first_ms = 100000;
	(void)state;
	for (int64_t ms = 0; ms < CHECK_INCONCLUSIVE_MS; ms += 1000)
		assert_int_equal(
			verdict_of_check(OUTCOME_INCONCLUSIVE, false, first_ms + ms, &unknown),
			CHECK_UNKNOWN);
	assert_int_equal(verdict_of_check(OUTCOME_INCONCLUSIVE, false,
				 first_ms + CHECK_INCONCLUSIVE_MS, &unknown),
		CHECK_ENDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_finding_has_its_verdict),
		cmocka_unit_test(checks_that_show_nothing_end_a_host_after_three_in_a_row),
		cmocka_unit_test(checks_that_follow_one_another_fast_end_no_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
