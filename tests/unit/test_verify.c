// SPDX-License-Identifier: Apache-2.0
// What the agent and its verify child tell each other, and what becomes evidence.
// uses: agent/evidence.c agent/verify/verify_wire.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/verify/verify_wire.h"
#include "lib/err.h"
#include "lib/json.h"

static cJSON *texts(const char *one, int count)
{
	cJSON *array = json_new_array();
	for (int i = 0; i < count; i++)
		json_add_text(array, one);
	return array;
}

static struct verify_spec spec_make(enum verify_kind kind, cJSON *echoes, cJSON *targets)
{
	struct verify_spec spec = {.kind = kind,
		.echo_urls = echoes,
		.connect_targets = targets,
		.dns_check_zone = "check.lab.example"};
	struct err e;
	assert_int_equal(addr_parse("203.0.113.1", &spec.expected, &e), 0);
	assert_int_equal(addr_parse("198.18.0.53", &spec.resolver, &e), 0);
	return spec;
}

// How the child takes this spec: 0 or -1.
static int spec_passes(const struct verify_spec *spec, struct err *e)
{
	_cleanup_(freep) char *text = verify_spec_print(spec, 9000);
	_cleanup_(json_freep) cJSON *json = NULL;
	struct verify_spec got;
	int total_ms;
	if (verify_spec_parse(text, strlen(text), &got, &total_ms, &json, e) < 0)
		return -1;
	assert_int_equal(got.kind, spec->kind);
	assert_true(addr_equal(&got.expected, &spec->expected));
	assert_true(addr_equal(&got.resolver, &spec->resolver));
	assert_string_equal(got.dns_check_zone, spec->dns_check_zone);
	assert_int_equal(total_ms, 9000);
	return 0;
}

static void a_specification_arrives_as_it_was(void **state)
{
	_cleanup_(json_freep) cJSON *echoes = texts("http://echo/", 3), *targets = texts("a:1", 1);
	struct verify_spec spec = spec_make(VERIFY_FULL, echoes, targets);
	struct err e;
	(void)state;
	assert_int_equal(spec_passes(&spec, &e), 0);
	spec.kind = VERIFY_LIGHT;
	assert_int_equal(spec_passes(&spec, &e), 0);
}

static void settings_that_cannot_verify_are_refused_by_name(void **state)
{
	_cleanup_(json_freep) cJSON *none = json_new_array(), *two = texts("http://echo/", 2);
	_cleanup_(json_freep) cJSON *three = texts("http://echo/", 3),
				    *many = texts("http://e/", 17);
	struct verify_spec spec = spec_make(VERIFY_FULL, two, three);
	struct err e;
	(void)state;
	assert_int_equal(spec_passes(&spec, &e), -1);
	assert_non_null(strstr(e.message, "echo_urls"));
	spec.echo_urls = many;
	assert_int_equal(spec_passes(&spec, &e), -1);
	spec.echo_urls = three;
	spec.connect_targets = none;
	assert_int_equal(spec_passes(&spec, &e), -1);
	assert_non_null(strstr(e.message, "connect_targets"));
	spec.connect_targets = two;
	spec.dns_check_zone = "";
	assert_int_equal(spec_passes(&spec, &e), -1);
	assert_non_null(strstr(e.message, "dns_check_zone"));
}

static struct verify_result result_make(void)
{
	struct verify_result r = {0};
	struct err e;
	for (int i = 0; i < VERIFY_CHECKS; i++)
		snprintf(r.checks[i].detail, sizeof(r.checks[i].detail), "fine");
	assert_int_equal(addr_parse("203.0.113.1", &r.observed, &e), 0);
	return r;
}

static void a_report_becomes_evidence(void **state)
{
	struct verify_result result = result_make();
	struct evidence ev;
	struct err e;
	(void)state;
	result.checks[CHECK_DNS].outcome = OUTCOME_FAILED;
	result.checks[CHECK_DNS].code = "dns_failed";
	result.checks[CHECK_DNS].took_us = 1234;
	_cleanup_(freep) char *text = verify_report_print(VERIFY_FULL, &result);
	evidence_init(&ev);
	assert_int_equal(verify_report_read(text, strlen(text), VERIFY_FULL, &ev, &e), 0);
	assert_int_equal(ev.outcome, OUTCOME_FAILED);
	assert_string_equal(ev.code, "dns_failed");
	assert_string_equal(ev.observed_ip, "203.0.113.1");
	_cleanup_(freep) char *checks = json_print(ev.checks);
	assert_string_equal(checks,
		"[{\"name\":\"exit_ip\",\"outcome\":\"passed\",\"ms\":0,\"detail\":\"fine\"},"
		"{\"name\":\"dns\",\"outcome\":\"failed\",\"ms\":1.2,\"detail\":\"fine\"},"
		"{\"name\":\"connectivity\",\"outcome\":\"passed\",\"ms\":0,\"detail\":\"fine\"},"
		"{\"name\":\"full_size\",\"outcome\":\"passed\",\"ms\":0,\"detail\":\"fine\"}]");
	evidence_done(&ev);
}

static int report_reads(const char *text, enum verify_kind kind, struct err *e)
{
	struct evidence ev;
	evidence_init(&ev);
	int r = verify_report_read(text, strlen(text), kind, &ev, e);
	evidence_done(&ev);
	return r;
}

static void a_report_of_the_wrong_checks_is_no_pass(void **state)
{
	struct verify_result result = result_make();
	struct err e;
	(void)state;
	_cleanup_(freep) char *light = verify_report_print(VERIFY_LIGHT, &result);
	assert_int_equal(report_reads(light, VERIFY_LIGHT, &e), 0);
	assert_int_equal(report_reads(light, VERIFY_FULL, &e), -1);
	static const char *const bad[] = {"", "{}", "[]", "{\"checks\":[]}", "{\"checks\":[1,2]}",
		"{\"checks\":[{\"name\":\"exit_ip\",\"outcome\":\"passed\",\"us\":1,\"detail\":\"\"},"
		"{\"name\":\"exit_ip\",\"outcome\":\"passed\",\"us\":1,\"detail\":\"\"}]}",
		"{\"checks\":[{\"name\":\"exit_ip\",\"outcome\":\"failed\",\"us\":1,\"detail\":\"\"},"
		"{\"name\":\"dns\",\"outcome\":\"passed\",\"us\":1,\"detail\":\"\"}]}",
		"{\"checks\":[{\"name\":\"exit_ip\",\"outcome\":\"failed\",\"code\":\"mine\",\"us\":1,"
		"\"detail\":\"\"},"
		"{\"name\":\"dns\",\"outcome\":\"passed\",\"us\":1,\"detail\":\"\"}]}"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(report_reads(bad[i], VERIFY_LIGHT, &e), -1);
}

static void a_child_that_could_not_run_says_why(void **state)
{
	struct err e;
	(void)state;
	_cleanup_(freep) char *text = verify_report_print_error("there is no user");
	assert_int_equal(report_reads(text, VERIFY_FULL, &e), -1);
	assert_int_equal(e.code, EIO);
	assert_non_null(strstr(e.message, "there is no user"));
}

static void the_heaviest_check_names_the_evidence(void **state)
{
	struct evidence ev;
	(void)state;
	evidence_init(&ev);
	evidence_add(&ev, "a", OUTCOME_INCONCLUSIVE, "inconclusive", 0, "first");
	evidence_add(&ev, "b", OUTCOME_FAILED, "leak", 0, "second");
	evidence_add(&ev, "c", OUTCOME_FAILED, "inventory", 0, "third");
	evidence_add(&ev, "d", OUTCOME_PASSED, NULL, 0, "fourth");
	assert_int_equal(ev.outcome, OUTCOME_FAILED);
	assert_string_equal(ev.code, "leak");
	assert_string_equal(ev.sentence, "second");
	evidence_done(&ev);
}

// Each check as a letter: e exit_ip, d dns, c connectivity; then + passed, ? inconclusive, x failed.
static void the_exit_is_proven_when_at_most_names_are_in_doubt(void **state)
{
	static const struct {
		const char *checks;
		bool proven;
	} rows[] = {
		{"e+d+c+", true},
		{"e+d?c+", true},
		{"d?e+", true},
		{"e+dx", false},
		{"e?d+", false},
		{"e?d?", false},
		{"e+d+c?", false},
		{"d?", false},
		{"d?c+", false},
		{"e+d?cx", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct evidence ev;
		evidence_init(&ev);
		for (const char *c = rows[i].checks; *c; c += 2) {
			enum outcome o = c[1] == '+'   ? OUTCOME_PASSED
					 : c[1] == '?' ? OUTCOME_INCONCLUSIVE
						       : OUTCOME_FAILED;
			evidence_add(&ev,
				*c == 'e'   ? "exit_ip"
				: *c == 'd' ? "dns"
					    : "connectivity",
				o, o == OUTCOME_PASSED ? NULL : "inconclusive", 0, "seen");
		}
		if (evidence_proves_exit(&ev) != rows[i].proven)
			fail_msg("%s", rows[i].checks);
		evidence_done(&ev);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_specification_arrives_as_it_was),
		cmocka_unit_test(settings_that_cannot_verify_are_refused_by_name),
		cmocka_unit_test(a_report_becomes_evidence),
		cmocka_unit_test(a_report_of_the_wrong_checks_is_no_pass),
		cmocka_unit_test(a_child_that_could_not_run_says_why),
		cmocka_unit_test(the_heaviest_check_names_the_evidence),
		cmocka_unit_test(the_exit_is_proven_when_at_most_names_are_in_doubt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
