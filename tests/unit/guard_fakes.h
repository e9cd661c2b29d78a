// SPDX-License-Identifier: Apache-2.0
// The neighbours of a guard, as its unit tests need them.
#pragma once

#include "tests/unit/agent_fakes.h"

#include <sys/eventfd.h>

#include "agent/agent.h"
#include "agent/host/guard.h"
#include "agent/host/pulse.h"
#include "agent/host/ssh.h"
#include "agent/host/turn.h"
#include "lib/mem.h"
#include "lib/pool.h"

// What the neighbours answer.
static struct {
	int link_watch, wall_watch, pulse; // < 0: fails
	bool changed; // links and rules
	int submit, check, renew;
	enum outcome outcome; // of a check that runs
	bool is_taken; // the host, by a task
	bool ssh_is_silent;
} answers;

static struct agent agent;
static struct host host;
static struct host_spec spec;
static struct pool_job *job; // submitted and not done

// The loop: a source is what loop_watch or loop_timer was given.
struct loop_source {
	void (*on_fd)(void *data, uint32_t events);
	void (*on_timer)(void *data);
	void *data;
};
enum { LINK, WALL, TUNNEL, PROCESS, TIMER, SOURCES };
static struct loop_source sources[SOURCES];
static int watched; // sources in use, without the timer

int loop_watch(struct loop *loop, int fd, uint32_t events, void (*fn)(void *data, uint32_t events),
	void *data, struct loop_source **ret, struct err *e)
{
	(void)loop;
	(void)fd;
	(void)events;
	(void)e;
	if (watched == TUNNEL && host.run.tunnel.pidfd < 0)
		watched++; // there is none
	sources[watched] = (struct loop_source){.on_fd = fn, .data = data};
	*ret = &sources[watched++];
	return 0;
}

int loop_timer(struct loop *loop, void (*fn)(void *data), void *data, struct loop_source **ret,
	struct err *e)
{
	(void)loop;
	(void)e;
	sources[TIMER] = (struct loop_source){.on_timer = fn, .data = data};
	*ret = &sources[TIMER];
	return 0;
}

void loop_timer_set(struct loop_source *timer, int64_t delay_ms, int64_t period_ms)
{
	assert_ptr_equal(timer, &sources[TIMER]);
	assert_int_equal(period_ms, 0);
	did("timer %lld s", (long long)(delay_ms + 500) / 1000);
}

void loop_source_free(struct loop_source *source)
{
	if (source)
		did("free %s", source == &sources[TUNNEL]    ? "tunnel"
			       : source == &sources[PROCESS] ? "process"
			       : source == &sources[TIMER]   ? "timer"
							     : "watch");
}

// The pulse of the host.
struct pulse {
	void (*silent)(void *data);
	void *data;
	bool is_ended;
};
static struct pulse its_pulse;

int pulse_new(struct agent *a, const struct host *h, void (*silent)(void *data), void *data,
	struct pulse **ret, struct err *e)
{
	assert_ptr_equal(a, &agent);
	assert_ptr_equal(h, &host);
	its_pulse = (struct pulse){.silent = silent, .data = data};
	*ret = answers.pulse < 0 ? NULL : &its_pulse;
	return result(answers.pulse, "no pulse", e);
}

int pulse_begin(struct pulse *p, struct err *e)
{
	(void)e;
	assert_ptr_equal(p, &its_pulse);
	return 0;
}

void pulse_free(struct pulse *p)
{
	assert_true(!p || p == &its_pulse);
	if (p)
		its_pulse = (struct pulse){0};
}

void pulse_end(struct pulse *p)
{
	assert_ptr_equal(p, &its_pulse);
	its_pulse = (struct pulse){.is_ended = true};
}

void loop_post(struct loop *loop, struct loop_post *post)
{
	(void)loop;
	post->fn(post);
}

int pool_submit(struct pool *pool, struct pool_job *submitted)
{
	(void)pool;
	did("submit");
	if (answers.submit == 0) {
		assert_null(job);
		job = submitted;
	}
	return answers.submit;
}

int link_watch(int ns_fd, struct err *e)
{
	(void)ns_fd;
	return answers.link_watch < 0 ? err_say(e, EIO, "no link watch") : eventfd(0, EFD_CLOEXEC);
}

int wall_watch(int ns_fd, struct err *e)
{
	(void)ns_fd;
	return answers.wall_watch < 0 ? err_say(e, EIO, "no wall watch") : eventfd(0, EFD_CLOEXEC);
}

bool link_changed(int watch_fd)
{
	(void)watch_fd;
	return answers.changed;
}

bool wall_changed(int watch_fd)
{
	(void)watch_fd;
	return answers.changed;
}

struct host *host_try_take(struct hosts *hosts, const char *id)
{
	(void)hosts;
	assert_string_equal(id, host.id);
	return answers.is_taken ? NULL : &host;
}

void host_set_spec(struct host *h, struct host_spec *s)
{
	h->spec = s;
	did("set spec");
}

void hosts_schedule_inspection(struct hosts *hosts, const char *id, int pause_ms)
{
	(void)hosts;
	assert_string_equal(id, host.id);
	did("inspect in %d ms", pause_ms);
}

int run_check(struct run *run, const struct host_spec *s, enum verify_kind kind,
	const struct wait *w, struct evidence *ev, struct err *e)
{
	(void)s;
	(void)w;
	did("check %s%s", run->silent ? "silent " : "", kind == VERIFY_FULL ? "full" : "light");
	if (answers.check < 0)
		evidence_add(ev, "check", OUTCOME_INCONCLUSIVE, "inconclusive", 0, "broken");
	else if (answers.check == 0)
		evidence_add(ev, "exit_ip", answers.outcome,
			answers.outcome == OUTCOME_PASSED ? NULL : "exit_mismatch", 0, "seen");
	return result(answers.check, "broken", e);
}

int run_renew(struct run *run, int64_t life_ms, struct evidence *ev, struct err *e)
{
	(void)run;
	(void)ev;
	did("renew %lld s", (long long)life_ms / 1000);
	return result(answers.renew, "no proof", e);
}

// As if each check ended when its turn came.
int64_t turn_ms(uint32_t number, int64_t period_ms, int64_t now_ms)
{
	(void)now_ms;
	assert_int_equal(number, spec.tunnel_uid);
	return period_ms;
}

bool ssh_check(struct agent *a, struct host *h, bool again, const struct wait *w)
{
	(void)w;
	assert_ptr_equal(a, &agent);
	assert_ptr_equal(h, &host);
	did(again ? "ssh again" : "ssh");
	return !answers.ssh_is_silent;
}
