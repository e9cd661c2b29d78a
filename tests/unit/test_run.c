// SPDX-License-Identifier: Apache-2.0
// In which order a run is checked, renewed and adopted, and what each answer leads to.
// uses: agent/host/run.c agent/evidence.c
#include "tests/unit/run_fakes.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/mem.h"

static int start(void **state)
{
	(void)state;
	memset(&answers, 0, sizeof(answers));
	answers.gate = GATE_SSHD_UP;
	trace[0] = '\0';
	return 0;
}

// A run whose process lives. The caller closes its process_fd.
static struct run run_make(void)
{
	struct run run = RUN_INIT;
	run.number = 1;
	run.process_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); // not readable
	run.tunnel.kind = &kind;
	run.tunnels = &tunnels;
	return run;
}

static int check_run(enum verify_kind verify, struct evidence *ev)
{
	struct run run = run_make();
	struct host_spec spec = {0};
	struct wait w = wait_for(10000, -1);
	run.silent = answers.is_silent;
	struct err e;
	evidence_init(ev);
	int r = run_check(&run, &spec, verify, &w, ev, &e);
	close(run.process_fd);
	return r;
}

static void a_light_check_sends_no_probes_and_a_full_one_those_of_the_walls_state(void **state)
{
	struct evidence ev;
	(void)state;
	assert_int_equal(check_run(VERIFY_LIGHT, &ev), 0);
	assert_int_equal(ev.outcome, OUTCOME_PASSED);
	assert_did("tunnel; link; wall; light; ");
	evidence_done(&ev);

	assert_int_equal(check_run(VERIFY_FULL, &ev), 0);
	assert_did("tunnel; link; wall; full; read; probe closed; ");
	evidence_done(&ev);

	answers.is_open = true;
	assert_int_equal(check_run(VERIFY_FULL, &ev), 0);
	assert_did("tunnel; link; wall; full; read; probe open; ");
	evidence_done(&ev);
}

static void nothing_is_asked_through_a_tunnel_that_is_not_as_it_should_be(void **state)
{
	static const struct {
		enum outcome *place;
		const char *done;
	} wrong[] = {
		{&answers.proves, "tunnel; link; wall; "},
		{&answers.links, "tunnel; link; wall; "},
		{&answers.walls, "tunnel; link; wall; "},
		{&answers.verifies, "tunnel; link; wall; full; tunnel still; "},
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		for (enum outcome o = OUTCOME_INCONCLUSIVE; o <= OUTCOME_FAILED; o++) {
			struct evidence ev;
			start(state);
			*wrong[i].place = o;
			assert_int_equal(check_run(VERIFY_FULL, &ev), 0);
			assert_int_equal(ev.outcome, o);
			assert_did(wrong[i].done);
			evidence_done(&ev);
		}
}

static void a_tunnel_that_ended_while_the_exit_was_asked_is_the_reason(void **state)
{
	static const struct {
		enum outcome verifies, proves_still, outcome;
		const char *code, *sentence;
		int checks;
	} cases[] = {
		{OUTCOME_FAILED, OUTCOME_FAILED, OUTCOME_FAILED, NULL, "tunnel still", 5},
		{OUTCOME_INCONCLUSIVE, OUTCOME_FAILED, OUTCOME_FAILED, NULL, "tunnel still", 5},
		{OUTCOME_FAILED, OUTCOME_PASSED, OUTCOME_FAILED, NULL, "light", 4},
		{OUTCOME_FAILED, OUTCOME_FAILED, OUTCOME_FAILED, "exit_mismatch", "light", 4},
		{OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_PASSED, NULL, "", 4},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct evidence ev;
		start(state);
		answers.verifies = cases[i].verifies;
		answers.proves_still = cases[i].proves_still;
		answers.code = cases[i].code;
		assert_int_equal(check_run(VERIFY_LIGHT, &ev), 0);
		assert_int_equal(ev.outcome, cases[i].outcome);
		assert_string_equal(ev.sentence, cases[i].sentence);
		assert_int_equal(cJSON_GetArraySize(ev.checks), cases[i].checks);
		evidence_done(&ev);
	}
}

static void a_check_that_cannot_run_is_inconclusive_and_goes_no_further(void **state)
{
	static const struct {
		int *place;
		const char *done;
	} broken[] = {
		{&answers.prove, "tunnel; "},
		{&answers.link, "tunnel; link; "},
		{&answers.wall, "tunnel; link; wall; "},
		{&answers.verify, "tunnel; link; wall; full; "},
		{&answers.read, "tunnel; link; wall; full; read; "},
		{&answers.probe, "tunnel; link; wall; full; read; probe closed; "},
	};
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct evidence ev;
		start(state);
		*broken[i].place = -1;
		assert_int_equal(check_run(VERIFY_FULL, &ev), -1);
		assert_int_equal(ev.outcome, OUTCOME_INCONCLUSIVE);
		assert_string_equal(ev.code, "inconclusive");
		assert_non_null(strstr(ev.sentence, "failed"));
		assert_did(broken[i].done);
		evidence_done(&ev);
	}
}

static void a_cancelled_check_says_nothing(void **state)
{
	struct evidence ev;
	(void)state;
	answers.verify = WAIT_CANCELED;
	assert_int_equal(check_run(VERIFY_FULL, &ev), WAIT_CANCELED);
	assert_int_equal(ev.outcome, OUTCOME_PASSED);
	assert_did("tunnel; link; wall; full; ");
	evidence_done(&ev);
}

#define ONCE "tunnel; link; wall; light; "
#define AGAIN ONCE "read; close; light; "
#define STILL "tunnel still; "

static void what_is_silent_while_the_host_sends_is_asked_again_while_the_wall_holds_that_back(
	void **state)
{
	static const struct {
		int sent;
		const char *code;
		bool is_open;
		enum outcome first, undisturbed, outcome;
		const char *done;
	} cases[] = {
		{9, NULL, true, OUTCOME_FAILED, OUTCOME_PASSED, OUTCOME_PASSED,
			AGAIN "open for 900 s; "},
		{9, NULL, true, OUTCOME_INCONCLUSIVE, OUTCOME_INCONCLUSIVE, OUTCOME_INCONCLUSIVE,
			AGAIN "open for 900 s; " STILL},
		{9, NULL, true, OUTCOME_INCONCLUSIVE, OUTCOME_FAILED, OUTCOME_FAILED, AGAIN STILL},
		{9, NULL, false, OUTCOME_FAILED, OUTCOME_PASSED, OUTCOME_PASSED, AGAIN},
		{9, "exit_mismatch", true, OUTCOME_FAILED, OUTCOME_PASSED, OUTCOME_FAILED, ONCE},
		{9, NULL, true, OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_PASSED, ONCE},
		{0, NULL, true, OUTCOME_FAILED, OUTCOME_PASSED, OUTCOME_FAILED, ONCE STILL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct evidence ev;
		start(state);
		answers.sent = cases[i].sent;
		answers.code = cases[i].code;
		answers.is_open = cases[i].is_open;
		answers.verifies = cases[i].first;
		answers.undisturbed = cases[i].undisturbed;
		assert_int_equal(check_run(VERIFY_LIGHT, &ev), 0);
		assert_int_equal(ev.outcome, cases[i].outcome);
		_cleanup_(freep) char *checks = json_print(ev.checks);
		bool again = strstr(cases[i].done, "close") != NULL;
		assert_int_equal(cJSON_GetArraySize(ev.checks), again ? 5 : 4);
		assert_int_equal(strstr(checks, "beside 9 packets") != NULL, again);
		assert_did(cases[i].done);
		evidence_done(&ev);
	}
}

static void an_exit_that_was_silent_is_glanced_at_and_then_asked_undisturbed(void **state)
{
	static const struct {
		enum verify_kind kind;
		const char *code;
		enum outcome first, outcome;
		const char *done;
	} rows[] = {
		{VERIFY_LIGHT, NULL, OUTCOME_PASSED, OUTCOME_PASSED, ONCE},
		{VERIFY_LIGHT, NULL, OUTCOME_INCONCLUSIVE, OUTCOME_PASSED,
			AGAIN "open for 900 s; "},
		{VERIFY_LIGHT, NULL, OUTCOME_FAILED, OUTCOME_PASSED, AGAIN "open for 900 s; "},
		{VERIFY_LIGHT, "exit_mismatch", OUTCOME_FAILED, OUTCOME_FAILED, ONCE},
		{VERIFY_FULL, NULL, OUTCOME_FAILED, OUTCOME_FAILED,
			"tunnel; link; wall; full; " STILL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct evidence ev;
		start(state);
		answers.is_open = answers.is_silent = true;
		answers.glances = rows[i].kind == VERIFY_LIGHT;
		answers.verifies = rows[i].first;
		answers.code = rows[i].code;
		assert_int_equal(check_run(rows[i].kind, &ev), 0);
		assert_int_equal(ev.outcome, rows[i].outcome);
		assert_did(rows[i].done);
		evidence_done(&ev);
	}
}

static void beside_a_busy_resolver_probes_are_sent_and_few_packets_of_the_hosts_pass(void **state)
{
	static const struct {
		int sent;
		const char *done;
	} rows[] = {
		{0, "tunnel; link; wall; full; " STILL "read; probe open; "},
		{1000, "tunnel; link; wall; full; " STILL "read; probe open; "},
		{1001, "tunnel; link; wall; full; read; close; full; open for 900 s; " STILL
		       "read; probe open; "},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct evidence ev;
		start(state);
		answers.is_busy = answers.is_open = true;
		answers.sent = rows[i].sent;
		assert_int_equal(check_run(VERIFY_FULL, &ev), 0);
		assert_int_equal(ev.outcome, OUTCOME_INCONCLUSIVE);
		assert_true(evidence_proves_exit(&ev));
		assert_did(rows[i].done);
		evidence_done(&ev);
	}
}

static void a_wall_that_cannot_be_closed_or_opened_again_is_said(void **state)
{
	static const struct {
		int *place;
		const char *done;
	} broken[] = {
		{&answers.read, ONCE "read; "},
		{&answers.close, ONCE "read; close; "},
		{&answers.verify, ONCE},
		{&answers.open, AGAIN "open for 900 s; "},
		{&answers.prove_still, AGAIN "open for 900 s; " STILL},
		{&answers.sent, ONCE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct evidence ev;
		start(state);
		answers.sent = 9;
		answers.is_open = true;
		answers.verifies = answers.undisturbed = OUTCOME_INCONCLUSIVE;
		*broken[i].place = -1;
		assert_int_equal(check_run(VERIFY_LIGHT, &ev), -1);
		assert_int_equal(ev.outcome, OUTCOME_INCONCLUSIVE);
		assert_did(broken[i].done);
		evidence_done(&ev);
	}
}

static void a_dead_container_fails_without_any_other_check(void **state)
{
	struct run run = run_make();
	struct host_spec spec = {0};
	struct wait w = wait_for(1000, -1);
	struct err e;
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct evidence ev;
		evidence_init(&ev);
		if (i == 0) {
			eventfd_write(run.process_fd, 1);
		} else {
			close(run.process_fd);
			run.process_fd = -1;
		}
		assert_true(run_is_dead(&run));
		assert_int_equal(run_check(&run, &spec, VERIFY_LIGHT, &w, &ev, &e), 0);
		assert_int_equal(ev.outcome, OUTCOME_FAILED);
		assert_string_equal(ev.code, "inventory");
		assert_did("");
		evidence_done(&ev);
	}
}

static int renew(struct evidence *ev)
{
	struct run run = run_make();
	struct err e;
	evidence_init(ev);
	int r = run_renew(&run, 900, ev, &e);
	evidence_done(ev);
	close(run.process_fd);
	return r;
}

static void a_wall_that_had_closed_is_probed_once_it_is_open_again(void **state)
{
	struct evidence ev;
	(void)state;
	answers.is_open = true;
	assert_int_equal(renew(&ev), 0);
	assert_did("read; open for 1 s; ");
	answers.is_open = false;
	assert_int_equal(renew(&ev), 0);
	assert_did("read; open for 1 s; probe open; ");
	answers.probes = OUTCOME_FAILED;
	assert_int_equal(renew(&ev), 0);
	assert_int_equal(ev.outcome, OUTCOME_FAILED);
	assert_did("read; open for 1 s; probe open; ");
	answers.probe = -1;
	assert_int_equal(renew(&ev), -1);
	assert_did("read; open for 1 s; probe open; ");
	answers.open = -1;
	assert_int_equal(renew(&ev), -1);
	assert_did("read; open for 1 s; ");
	answers.read = -1;
	assert_int_equal(renew(&ev), -1);
	assert_did("read; ");
}

static int adopt(const char *id, struct run *ret, struct err *e)
{
	struct host_spec spec = {.host_id = "h"};
	struct docker_container c = {
		.pid = 77, .ids = {.base = 200000}, .started_at = "then", .sandbox_key = "/key"};
	struct wait w = wait_for(1000, -1);
	snprintf(c.id, sizeof(c.id), "%s", id);
	spec.has_exit = true;
	spec.exit.tunnel.kind = &kind;
	spec.exit.tunnel.link.mtu = answers.mtu > 0 ? 0 : 1420;
	spec.exit.tunnel.mtu_open = answers.mtu > 0;
	const struct run_found found = {
		.tunnels = &tunnels, .store = &the_store, .spec = &spec, .container = &c};
	return run_adopt(&found, &w, ret, e);
}

static void an_mtu_that_was_found_is_read_from_the_device(void **state)
{
	struct run run;
	struct err e;
	(void)state;
	answers.mtu = 1328;
	assert_int_equal(adopt("abc", &run, &e), 0);
	assert_int_equal(run.exit.spec.tunnel.link.mtu, 1328);
	close(run.ns_fd);
	answers.mtu = 9000;
	assert_int_equal(adopt("abc", &run, &e), -1);
	assert_string_equal(e.message, "its tunnel has an MTU of 9000, which no start gives");
	answers.mtu = 1328;
	answers.link_mtu = -1;
	assert_int_equal(adopt("abc", &run, &e), -1);
}

static void what_is_adopted_has_a_namespace_a_tunnel_and_an_open_gate(void **state)
{
	struct run run;
	struct err e;
	(void)state;
	assert_int_equal(adopt("abc", &run, &e), 0);
	assert_did("netns /key; wall_init; find cabc; gate of 77 as 200000; ask; ");
	assert_string_equal(run.container_id, "abc");
	assert_string_equal(run.started_at, "then");
	assert_int_equal(run.pid, 77);
	assert_int_equal(run.exit.spec.tunnel.link.mtu, 1420);
	assert_true(run.ns_fd >= 0);
	close(run.ns_fd);
	answers.gate = GATE_OPENED;
	assert_int_equal(adopt("abc", &run, &e), 0);
	close(run.ns_fd);
}

static void a_host_without_an_exit_is_not_adopted(void **state)
{
	struct host_spec spec = {0};
	struct docker_container c = {.id = "abc", .ids = {.base = 200000}, .sandbox_key = "/key"};
	struct wait w = wait_for(1000, -1);
	struct run run;
	struct err e;
	(void)state;
	const struct run_found found = {
		.tunnels = &tunnels, .store = &the_store, .spec = &spec, .container = &c};
	assert_int_equal(run_adopt(&found, &w, &run, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.message, "the host has no exit");
	assert_did("");
}

#define CLOSED "wall_done; tunnel_done; exit_done; "

static void what_is_not_whole_is_not_adopted(void **state)
{
	static const struct {
		int *place;
		int answer;
		int result;
		const char *done, *why;
	} parts[] = {
		{&answers.netns, -1, -1, "netns /key; " CLOSED, "no namespace"},
		{&answers.init, -1, -1, "netns /key; wall_init; " CLOSED, "wall_init failed"},
		{&answers.copy, -1, -1, "netns /key; wall_init; " CLOSED, "no copy"},
		{&answers.find, -1, -1, "netns /key; wall_init; find cabc; " CLOSED, "find"},
		{&answers.find, TUNNEL_ABSENT, -1, "netns /key; wall_init; find cabc; " CLOSED,
			"its tunnel does not run"},
		{&answers.home, -1, -1, "netns /key; wall_init; find cabc; " CLOSED,
			"no directory"},
		{&answers.program, -1, -1, "netns /key; wall_init; find cabc; " CLOSED,
			"no program"},
		{&answers.connect, -1, -1,
			"netns /key; wall_init; find cabc; gate of 77 as 200000; " CLOSED,
			"no gate"},
		{&answers.connect, WAIT_TIMEOUT, -1,
			"netns /key; wall_init; find cabc; gate of 77 as 200000; " CLOSED, NULL},
		{&answers.connect, WAIT_CANCELED, WAIT_CANCELED,
			"netns /key; wall_init; find cabc; gate of 77 as 200000; " CLOSED, NULL},
		{&answers.say, -1, -1,
			"netns /key; wall_init; find cabc; gate of 77 as 200000; ask; " CLOSED,
			"ask"},
		{&answers.say, WAIT_CANCELED, WAIT_CANCELED,
			"netns /key; wall_init; find cabc; gate of 77 as 200000; ask; " CLOSED,
			NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct run run = RUN_INIT;
		struct err e;
		start(state);
		*parts[i].place = parts[i].answer;
		assert_int_equal(adopt("abc", &run, &e), parts[i].result);
		assert_int_equal(run.ns_fd, -1);
		assert_did(parts[i].done);
		if (parts[i].why)
			assert_non_null(strstr(e.message, parts[i].why));
	}
}

static void a_closed_run_holds_no_descriptor(void **state)
{
	struct run run = run_make();
	(void)state;
	int process_fd = run.process_fd, ns_fd = eventfd(0, EFD_CLOEXEC);
	run.ns_fd = ns_fd;
	run_close(&run);
	assert_did(CLOSED);
	assert_int_equal(fcntl(process_fd, F_GETFD), -1);
	assert_int_equal(fcntl(ns_fd, F_GETFD), -1);
}

static void a_closed_gate_or_a_strange_id_is_not_adopted(void **state)
{
	struct run run;
	struct err e;
	(void)state;
	answers.gate = GATE_WAITING;
	assert_int_equal(adopt("abc", &run, &e), -1);
	assert_string_equal(e.message, "its gate is closed");
	start(state);
	assert_int_equal(adopt("xyz", &run, &e), -1);
	assert_did("netns /key; wall_init; " CLOSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			a_light_check_sends_no_probes_and_a_full_one_those_of_the_walls_state,
			start),
		cmocka_unit_test(nothing_is_asked_through_a_tunnel_that_is_not_as_it_should_be),
		cmocka_unit_test(a_tunnel_that_ended_while_the_exit_was_asked_is_the_reason),
		cmocka_unit_test(a_check_that_cannot_run_is_inconclusive_and_goes_no_further),
		cmocka_unit_test_setup(a_cancelled_check_says_nothing, start),
		cmocka_unit_test(
			what_is_silent_while_the_host_sends_is_asked_again_while_the_wall_holds_that_back),
		cmocka_unit_test(
			beside_a_busy_resolver_probes_are_sent_and_few_packets_of_the_hosts_pass),
		cmocka_unit_test(an_exit_that_was_silent_is_glanced_at_and_then_asked_undisturbed),
		cmocka_unit_test(a_wall_that_cannot_be_closed_or_opened_again_is_said),
		cmocka_unit_test_setup(a_dead_container_fails_without_any_other_check, start),
		cmocka_unit_test_setup(
			a_wall_that_had_closed_is_probed_once_it_is_open_again, start),
		cmocka_unit_test_setup(an_mtu_that_was_found_is_read_from_the_device, start),
		cmocka_unit_test_setup(
			what_is_adopted_has_a_namespace_a_tunnel_and_an_open_gate, start),
		cmocka_unit_test_setup(a_host_without_an_exit_is_not_adopted, start),
		cmocka_unit_test(what_is_not_whole_is_not_adopted),
		cmocka_unit_test_setup(a_closed_run_holds_no_descriptor, start),
		cmocka_unit_test_setup(a_closed_gate_or_a_strange_id_is_not_adopted, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
