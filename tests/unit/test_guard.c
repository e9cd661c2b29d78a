// SPDX-License-Identifier: Apache-2.0
// When a guard checks, which kind of check it makes, and what each result leads to.
// uses: agent/host/guard.c agent/host/schedule.c agent/host/verdict.c agent/evidence.c
#include "tests/unit/guard_fakes.h"

static int first_free_fd; // when a test begins, and again when it has ended

static int start(void **state)
{
	(void)state;
	first_free_fd = lowest_free_fd();
	memset(&answers, 0, sizeof(answers));
	memset(sources, 0, sizeof(sources));
	watched = 0;
	job = NULL;
	agent = (struct agent){.guards = guards_new(&agent)};
	spec = (struct host_spec){
		.light_s = 60, .full_s = 600, .proof_life_s = 900, .tunnel_uid = 4711};
	host = (struct host){.id = "h", .spec = &spec, .run = RUN_INIT};
	host.run.number = 7;
	host.run.process_fd = eventfd(0, EFD_CLOEXEC);
	host.run.tunnel.pidfd = eventfd(0, EFD_CLOEXEC);
	trace[0] = '\0';
	return 0;
}

static int stop(void **state)
{
	(void)state;
	guards_free(agent.guards);
	close(host.run.process_fd);
	close(host.run.tunnel.pidfd);
	assert_int_equal(lowest_free_fd(), first_free_fd);
	return 0;
}

static void begin(void)
{
	struct err e;
	assert_int_equal(guards_begin(agent.guards, &host, &e), 0);
}

static void timer_fires(void)
{
	sources[TIMER].on_timer(sources[TIMER].data);
}

static void rings(int source)
{
	sources[source].on_fd(sources[source].data, 0);
}

// The job that was submitted runs and is done.
static void job_runs(void)
{
	struct pool_job *running = job;
	assert_non_null(running);
	running->run(running, NULL);
	running->ran = true;
	job = NULL;
	running->done(running);
}

#define REMOVED "free watch; free watch; free tunnel; free process; free timer; "

static void checks_come_at_their_periods(void **state)
{
	(void)state;
	begin();
	assert_did("timer 60 s; ");
	timer_fires();
	assert_did("submit; ");
	job_runs();
	assert_did("check light; renew 900 s; proven for 900; ssh; release; timer 60 s; ");
}

static void a_silent_sshd_is_asked_again_soon_and_ends_nothing(void **state)
{
	(void)state;
	answers.ssh_is_silent = true;
	begin();
	timer_fires();
	job_runs();
	assert_did(
		"timer 60 s; submit; check light; renew 900 s; proven for 900; ssh; release; timer 15 s; ");
}

static void a_full_check_is_made_when_it_is_due_and_not_waited_past(void **state)
{
	(void)state;
	spec.full_s = 20; // before the next light one
	begin();
	timer_fires();
	job_runs();
	assert_did(
		"timer 60 s; submit; check light; renew 900 s; proven for 900; ssh; release; timer 20 s; ");
	spec.full_s = 0;
	guards_end(agent.guards, 7);
	assert_did(REMOVED);
	watched = 0;
	begin();
	timer_fires();
	job_runs();
	assert_did(
		"timer 60 s; submit; check full; renew 900 s; proven for 900; verified full passed; ssh again; release; "
		"timer 60 s; ");
}

static void the_periods_are_those_of_the_latest_spec(void **state)
{
	(void)state;
	begin();
	spec.light_s = 30;
	timer_fires();
	job_runs();
	assert_did(
		"timer 60 s; submit; check light; renew 900 s; proven for 900; ssh; release; timer 30 s; ");
}

static void after_a_full_check_the_next_one_is_a_period_away(void **state)
{
	(void)state;
	begin();
	answers.changed = true;
	rings(WALL);
	spec.full_s = 10;
	job_runs();
	assert_did(
		"timer 60 s; submit; check full; renew 900 s; proven for 900; verified full passed; ssh again; release; "
		"timer 10 s; ");
	timer_fires();
	job_runs();
	assert_did("submit; check light; renew 900 s; proven for 900; ssh; release; timer 10 s; ");
}

static void a_check_that_shows_nothing_is_made_again_in_full_and_three_end_the_host(void **state)
{
	(void)state;
	begin();
	answers.outcome = OUTCOME_INCONCLUSIVE;
	timer_fires();
	job_runs();
	assert_did("timer 60 s; submit; check light; verified light inconclusive; release; "
		   "timer 5 s; ");
	timer_fires();
	job_runs();
	assert_did("submit; check full; verified full inconclusive; release; timer 5 s; ");
	host.unknown.since_ms -= CHECK_INCONCLUSIVE_MS;
	timer_fires();
	job_runs();
	assert_did("submit; check full; verified full inconclusive; end; observe stopped "
		   "(exit_mismatch) seen; release; " REMOVED);
}

static void a_failed_check_ends_the_host_at_once(void **state)
{
	(void)state;
	begin();
	answers.outcome = OUTCOME_FAILED;
	end_result = -1; // is logged, and changes nothing else
	timer_fires();
	job_runs();
	end_result = 0;
	assert_did("timer 60 s; submit; check light; verified light failed; end; "
		   "log ending the host failed; observe stopped "
		   "(exit_mismatch) seen; release; " REMOVED);
}

static void a_check_that_cannot_run_is_reported_and_renews_nothing(void **state)
{
	(void)state;
	begin();
	answers.check = -1;
	timer_fires();
	job_runs();
	assert_did("timer 60 s; submit; check light; log a host cannot be checked; "
		   "verified light inconclusive; release; timer 5 s; ");
	answers.check = 0;
	timer_fires();
	job_runs();
	assert_did(
		"submit; check full; renew 900 s; proven for 900; verified full passed; ssh again; release; timer 60 s; ");
}

static void a_check_that_gave_way_to_a_task_comes_soon(void **state)
{
	(void)state;
	begin();
	answers.is_taken = true;
	timer_fires();
	job_runs();
	assert_did("timer 60 s; submit; timer 1 s; ");
	answers.is_taken = false;
	answers.check = WAIT_CANCELED;
	timer_fires();
	job_runs();
	assert_did("submit; check full; release; timer 1 s; ");
}

static void a_guard_goes_when_the_run_is_not_its_own_or_the_pool_has_stopped(void **state)
{
	(void)state;
	begin();
	host.run.number = 8;
	timer_fires();
	job_runs();
	assert_did("timer 60 s; submit; release; " REMOVED);

	watched = 0;
	begin();
	timer_fires();
	job_runs();
	timer_fires();
	trace[0] = '\0';
	struct pool_job *dropped = job;
	job = NULL;
	dropped->done(dropped); // without having run
	assert_did(REMOVED);
}

static void a_full_pool_is_tried_again(void **state)
{
	(void)state;
	begin();
	answers.submit = POOL_FULL;
	answers.changed = true;
	rings(LINK);
	assert_did("timer 60 s; submit; timer 1 s; ");
	answers.submit = 0;
	timer_fires();
	job_runs();
	assert_did(
		"submit; check full; renew 900 s; proven for 900; verified full passed; ssh again; release; timer 60 s; ");
}

static void a_change_is_checked_in_full_at_once(void **state)
{
	static const int places[] = {LINK, WALL};
	(void)state;
	begin();
	assert_did("timer 60 s; ");
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		answers.changed = false;
		rings(places[i]);
		assert_did("");
		answers.changed = true;
		rings(places[i]);
		job_runs();
		assert_did(
			"submit; check full; renew 900 s; proven for 900; verified full passed; ssh again; release; "
			"timer 60 s; ");
	}
}

static void what_changed_for_one_kind_of_tunnel_has_runs_of_that_kind_checked_in_full(void **state)
{
	static const struct tunnel_kind mine, other;
	(void)state;
	host.run.tunnel.kind = &mine;
	begin();
	assert_did("timer 60 s; ");
	guards_check_kind(agent.guards, &other);
	assert_did("");
	guards_check_kind(agent.guards, &mine);
	assert_did("submit; ");
	job_runs();
	assert_non_null(strstr(trace, "check full"));
	trace[0] = '\0';
}

static void a_change_during_a_check_is_checked_right_after_it(void **state)
{
	(void)state;
	begin();
	timer_fires();
	assert_did("timer 60 s; submit; ");
	answers.changed = true;
	rings(LINK);
	assert_did(""); // one check at a time
	job_runs();
	assert_did("check light; renew 900 s; proven for 900; ssh; release; timer 0 s; ");
	timer_fires();
	job_runs();
	assert_did(
		"submit; check full; renew 900 s; proven for 900; verified full passed; ssh again; release; timer 60 s; ");
}

static void a_dead_tunnel_is_checked_and_a_dead_container_inspected(void **state)
{
	(void)state;
	begin();
	rings(PROCESS);
	assert_did("timer 60 s; free process; inspect in 1000 ms; ");
	rings(TUNNEL);
	assert_did("free tunnel; submit; ");
	answers.outcome = OUTCOME_FAILED;
	job_runs();
	assert_did(
		"check full; verified full failed; end; observe stopped (exit_mismatch) seen; release; "
		"free watch; free watch; free timer; ");
}

static void a_silent_engine_is_checked_at_once(void **state)
{
	(void)state;
	begin();
	its_pulse.silent(its_pulse.data);
	assert_did("timer 60 s; submit; ");
	its_pulse.silent(its_pulse.data);
	assert_did(""); // one check at a time
	answers.outcome = OUTCOME_FAILED;
	job_runs();
	assert_did(
		"check silent light; verified light failed; end; observe stopped (exit_mismatch) seen; "
		"release; " REMOVED);
	assert_true(its_pulse.is_ended);
}

#define PASSED "renew 900 s; proven for 900; ssh; release; timer 60 s; "

static void silence_that_was_nothing_is_not_checked_again_at_once(void **state)
{
	(void)state;
	begin();
	its_pulse.silent(its_pulse.data);
	job_runs();
	assert_did("timer 60 s; submit; check silent light; " PASSED);
	its_pulse.silent(its_pulse.data);
	assert_did("");
	timer_fires(); // what is due is due
	job_runs();
	assert_did("submit; check light; " PASSED);
}

static void a_guard_is_ended_at_once_or_after_its_check(void **state)
{
	(void)state;
	begin();
	trace[0] = '\0';
	guards_end(agent.guards, 0);
	guards_end(agent.guards, 6);
	assert_did("");
	guards_end(agent.guards, 7);
	assert_did(REMOVED);

	watched = 0;
	begin();
	timer_fires();
	trace[0] = '\0';
	guards_end(agent.guards, 7);
	assert_did("");
	job_runs();
	assert_did("check light; renew 900 s; proven for 900; ssh; release; " REMOVED);
}

static void each_of_several_guards_can_be_ended(void **state)
{
	(void)state;
	for (host.run.number = 7; host.run.number < 10; host.run.number++) {
		watched = 0;
		begin();
	}
	trace[0] = '\0';
	guards_end(agent.guards, 8);
	guards_end(agent.guards, 7);
	guards_end(agent.guards, 7);
	assert_did(REMOVED REMOVED);
}

static void a_check_may_be_asked_for_soon(void **state)
{
	(void)state;
	begin();
	guards_check_soon(agent.guards, 7);
	assert_did("timer 60 s; timer 5 s; ");
	timer_fires();
	job_runs();
	assert_did(
		"submit; check full; renew 900 s; proven for 900; verified full passed; ssh again; release; timer 60 s; ");
}

static struct host_spec spec_of(const char *json)
{
	return (struct host_spec){
		.json = cJSON_Parse(json), .light_s = 60, .full_s = 600, .proof_life_s = 900};
}

static void a_spec_with_another_verification_is_checked_at_once(void **state)
{
	static const struct {
		const char *json;
		const char *done;
	} specs[] = {
		{"{\"exit\":{\"a\":1},\"verify\":{\"b\":1},\"image\":\"x\"}", "set spec; "},
		{"{\"exit\":{\"a\":2},\"verify\":{\"b\":1}}", "set spec; "},
		{"{\"exit\":{\"a\":1},\"verify\":{\"b\":2}}", "submit; set spec; "},
		{"{\"exit\":{\"a\":1}}", "submit; set spec; "},
	};
	struct host_spec first = spec_of("{\"exit\":{\"a\":1},\"verify\":{\"b\":1}}");
	(void)state;
	begin();
	trace[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct host_spec next = spec_of(specs[i].json);
		host.spec = &first;
		guard_set_spec(&agent, &host, &next);
		assert_did(specs[i].done);
		if (job)
			job_runs();
		trace[0] = '\0';
		cJSON_Delete(next.json);
	}
	host.spec = NULL;
	guard_set_spec(&agent, &host, &first);
	assert_did("set spec; ");
	cJSON_Delete(first.json);
}

static void a_host_that_cannot_be_watched_is_not_guarded(void **state)
{
	struct err e;
	(void)state;
	answers.link_watch = -1;
	assert_int_equal(guards_begin(agent.guards, &host, &e), -1);
	assert_string_equal(e.message, "no link watch");
	answers.link_watch = 0;
	answers.wall_watch = -1;
	assert_int_equal(guards_begin(agent.guards, &host, &e), -1);
	assert_string_equal(e.message, "no wall watch");
	answers.wall_watch = 0;
	answers.pulse = -1;
	assert_int_equal(guards_begin(agent.guards, &host, &e), -1);
	assert_string_equal(e.message, "no pulse");
	answers.pulse = 0;
	int process_fd = host.run.process_fd, pidfd = host.run.tunnel.pidfd;
	host.run.process_fd = host.run.tunnel.pidfd = -1;
	assert_int_equal(guards_begin(agent.guards, &host, &e), -1);
	host.run.process_fd = process_fd;
	host.run.tunnel.pidfd = 1000000; // not a descriptor
	assert_int_equal(guards_begin(agent.guards, &host, &e), -1);
	host.run.tunnel.pidfd = pidfd;
	assert_did("");
}

static void a_tunnel_of_the_kernels_has_nothing_to_watch(void **state)
{
	(void)state;
	close(host.run.tunnel.pidfd);
	host.run.tunnel.pidfd = -1;
	begin();
	guards_end(agent.guards, 7);
	assert_did("timer 60 s; free watch; free watch; free process; free timer; ");
}

// What guard_judge makes of a verification: kind, task, the check that did not pass and how it ended,
// and whether the proof is renewed. Each has seen the exit.
static void a_verification_renews_counts_or_ends(void **state)
{
	static const struct {
		const char *kind, *task, *check;
		enum outcome outcome;
		int renew;
		bool holds;
		const char *done;
	} rows[] = {
		{"light", NULL, NULL, OUTCOME_PASSED, 0, true, "renew 900 s; proven for 900; "},
		{"full", NULL, NULL, OUTCOME_PASSED, 0, true,
			"renew 900 s; proven for 900; verified full passed; "},
		{"task", "t", NULL, OUTCOME_PASSED, 0, true,
			"renew 900 s; proven for 900; verified task of t passed; "},
		{"light", NULL, NULL, OUTCOME_PASSED, -1, false,
			"renew 900 s; verified light failed; end; observe stopped (internal) no proof; "},
		{"light", NULL, "x", OUTCOME_INCONCLUSIVE, 0, true,
			"verified light inconclusive; "},
		{"task", "t", "x", OUTCOME_INCONCLUSIVE, 0, true,
			"verified task of t inconclusive; "},
		{"light", NULL, "dns", OUTCOME_INCONCLUSIVE, 0, true,
			"renew 900 s; proven for 900; verified light inconclusive; "},
		{"task", "t", "dns", OUTCOME_INCONCLUSIVE, 0, true,
			"renew 900 s; proven for 900; verified task of t inconclusive; "},
		{"light", NULL, "dns", OUTCOME_INCONCLUSIVE, -1, false,
			"renew 900 s; verified light failed; end; observe stopped (internal) no proof; "},
		{"full", NULL, "dns", OUTCOME_FAILED, 0, false,
			"verified full failed; end; observe stopped (leak) seen; "},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct evidence ev;
		evidence_init(&ev);
		evidence_add(&ev, "exit_ip", OUTCOME_PASSED, NULL, 0, "seen");
		if (rows[i].check)
			evidence_add(&ev, rows[i].check, rows[i].outcome, "leak", 0, "seen");
		answers.renew = rows[i].renew;
		host.unknown.count = 0;
		assert_int_equal(guard_judge(&agent, &host, NULL, rows[i].kind, rows[i].task, &ev),
			rows[i].holds);
		assert_did(rows[i].done);
		evidence_done(&ev);
	}
}

static void a_busy_resolver_ends_no_host_whose_exit_is_seen(void **state)
{
	(void)state;
	host.unknown.count = 2;
	for (int i = 0; i < 4; i++) {
		struct evidence ev;
		evidence_init(&ev);
		evidence_add(&ev, "exit_ip", OUTCOME_PASSED, NULL, 0, "seen");
		evidence_add(&ev, "dns", OUTCOME_INCONCLUSIVE, "inconclusive", 0, "busy");
		assert_true(guard_judge(&agent, &host, NULL, "light", NULL, &ev));
		assert_did("renew 900 s; proven for 900; verified light inconclusive; ");
		assert_int_equal(host.unknown.count, 0);
		evidence_done(&ev);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(checks_come_at_their_periods),
		TEST(a_silent_sshd_is_asked_again_soon_and_ends_nothing),
		TEST(a_full_check_is_made_when_it_is_due_and_not_waited_past),
		TEST(the_periods_are_those_of_the_latest_spec),
		TEST(after_a_full_check_the_next_one_is_a_period_away),
		TEST(a_check_that_shows_nothing_is_made_again_in_full_and_three_end_the_host),
		TEST(a_failed_check_ends_the_host_at_once),
		TEST(a_check_that_cannot_run_is_reported_and_renews_nothing),
		TEST(a_check_that_gave_way_to_a_task_comes_soon),
		TEST(a_guard_goes_when_the_run_is_not_its_own_or_the_pool_has_stopped),
		TEST(a_full_pool_is_tried_again),
		TEST(a_change_is_checked_in_full_at_once),
		TEST(what_changed_for_one_kind_of_tunnel_has_runs_of_that_kind_checked_in_full),
		TEST(a_change_during_a_check_is_checked_right_after_it),
		TEST(a_dead_tunnel_is_checked_and_a_dead_container_inspected),
		TEST(a_silent_engine_is_checked_at_once),
		TEST(silence_that_was_nothing_is_not_checked_again_at_once),
		TEST(a_guard_is_ended_at_once_or_after_its_check),
		TEST(each_of_several_guards_can_be_ended),
		TEST(a_check_may_be_asked_for_soon),
		TEST(a_spec_with_another_verification_is_checked_at_once),
		TEST(a_host_that_cannot_be_watched_is_not_guarded),
		TEST(a_tunnel_of_the_kernels_has_nothing_to_watch),
		TEST(a_verification_renews_counts_or_ends),
		TEST(a_busy_resolver_ends_no_host_whose_exit_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
