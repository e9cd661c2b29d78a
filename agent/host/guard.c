// SPDX-License-Identifier: Apache-2.0
// Watches each run, checks it in time and after changes.
#include "agent/host/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/evidence.h"
#include "agent/host/end.h"
#include "agent/host/host.h"
#include "agent/host/outbox.h"
#include "agent/host/pulse.h"
#include "agent/host/schedule.h"
#include "agent/host/ssh.h"
#include "agent/host/turn.h"
#include "agent/host/verdict.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"

enum {
	LATER_MS = 1000,
	SSH_AGAIN_S = 15, // it may be mended at any time, and its user waits for that
};

struct guard {
	struct agent *agent;
	char host_id[SPEC_ID_SIZE];
	uint64_t run_number;
	const struct tunnel_kind *kind; // of the run's tunnel
	int link_fd, wall_fd, tunnel_fd, process_fd;
	struct loop_source *link, *wall, *tunnel, *process, *timer;
	struct pulse *pulse;
	struct schedule schedule;
	bool busy; // a check is queued or runs
	bool ended; // freed as soon as it is not busy
	// the check's result: pause until the next; 0: this run has ended
	int64_t next_ms;
	bool passed; // the check's result too
	bool full; // kind of the running check
	bool silent; // it was asked for by silence
	struct pool_job job;
	struct loop_post post;
	struct guard *next;
};

struct guards {
	struct agent *agent;
	struct guard *first;
};

struct guards *guards_new(struct agent *a)
{
	struct guards *guards = xnew(struct guards);

	guards->agent = a;
	return guards;
}

static void guard_free(struct guard *g)
{
	pulse_free(g->pulse);
	loop_source_free(g->link);
	loop_source_free(g->wall);
	loop_source_free(g->tunnel);
	loop_source_free(g->process);
	loop_source_free(g->timer);
	closep(&g->link_fd);
	closep(&g->wall_fd);
	closep(&g->tunnel_fd);
	closep(&g->process_fd);
	free(g);
}

void guards_free(struct guards *guards)
{
	while (guards->first) {
		struct guard *g = guards->first;

		guards->first = g->next;
		guard_free(g);
	}
	free(guards);
}

static void guard_remove(struct guards *guards, struct guard *g)
{
	struct guard **place = &guards->first;

	while (*place != g)
		place = &(*place)->next;
	*place = g->next;
	pulse_end(TAKE_PTR(g->pulse));
	guard_free(g);
}

bool guard_judge(struct agent *a, struct host *host, struct docker *d, const char *kind,
	const char *task_id, struct evidence *ev)
{
	struct err e;
	if (evidence_proves_exit(ev) &&
		run_renew(&host->run, host->spec->proof_life_s * 1000, ev, &e) < 0)
		evidence_add(ev, "proof", OUTCOME_FAILED, "internal", 0, "%s", e.message);
	bool exit_proven = evidence_proves_exit(ev);
	if (exit_proven)
		outbox_proven(a->outbox, host->id, host->spec->proof_life_s);
	enum check_verdict verdict =
		verdict_of_check(ev->outcome, exit_proven, wait_now_ms(), &host->unknown);
	if (verdict != CHECK_HOLDS || strcmp(kind, "light") != 0)
		outbox_verified(a->outbox, host->id, task_id, kind, ev);
	if (verdict != CHECK_ENDS)
		return true;
	log_warning("host does not hold, closing it", log_text("host", host->id),
		log_text("code", ev->code), log_text("why", ev->sentence));
	if (host_end(a, host, d, NULL, &e) < 0)
		log_error("ending the host failed", log_text("host", host->id), log_err(&e));
	outbox_observe(a->outbox, host->id, "stopped", ev->code, ev->sentence);
	return false;
}

void guard_report_failure(struct agent *a, const struct host *host, const char *kind,
	const struct evidence *ev, const struct err *e)
{
	log_error("a host cannot be checked", log_text("host", host->id), log_err(e));
	outbox_verified(a->outbox, host->id, NULL, kind, ev);
}

static int64_t light_turn_ms(const struct guard *g)
{
	return turn_ms(g->schedule.number, g->schedule.light_ms, wait_now_ms());
}

// The host is taken and the guard's. Sets what the guard does next.
static void check_host(struct guard *g, struct host *host)
{
	struct agent *a = g->agent;
	struct wait w = wait_for(RUN_CHECK_MS, host->yield_fd);
	const char *kind = g->full ? "full" : "light";
	_cleanup_(evidence_done) struct evidence ev;
	struct err e;

	evidence_init(&ev);
	host->run.silent = g->silent;
	int r = run_check(
		&host->run, host->spec, g->full ? VERIFY_FULL : VERIFY_LIGHT, &w, &ev, &e);
	g->next_ms = r == WAIT_CANCELED ? LATER_MS : CHECK_AGAIN_S * 1000;
	if (r < 0) {
		guard_report_failure(a, host, kind, &ev, &e);
	} else if (r == 0) {
		_cleanup_(docker_freep) struct docker *d = docker_new(a->docker_socket);
		bool holds = guard_judge(a, host, d, kind, NULL, &ev);

		g->passed = ev.outcome == OUTCOME_PASSED;
		if (!holds)
			g->next_ms = 0;
		else if (g->passed)
			g->next_ms = ssh_check(a, host, g->full, &w) ? light_turn_ms(g)
								     : SSH_AGAIN_S * 1000;
	}
}

static void check_run(struct pool_job *job, struct db *db)
{
	struct guard *g = container_of(job, struct guard, job);
	struct hosts *hosts = g->agent->hosts;
	struct host *host = host_try_take(hosts, g->host_id);

	(void)db;
	g->passed = false;
	g->next_ms = LATER_MS; // a task has it and finds out by itself
	if (!host)
		return;
	if (host->run.number == g->run_number) {
		g->schedule.light_ms = host->spec->light_s * 1000;
		g->schedule.full_ms = host->spec->full_s * 1000;
		check_host(g, host);
	} else {
		g->next_ms = 0;
	}
	host_release(hosts, host);
}

static void check_done(struct pool_job *job)
{
	struct guard *g = container_of(job, struct guard, job);
	g->busy = false;
	if (g->silent && g->passed)
		schedule_silence_was_nothing(&g->schedule, wait_now_ms());
	g->silent = false;
	if (g->ended || g->next_ms == 0 || !job->ran) {
		guard_remove(g->agent->guards, g);
		return;
	}
	loop_timer_set(g->timer,
		schedule_next(&g->schedule, g->full, g->passed, g->next_ms, wait_now_ms()), 0);
}

static void check_submit(struct guard *g)
{
	if (g->busy)
		return;
	g->full = schedule_is_full(&g->schedule, wait_now_ms());
	g->job = (struct pool_job){.run = check_run, .done = check_done};
	if (pool_submit(g->agent->check_pool, &g->job) != 0) {
		loop_timer_set(g->timer, LATER_MS, 0);
		return;
	}
	g->busy = true;
	g->schedule.want_full = false;
}

static void on_timer(void *data)
{
	check_submit(data);
}

static void on_change(struct guard *g)
{
	g->schedule.want_full = true;
	check_submit(g);
}

static void on_link(void *data, uint32_t events)
{
	struct guard *g = data;

	(void)events;
	if (link_changed(g->link_fd))
		on_change(g);
}

static void on_wall(void *data, uint32_t events)
{
	struct guard *g = data;

	(void)events;
	if (wall_changed(g->wall_fd))
		on_change(g);
}

// What carries the tunnel has died: its device is gone, and the check will say so. The descriptor
// stays readable.
static void on_tunnel(void *data, uint32_t events)
{
	struct guard *g = data;

	(void)events;
	loop_source_free(g->tunnel);
	g->tunnel = NULL;
	log_warning("the tunnel has died", log_text("host", g->host_id));
	on_change(g);
}

// What is wrong with it the check says.
static void on_silence(void *data)
{
	struct guard *g = data;

	if (g->busy || !schedule_hears_silence(&g->schedule, wait_now_ms()))
		return;
	log_warning("the tunnel or its exit is silent", log_text("host", g->host_id));
	g->silent = true;
	check_submit(g);
}

// The container has died. Docker reports that too, and how, unless it is down itself.
static void on_process(void *data, uint32_t events)
{
	struct guard *g = data;

	(void)events;
	loop_source_free(g->process);
	g->process = NULL;
	hosts_schedule_inspection(g->agent->hosts, g->host_id, LATER_MS);
}

static void guard_install(struct loop_post *post)
{
	struct guard *g = container_of(post, struct guard, post);
	struct loop *loop = g->agent->loop;
	struct err e;

	g->next = g->agent->guards->first;
	g->agent->guards->first = g;
	if (loop_watch(loop, g->link_fd, EPOLLIN, on_link, g, &g->link, &e) < 0 ||
		loop_watch(loop, g->wall_fd, EPOLLIN, on_wall, g, &g->wall, &e) < 0 ||
		(g->tunnel_fd >= 0 && loop_watch(loop, g->tunnel_fd, EPOLLIN, on_tunnel, g,
					      &g->tunnel, &e) < 0) ||
		loop_watch(loop, g->process_fd, EPOLLIN, on_process, g, &g->process, &e) < 0 ||
		loop_timer(loop, on_timer, g, &g->timer, &e) < 0 || pulse_begin(g->pulse, &e) < 0) {
		log_error("a host cannot be guarded", log_text("host", g->host_id), log_err(&e));
		abort();
	}
	int64_t now_ms = wait_now_ms();
	g->schedule.full_at_ms = now_ms + turn_ms(g->schedule.number, g->schedule.full_ms, now_ms);
	loop_timer_set(g->timer, light_turn_ms(g), 0);
}

// Opens what the guard watches. The kernel's own tunnels have nothing that could die by itself.
static int watches_open(struct guard *g, const struct run *run, struct err *e)
{
	g->link_fd = link_watch(run->ns_fd, e);
	if (g->link_fd < 0)
		return -1;
	g->wall_fd = wall_watch(run->ns_fd, e);
	if (g->wall_fd < 0)
		return -1;
	g->process_fd = fcntl(run->process_fd, F_DUPFD_CLOEXEC, 0);
	if (run->tunnel.pidfd >= 0)
		g->tunnel_fd = fcntl(run->tunnel.pidfd, F_DUPFD_CLOEXEC, 0);
	if (g->process_fd < 0 || (g->tunnel_fd < 0 && run->tunnel.pidfd >= 0))
		return err_set(e, errno, "copy the descriptors of tunnel and container");
	return 0;
}

int guards_begin(struct guards *guards, const struct host *host, struct err *e)
{
	struct guard *g = xnew(struct guard);
	*g = (struct guard){
		.agent = guards->agent,
		.run_number = host->run.number,
		.kind = host->run.tunnel.kind,
		.link_fd = -1,
		.wall_fd = -1,
		.tunnel_fd = -1,
		.process_fd = -1,
		.schedule = {.number = host->spec->tunnel_uid,
			.light_ms = host->spec->light_s * 1000,
			.full_ms = host->spec->full_s * 1000},
		.post.fn = guard_install,
	};
	memcpy(g->host_id, host->id, sizeof(g->host_id));
	if (watches_open(g, &host->run, e) < 0 ||
		pulse_new(guards->agent, host, on_silence, g, &g->pulse, e) < 0) {
		guard_free(g);
		return -1;
	}
	loop_post(guards->agent->loop, &g->post);
	return 0;
}

void guards_check_kind(struct guards *guards, const struct tunnel_kind *kind)
{
	for (struct guard *g = guards->first; g; g = g->next)
		if (g->kind == kind)
			on_change(g);
}

// What is asked of a run's guard from other threads.
enum guard_request { GUARD_END, GUARD_CHECK, GUARD_CHECK_SOON };

struct guard_call {
	struct guards *guards;
	uint64_t run_number;
	enum guard_request request;
	struct loop_post post;
};

static void guard_serve(struct guards *guards, struct guard *g, enum guard_request request)
{
	switch (request) {
	case GUARD_END:
		if (g->busy)
			g->ended = true;
		else
			guard_remove(guards, g);
		break;
	case GUARD_CHECK:
		on_change(g);
		break;
	case GUARD_CHECK_SOON:
		g->schedule.want_full = true;
		loop_timer_set(g->timer, CHECK_AGAIN_S * 1000, 0);
		break;
	}
}

static void guard_called(struct loop_post *post)
{
	struct guard_call *call = container_of(post, struct guard_call, post);
	struct guard *g = call->guards->first;

	while (g && g->run_number != call->run_number)
		g = g->next;
	if (g)
		guard_serve(call->guards, g, call->request);
	free(call);
}

static void guard_call(struct guards *guards, uint64_t run_number, enum guard_request request)
{
	if (run_number == 0)
		return;
	struct guard_call *call = xnew(struct guard_call);
	*call = (struct guard_call){.guards = guards,
		.run_number = run_number,
		.request = request,
		.post.fn = guard_called};
	loop_post(guards->agent->loop, &call->post);
}

void guards_end(void *guards, uint64_t run_number)
{
	guard_call(guards, run_number, GUARD_END);
}

void guards_check_soon(struct guards *guards, uint64_t run_number)
{
	guard_call(guards, run_number, GUARD_CHECK_SOON);
}

static bool settings_differ(const struct host_spec *a, const struct host_spec *b)
{
	return !cJSON_Compare(cJSON_GetObjectItemCaseSensitive(a->json, "verify"),
		cJSON_GetObjectItemCaseSensitive(b->json, "verify"), true);
}

void guard_set_spec(struct agent *a, struct host *host, struct host_spec *spec)
{
	if (host->spec && settings_differ(host->spec, spec))
		guard_call(a->guards, host->run.number, GUARD_CHECK);
	host_set_spec(host, spec);
}
