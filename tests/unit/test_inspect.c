// SPDX-License-Identifier: Apache-2.0
// An inspection: what it finds out, what it does about it, and when it is made again.
// uses: agent/host/inspect.c agent/host/verdict.c agent/evidence.c
#include "tests/unit/agent_fakes.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/host/guard.h"
#include "agent/host/inspect.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/pool.h"

static struct {
	int submit, inspect, adopt, begin, check;
	enum outcome outcome; // of the first check
	bool is_taken, is_due, is_dead;
	struct docker_container container;
} answers;

static struct agent agent;
static struct host host;
static struct host_spec spec;

struct loop_source {
	void (*fn)(void *data);
	void *data;
};

int loop_timer(struct loop *loop, void (*fn)(void *data), void *data, struct loop_source **ret,
	struct err *e)
{
	static struct loop_source timer;
	(void)loop;
	(void)e;
	timer = (struct loop_source){.fn = fn, .data = data};
	*ret = &timer;
	return 0;
}

void loop_timer_set(struct loop_source *timer, int64_t delay_ms, int64_t period_ms)
{
	(void)timer;
	did("timer %lld, then %lld", (long long)delay_ms, (long long)period_ms);
}

// A pool that works at once.
int pool_submit(struct pool *pool, struct pool_job *job)
{
	(void)pool;
	if (answers.submit != 0)
		return answers.submit;
	job->run(job, NULL);
	job->done(job);
	return 0;
}

void hosts_schedule_inspection(struct hosts *hosts, const char *id, int pause_ms)
{
	(void)hosts;
	did("schedule %s in %d ms", id, pause_ms);
	answers.is_due = true;
}

bool hosts_queue_inspection(struct hosts *hosts, const char *id)
{
	(void)hosts;
	(void)id;
	return answers.is_due;
}

void hosts_unqueue_inspection(struct hosts *hosts, const char *id)
{
	(void)hosts;
	did("unqueue %s", id);
}

struct host *host_take_for_inspection(struct hosts *hosts, const char *id)
{
	(void)hosts;
	assert_string_equal(id, "h");
	return answers.is_taken ? NULL : &host;
}

size_t hosts_ids(struct hosts *hosts, host_id_text **ret)
{
	(void)hosts;
	*ret = xcalloc(2, sizeof(**ret));
	strcpy((*ret)[0], "h");
	strcpy((*ret)[1], "h");
	return 2;
}

void host_set_run(struct hosts *hosts, struct host *h, const struct run *run)
{
	(void)hosts;
	(void)run;
	h->run.number = 9;
	did("set run");
}

void container_name(const struct container_owner *owner, const char *host_id,
	char ret[static CONTAINER_NAME_SIZE])
{
	(void)owner;
	snprintf(ret, CONTAINER_NAME_SIZE, "%s", host_id);
}

int docker_inspect(struct docker *d, const char *id, const struct wait *w,
	struct docker_container *ret, struct err *e)
{
	(void)w;
	assert_non_null(d);
	assert_string_equal(id, "h");
	if (answers.inspect == 0)
		*ret = answers.container;
	return result(answers.inspect, "Docker is away", e);
}

bool run_is_dead(const struct run *run)
{
	(void)run;
	return answers.is_dead;
}

int run_adopt(const struct run_found *found, const struct wait *w, struct run *ret, struct err *e)
{
	(void)found;
	(void)w;
	did("adopt");
	*ret = RUN_INIT;
	return result(answers.adopt, "its gate is closed", e);
}

int run_check(struct run *run, const struct host_spec *s, enum verify_kind kind,
	const struct wait *w, struct evidence *ev, struct err *e)
{
	(void)run;
	(void)s;
	(void)w;
	did("check %s", kind == VERIFY_FULL ? "full" : "light");
	if (answers.check == 0 && answers.outcome != OUTCOME_PASSED)
		evidence_add(ev, "x", answers.outcome, "leak", 0, "seen");
	return result(answers.check, "broken", e);
}

bool guard_judge(struct agent *a, struct host *h, struct docker *d, const char *kind,
	const char *task_id, struct evidence *ev)
{
	(void)a;
	(void)h;
	(void)d;
	assert_null(task_id);
	did("judge %s %s", kind, outcome_name(ev->outcome));
	return ev->outcome != OUTCOME_FAILED;
}

void guard_report_failure(struct agent *a, const struct host *h, const char *kind,
	const struct evidence *ev, const struct err *e)
{
	(void)a;
	(void)h;
	(void)ev;
	did("report %s %s", kind, e->message);
}

int guards_begin(struct guards *guards, const struct host *h, struct err *e)
{
	(void)guards;
	(void)h;
	did("guard");
	return result(answers.begin, "no watch", e);
}

void guards_check_soon(struct guards *guards, uint64_t run_number)
{
	(void)guards;
	did("check %llu soon", (unsigned long long)run_number);
}

// A host that SQL wants running, of which this agent knows nothing yet, and a container that runs.
static int start(void **state)
{
	(void)state;
	memset(&answers, 0, sizeof(answers));
	answers.container =
		(struct docker_container){.id = "c", .running = true, .started_at = "today"};
	spec = (struct host_spec){.has_exit = true};
	strcpy(spec.status, "running");
	host = (struct host){.id = "h", .spec = &spec};
	trace[0] = '\0';
	return 0;
}

static void inspect(void)
{
	trace[0] = '\0';
	answers.is_due = false;
	inspect_host(&agent, "h");
}

#define SCHEDULED "schedule h in 0 ms; "

static void what_runs_as_it_was_left_is_observed(void **state)
{
	(void)state;
	host.run.number = 7;
	strcpy(host.run.started_at, "today");
	inspect();
	assert_did(SCHEDULED "observe running (); release; ");
}

static void what_has_ended_is_ended_whole(void **state)
{
	(void)state;
	host.run.number = 7;
	host.seen = true;
	strcpy(host.run.started_at, "today");
	answers.is_dead = true;
	inspect();
	assert_did(SCHEDULED "end; observe stopped () the container has ended; release; ");
	end_result = -1; // is logged, and changes nothing else
	inspect();
	end_result = 0;
	assert_did(SCHEDULED "end; log ending a host failed; observe stopped () the container has "
			     "ended; release; ");

	answers.container.running = false;
	answers.container.exit_code = 137;
	inspect();
	assert_did(SCHEDULED
		"end; observe stopped () the container has ended with status 137; release; ");
	answers.container.oom_killed = true;
	inspect();
	assert_did(SCHEDULED "end; observe stopped () the container has ended with status 137, "
			     "out of memory; release; ");

	host.run.number = 0;
	inspect();
	assert_did(SCHEDULED "observe stopped () the container has ended with status 137, "
			     "out of memory; release; ");
	answers.inspect = DOCKER_ABSENT;
	inspect();
	assert_did(SCHEDULED "observe absent () there is no container; release; ");
}

static void what_was_started_again_is_ended(void **state)
{
	(void)state;
	host.run.number = 7;
	host.seen = true;
	strcpy(host.run.started_at, "yesterday");
	inspect();
	assert_did(SCHEDULED "end; observe stopped () the container was not started by the agent; "
			     "it was stopped; release; ");
	host.run = RUN_INIT; // nothing of it ran, whatever Docker says of its start
	answers.container.started_at[0] = '\0';
	inspect();
	assert_did(SCHEDULED "end; observe stopped () the container was not started by the agent; "
			     "it was stopped; release; ");
}

static void a_first_inspection_leaves_the_host_seen(void **state)
{
	(void)state;
	answers.inspect = DOCKER_ABSENT;
	inspect();
	assert_true(host.seen);
}

static void a_host_that_need_not_run_is_not_adopted(void **state)
{
#define UNWATCHED \
	"end; observe stopped () the container ran while no agent watched over it; it was stopped; "
	(void)state;
	spec.has_exit = false;
	inspect();
	assert_did(SCHEDULED UNWATCHED "release; ");
	start(state);
	strcpy(spec.status, "stopped");
	inspect();
	assert_did(SCHEDULED UNWATCHED "release; ");
	start(state);
	host.spec = NULL;
	inspect();
	assert_did(SCHEDULED UNWATCHED "release; ");
}

static void a_host_whose_settings_cannot_be_used_is_ended_with_their_sentence(void **state)
{
	static char why[] = "it has no exit";
	(void)state;
	host.spec = NULL;
	host.unusable = why;
	inspect();
	assert_did(
		SCHEDULED "end; observe stopped (settings_incomplete) it has no exit; release; ");
	start(state); // the last usable ones stay, and say that it need not run
	host.unusable = why;
	strcpy(spec.status, "stopped");
	inspect();
	assert_did(SCHEDULED "end; observe stopped () the container ran while no agent watched "
			     "over it; it was stopped; release; ");
	start(state);
	host.unusable = why;
	inspect();
	assert_did(SCHEDULED "adopt; set run; guard; check full; judge full passed; "
			     "observe running (); release; ");
}

static void what_is_adopted_is_guarded_and_proven(void **state)
{
	static const struct {
		int check;
		enum outcome outcome;
		const char *done;
	} rows[] = {
		{0, OUTCOME_PASSED, "judge full passed; observe running (); "},
		{0, OUTCOME_INCONCLUSIVE,
			"judge full inconclusive; check 9 soon; observe running (); "},
		{0, OUTCOME_FAILED, "judge full failed; "},
		{-1, OUTCOME_PASSED, "report full broken; check 9 soon; observe running (); "},
		{WAIT_CANCELED, OUTCOME_PASSED, "check 9 soon; "},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(state);
		answers.check = rows[i].check;
		answers.outcome = rows[i].outcome;
		inspect();
		_cleanup_(freep) char *expected = xasprintf(
			SCHEDULED "adopt; set run; guard; check full; %srelease; ", rows[i].done);
		assert_did(expected);
	}
}

static void what_is_not_whole_is_ended_with_its_reason(void **state)
{
	(void)state;
	answers.adopt = -1;
	inspect();
	assert_did(SCHEDULED "adopt; verified full failed; end; "
			     "observe stopped (inventory) its gate is closed; release; ");
	start(state);
	answers.begin = -1;
	inspect();
	assert_did(SCHEDULED "adopt; set run; guard; verified full failed; end; "
			     "observe stopped (inventory) no watch; release; ");
}

static void an_inspection_that_learnt_nothing_is_made_again(void **state)
{
	(void)state;
	answers.adopt = WAIT_CANCELED;
	inspect();
	assert_did(SCHEDULED "adopt; schedule h in 5000 ms; release; ");
	answers.inspect = WAIT_CANCELED;
	inspect();
	assert_did(SCHEDULED "schedule h in 5000 ms; release; ");
	answers.inspect = -1;
	inspect();
	assert_did(SCHEDULED "schedule h in 5000 ms; release; ");
	assert_false(host.seen);
}

static void a_docker_that_is_stuck_is_asked_less_and_less_often_and_that_is_said(void **state)
{
	static const int pauses_s[] = {5, 10, 20, 40, 80, 160, 320, 320, 320};
	(void)state;
	host.run.number = 7;
	strcpy(host.run.started_at, "today");
	answers.inspect = WAIT_TIMEOUT;
	for (size_t i = 0; i < ARRAY_SIZE(pauses_s); i++) {
		_cleanup_(freep) char *done = xasprintf("%s%sschedule h in %d ms; release; ",
			SCHEDULED, i == 2 ? "observe running (docker_failed) Docker is away; " : "",
			pauses_s[i] * 1000);
		inspect();
		assert_did(done);
	}
	answers.inspect = WAIT_CANCELED; // a task wants the host
	inspect();
	assert_did(SCHEDULED "schedule h in 320000 ms; release; ");
	answers.inspect = 0;
	inspect();
	assert_did(SCHEDULED "observe running (); release; ");
	answers.inspect = -1;
	inspect();
	assert_did(SCHEDULED "schedule h in 5000 ms; release; ");
	host.run.number = 0;
	inspect();
	inspect();
	assert_did(SCHEDULED "schedule h in 20000 ms; release; ");
}

static void a_host_that_is_taken_or_a_full_pool_leaves_the_inspection_due(void **state)
{
	(void)state;
	answers.is_taken = true;
	inspect();
	assert_did(SCHEDULED);
	answers.submit = POOL_FULL;
	inspect();
	assert_did(SCHEDULED "unqueue h; ");
}

static void what_is_due_is_tried_each_second_and_all_when_docker_is_back(void **state)
{
	struct loop_source *timer;
	struct err e;
	(void)state;
	answers.inspect = DOCKER_ABSENT;
	assert_int_equal(inspect_begin(&agent, &timer, &e), 0);
	assert_did("timer 1000, then 1000; ");
	timer->fn(timer->data);
	assert_did("");
	answers.is_due = true;
	timer->fn(timer->data);
	assert_did("observe absent () there is no container; release; "
		   "observe absent () there is no container; release; ");
	inspect_all(&agent);
	assert_did(SCHEDULED "observe absent () there is no container; release; " SCHEDULED
			     "observe absent () there is no container; release; ");
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_runs_as_it_was_left_is_observed),
		TEST(what_has_ended_is_ended_whole),
		TEST(what_was_started_again_is_ended),
		TEST(a_first_inspection_leaves_the_host_seen),
		TEST(a_host_that_need_not_run_is_not_adopted),
		TEST(a_host_whose_settings_cannot_be_used_is_ended_with_their_sentence),
		TEST(what_is_adopted_is_guarded_and_proven),
		TEST(what_is_not_whole_is_ended_with_its_reason),
		TEST(an_inspection_that_learnt_nothing_is_made_again),
		TEST(a_docker_that_is_stuck_is_asked_less_and_less_often_and_that_is_said),
		TEST(a_host_that_is_taken_or_a_full_pool_leaves_the_inspection_due),
		TEST(what_is_due_is_tried_each_second_and_all_when_docker_is_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
