// SPDX-License-Identifier: Apache-2.0
// When a tunnel is asked, and what becomes of what is heard.
// uses: agent/host/pulse.c
#include "tests/unit/trace.h"

#include <stdlib.h>

#include "agent/agent.h"
#include "agent/host/host.h"
#include "agent/host/pulse.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"

static struct agent agent;
static struct host host;
static struct pulse *pulse;
static struct pool_job *job; // submitted and not done
static struct {
	int open, ask, hear, renew, submit;
	bool is_taken;
} answers;

struct loop_source {
	void (*fn)(void *data);
	void *data;
};
static struct loop_source timer;

int loop_timer(struct loop *loop, void (*fn)(void *data), void *data, struct loop_source **ret,
	struct err *e)
{
	(void)loop;
	(void)e;
	timer = (struct loop_source){fn, data};
	*ret = &timer;
	return 0;
}

void loop_timer_set(struct loop_source *source, int64_t delay_ms, int64_t period_ms)
{
	assert_ptr_equal(source, &timer);
	assert_int_equal(period_ms, 0);
	did("%d ms", (int)delay_ms);
}

void loop_source_free(struct loop_source *source)
{
	if (source)
		did("free timer");
}

int pool_submit_first(struct pool *pool, struct pool_job *submitted)
{
	(void)pool;
	did("submit");
	if (answers.submit == 0) {
		assert_null(job);
		job = submitted;
	}
	return answers.submit;
}

struct host *host_try_take(struct hosts *hosts, const char *id)
{
	(void)hosts;
	assert_string_equal(id, host.id);
	return answers.is_taken ? NULL : &host;
}

void host_release(struct hosts *hosts, struct host *h)
{
	(void)hosts;
	assert_ptr_equal(h, &host);
	did("release");
}

struct tunnel_place run_place(const struct run *run)
{
	return (struct tunnel_place){.ns_fd = run->ns_fd};
}

void tunnel_pulse_close(struct tunnel_pulse *p)
{
	assert_int_equal(p->fd, -1);
	did("close");
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	(void)level;
	(void)fields;
	did("log %s", event);
}

static int open_it(const struct tunnel_place *place, const struct tunnel *t,
	struct tunnel_pulse *ret, struct err *e)
{
	assert_int_equal(place->ns_fd, 99);
	assert_ptr_equal(t, &host.run.tunnel);
	(void)ret;
	return result(answers.open, "not opened", e);
}

static int ask(struct tunnel_pulse *p, struct err *e)
{
	(void)p;
	did("ask");
	return result(answers.ask, "not asked", e);
}

static int hear(struct tunnel_pulse *p, struct err *e)
{
	(void)p;
	did("hear");
	return result(answers.hear, "silent", e);
}

static int renew(const struct tunnel_place *place, const struct tunnel *t, struct err *e)
{
	assert_int_equal(place->ns_fd, 99);
	assert_ptr_equal(t, &host.run.tunnel);
	did("renew");
	return result(answers.renew, "not renewed", e);
}

static const struct tunnel_kind kind = {
	.pulse_open = open_it, .pulse_ask = ask, .pulse_hear = hear, .renew = renew};

static void on_silence(void *data)
{
	assert_ptr_equal(data, &host);
	did("silent");
}

static int make(struct err *e)
{
	return pulse_new(&agent, &host, on_silence, &host, &pulse, e);
}

static int start(void **state)
{
	struct err e;
	(void)state;
	memset(&answers, 0, sizeof(answers));
	job = NULL;
	host = (struct host){.id = "h", .run = RUN_INIT};
	host.run.number = 7;
	host.run.ns_fd = 99;
	host.run.tunnel.kind = &kind;
	assert_int_equal(make(&e), 0);
	assert_int_equal(pulse_begin(pulse, &e), 0);
	trace[0] = '\0';
	return 0;
}

static int stop(void **state)
{
	(void)state;
	pulse_free(pulse);
	pulse = NULL;
	return 0;
}

static void fires(void)
{
	timer.fn(timer.data);
}

static void job_runs(void)
{
	struct pool_job *running = job;
	assert_non_null(running);
	job = NULL;
	running->run(running, NULL);
	running->done(running);
}

static void a_tunnel_that_answers_is_asked_every_3_seconds(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		fires();
		fires();
		assert_did("ask; 500 ms; hear; 2500 ms; ");
	}
}

static void runs_that_begin_together_are_asked_at_times_of_their_own(void **state)
{
	struct err e;
	(void)state;
	for (host.run.number = 1; host.run.number <= 4; host.run.number++) {
		pulse_free(pulse);
		assert_int_equal(make(&e), 0);
		trace[0] = '\0';
		assert_int_equal(pulse_begin(pulse, &e), 0);
		assert_did(((const char *const[]){
			"2473 ms; ", "1946 ms; ", "1419 ms; ", "892 ms; "})[host.run.number - 1]);
	}
}

static void one_late_answer_is_asked_for_again_soon_and_is_nothing_else(void **state)
{
	(void)state;
	answers.hear = TUNNEL_SILENT;
	fires();
	fires();
	answers.hear = 0;
	fires();
	fires();
	answers.hear = TUNNEL_SILENT;
	fires();
	fires();
	assert_did("ask; 500 ms; hear; 500 ms; ask; 500 ms; hear; 2500 ms; "
		   "ask; 500 ms; hear; 500 ms; ");
}

static void the_second_in_a_row_is_told_and_so_is_each_other_second(void **state)
{
	static const int silences[] = {TUNNEL_SILENT, TUNNEL_ABSENT, -1};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(silences); i++) {
		answers.hear = silences[i];
		for (int two = 0; two < 2; two++) {
			fires();
			fires();
			assert_did("ask; 500 ms; hear; 500 ms; ");
			fires();
			fires();
			assert_did("ask; 500 ms; hear; 2500 ms; silent; ");
		}
	}
}

static void what_cannot_be_asked_is_told_too(void **state)
{
	(void)state;
	answers.ask = TUNNEL_ABSENT;
	fires();
	fires();
	assert_did("ask; 500 ms; ask; 2500 ms; silent; ");
}

static void two_different_doubts_are_two_first_ones(void **state)
{
	(void)state;
	answers.hear = TUNNEL_SILENT;
	fires();
	fires();
	answers.hear = TUNNEL_UNANSWERED;
	fires();
	fires();
	assert_did("ask; 500 ms; hear; 500 ms; ask; 500 ms; hear; 500 ms; ");
}

// Twice unanswered.
static void hears_nothing_of_the_exit(void)
{
	answers.hear = TUNNEL_UNANSWERED;
	for (int i = 0; i < 4; i++)
		fires();
	answers.hear = 0;
}
#define UNANSWERED "ask; 500 ms; hear; 500 ms; ask; 500 ms; hear; 2500 ms; "
#define RENEWED "renew; log an exit that was silent is greeted again; release; "

static void an_exit_that_answers_nothing_is_greeted_again(void **state)
{
	(void)state;
	hears_nothing_of_the_exit();
	assert_did(UNANSWERED "submit; ");
	hears_nothing_of_the_exit();
	assert_did(UNANSWERED); // one at a time
	job_runs();
	assert_did(RENEWED "silent; ");
	answers.renew = TUNNEL_UNUSABLE;
	hears_nothing_of_the_exit();
	job_runs();
	assert_did(UNANSWERED
		"submit; renew; log an exit that is silent cannot be greeted again; release; silent; ");
}

static void one_that_needs_no_greeting_is_checked_at_once(void **state)
{
	static const struct tunnel_kind without = {
		.pulse_open = open_it, .pulse_ask = ask, .pulse_hear = hear};
	struct err e;
	(void)state;
	pulse_free(pulse);
	host.run.tunnel.kind = &without;
	assert_int_equal(make(&e), 0);
	assert_int_equal(pulse_begin(pulse, &e), 0);
	trace[0] = '\0';
	hears_nothing_of_the_exit();
	assert_did(UNANSWERED "silent; ");
}

static void a_host_that_is_taken_or_another_run_is_left_alone(void **state)
{
	(void)state;
	answers.is_taken = true;
	hears_nothing_of_the_exit();
	job_runs();
	assert_did(UNANSWERED "submit; silent; ");
	answers.is_taken = false;
	host.run.number = 8;
	hears_nothing_of_the_exit();
	job_runs();
	assert_did(UNANSWERED "submit; release; silent; ");
	answers.submit = POOL_STOPPED;
	hears_nothing_of_the_exit();
	answers.submit = 0;
	hears_nothing_of_the_exit();
	assert_did(UNANSWERED "submit; " UNANSWERED "submit; ");
	job_runs();
	assert_did("release; silent; ");
}

static void one_that_ends_while_it_greets_is_freed_afterwards(void **state)
{
	(void)state;
	hears_nothing_of_the_exit();
	trace[0] = '\0';
	pulse_end(pulse);
	pulse = NULL;
	assert_did("free timer; ");
	job_runs();
	assert_did(RENEWED "close; ");
}

static void one_that_greets_nobody_is_freed_when_it_ends(void **state)
{
	(void)state;
	pulse_end(pulse);
	pulse = NULL;
	assert_did("free timer; close; ");
}

static void one_that_greets_when_the_agent_ends_is_freed_with_it(void **state)
{
	(void)state;
	hears_nothing_of_the_exit();
	trace[0] = '\0';
	pulse_free(pulse);
	pulse = NULL;
	assert_did("free timer; close; ");
}

static void what_cannot_be_opened_is_an_error(void **state)
{
	struct err e;
	(void)state;
	pulse_free(pulse);
	pulse = NULL;
	trace[0] = '\0';
	answers.open = TUNNEL_ABSENT;
	assert_int_equal(make(&e), -1);
	assert_string_equal(e.message, "not opened");
	assert_null(pulse);
	assert_did("close; ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tunnel_that_answers_is_asked_every_3_seconds),
		TEST(runs_that_begin_together_are_asked_at_times_of_their_own),
		TEST(one_late_answer_is_asked_for_again_soon_and_is_nothing_else),
		TEST(the_second_in_a_row_is_told_and_so_is_each_other_second),
		TEST(what_cannot_be_asked_is_told_too),
		TEST(two_different_doubts_are_two_first_ones),
		TEST(an_exit_that_answers_nothing_is_greeted_again),
		TEST(one_that_needs_no_greeting_is_checked_at_once),
		TEST(a_host_that_is_taken_or_another_run_is_left_alone),
		TEST(one_that_ends_while_it_greets_is_freed_afterwards),
		TEST(one_that_greets_nobody_is_freed_when_it_ends),
		TEST(one_that_greets_when_the_agent_ends_is_freed_with_it),
		TEST(what_cannot_be_opened_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
