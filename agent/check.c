// SPDX-License-Identifier: Apache-2.0
// Guards and their checks.
#include "agent/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/evidence.h"
#include "agent/home.h"
#include "agent/live.h"
#include "agent/outbox.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"

enum {
	CHECK_MS = 12000,
	TRASH_SLICE_MS = 200,
	LATER_MS = 1000,
};

struct guard {
	struct agent *agent;
	char host_id[SPEC_ID_SIZE];
	uint64_t run;
	int link_fd, wall_fd, engine_fd, process_fd;
	struct loop_source *link, *wall, *engine, *process, *timer;
	int64_t light_ms, full_ms; // periods
	int64_t full_at_ms; // next full check
	bool want_full; // something changed
	bool busy; // a check is queued or runs
	bool ended; // freed as soon as it is not busy
	// what the check said: pause until the next; 0: the host is not ours any more
	int64_t next_ms;
	bool passed; // what it said else
	bool full; // kind of the running check
	struct pool_job job;
	struct loop_post post;
	struct guard *next;
};

struct checks {
	struct agent *agent;
	struct guard *first;
};

struct checks *checks_new(struct agent *a)
{
	struct checks *checks = xnew(struct checks);

	checks->agent = a;
	return checks;
}

static void guard_free(struct guard *g)
{
	loop_source_free(g->link);
	loop_source_free(g->wall);
	loop_source_free(g->engine);
	loop_source_free(g->process);
	loop_source_free(g->timer);
	closep(&g->link_fd);
	closep(&g->wall_fd);
	closep(&g->engine_fd);
	closep(&g->process_fd);
	free(g);
}

void checks_free(struct checks *checks)
{
	while (checks->first) {
		struct guard *g = checks->first;

		checks->first = g->next;
		guard_free(g);
	}
	free(checks);
}

static void guard_remove(struct checks *checks, struct guard *g)
{
	struct guard **place = &checks->first;

	while (*place != g)
		place = &(*place)->next;
	*place = g->next;
	guard_free(g);
}

bool check_judge(struct agent *a, struct host *host, struct docker *d, const char *kind,
	const char *task_id, struct evidence *ev)
{
	struct err e;

	if (ev->outcome == OUTCOME_PASSED && live_renew(host, ev, &e) < 0)
		evidence_add(ev, "proof", OUTCOME_FAILED, "internal", 0, "%s", e.message);
	if (ev->outcome == OUTCOME_PASSED) {
		host->inconclusive = 0;
		if (strcmp(kind, "light") != 0)
			outbox_verified(a->outbox, host->id, task_id, kind, ev);
		return true;
	}
	outbox_verified(a->outbox, host->id, task_id, kind, ev);
	if (ev->outcome == OUTCOME_INCONCLUSIVE && !task_id &&
		++host->inconclusive < CHECK_INCONCLUSIVE_MAX)
		return true;
	log_warning("host does not hold, closing it", log_text("host", host->id),
		log_text("code", ev->code), log_text("why", ev->sentence));
	if (live_end(a, host, d, NULL, &e) < 0)
		log_error("ending the host failed", log_text("host", host->id), log_err(&e));
	outbox_observe(a->outbox, host->id, "stopped", ev->code, ev->sentence);
	return false;
}

void check_failed(struct agent *a, const struct host *host, const char *kind,
	const struct evidence *ev, const struct err *e)
{
	log_error("a host cannot be checked", log_text("host", host->id), log_err(e));
	outbox_verified(a->outbox, host->id, NULL, kind, ev);
}

// The host is taken and the guard's. Sets what the guard does next.
static void check_host(struct guard *g, struct host *host)
{
	struct agent *a = g->agent;
	struct wait w = wait_for(CHECK_MS, host->yield_fd);
	const char *kind = g->full ? "full" : "light";
	_cleanup_(evidence_done) struct evidence ev;
	struct err e;
	int r;

	evidence_init(&ev);
	r = live_check(host, &host->live.wall, g->full ? VERIFY_FULL : VERIFY_LIGHT, &w, &ev, &e);
	g->next_ms = r == WAIT_CANCELED ? LATER_MS : CHECK_AGAIN_S * 1000;
	if (r < 0) {
		check_failed(a, host, kind, &ev, &e);
	} else if (r == 0) {
		_cleanup_(docker_freep) struct docker *d = docker_new(a->docker_socket);
		bool lives = check_judge(a, host, d, kind, NULL, &ev);

		g->passed = ev.outcome == OUTCOME_PASSED;
		if (!lives)
			g->next_ms = 0;
		else if (g->passed)
			g->next_ms = g->light_ms;
	}
}

static void check_run(struct pool_job *job, struct db *db)
{
	struct guard *g = container_of(job, struct guard, job);
	struct hosts *hosts = g->agent->hosts;
	struct host *host = host_try_take(hosts, g->host_id);

	(void)db;
	g->passed = false;
	g->next_ms = LATER_MS; // a task has it and will see
	if (!host)
		return;
	if (host->live.run == g->run) {
		g->light_ms = host->spec->light_s * 1000;
		g->full_ms = host->spec->full_s * 1000;
		check_host(g, host);
	} else {
		g->next_ms = 0;
	}
	host_release(hosts, host);
}

static void check_submit(struct guard *g);

static void check_done(struct pool_job *job)
{
	struct guard *g = container_of(job, struct guard, job);
	int64_t now = wait_now_ms();

	g->busy = false;
	if (g->ended || g->next_ms == 0 || !job->ran) {
		guard_remove(g->agent->guards, g);
		return;
	}
	if (g->full && g->passed)
		g->full_at_ms = now + g->full_ms;
	else if (!g->passed) // a light one may have asked the one source that is down
		g->want_full = true;
	if (g->want_full && g->passed) {
		check_submit(g);
		return;
	}
	if (g->next_ms > g->full_at_ms - now && g->full_at_ms > now)
		g->next_ms = g->full_at_ms - now;
	loop_timer_set(g->timer, g->next_ms, 0);
}

static void check_submit(struct guard *g)
{
	if (g->busy)
		return;
	g->full = g->want_full || wait_now_ms() >= g->full_at_ms;
	g->job = (struct pool_job){.run = check_run, .done = check_done};
	if (pool_submit(g->agent->checks, &g->job) != 0) {
		loop_timer_set(g->timer, LATER_MS, 0);
		return;
	}
	g->busy = true;
	g->want_full = false;
}

static void on_timer(void *data)
{
	check_submit(data);
}

static void on_change(struct guard *g)
{
	g->want_full = true;
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

// The engine has died: its device is gone, and the check will say so. The descriptor stays
// readable.
static void on_engine(void *data, uint32_t events)
{
	struct guard *g = data;

	(void)events;
	loop_source_free(g->engine);
	g->engine = NULL;
	log_warning("the tunnel's engine has died", log_text("host", g->host_id));
	on_change(g);
}

// The container has died. Docker tells too, and how, unless it is not there itself.
static void on_process(void *data, uint32_t events)
{
	struct guard *g = data;

	(void)events;
	loop_source_free(g->process);
	g->process = NULL;
	hosts_owe_look(g->agent->hosts, g->host_id, LATER_MS);
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
		loop_watch(loop, g->engine_fd, EPOLLIN, on_engine, g, &g->engine, &e) < 0 ||
		loop_watch(loop, g->process_fd, EPOLLIN, on_process, g, &g->process, &e) < 0 ||
		loop_timer(loop, on_timer, g, &g->timer, &e) < 0) {
		log_error("a host cannot be guarded", log_text("host", g->host_id), log_err(&e));
		abort();
	}
	g->full_at_ms = wait_now_ms() + g->full_ms;
	loop_timer_set(g->timer, g->light_ms, 0);
}

int checks_begin(struct checks *checks, const struct host *host, struct err *e)
{
	struct guard *g = xnew(struct guard);

	*g = (struct guard){
		.agent = checks->agent,
		.run = host->live.run,
		.wall_fd = -1,
		.engine_fd = -1,
		.process_fd = -1,
		.light_ms = host->spec->light_s * 1000,
		.full_ms = host->spec->full_s * 1000,
	};
	memcpy(g->host_id, host->id, sizeof(g->host_id));
	g->link_fd = link_watch(host->live.ns_fd, e);
	if (g->link_fd >= 0)
		g->wall_fd = wall_watch(host->live.ns_fd, e);
	if (g->wall_fd >= 0) {
		g->engine_fd = fcntl(host->live.engine.pidfd, F_DUPFD_CLOEXEC, 0);
		g->process_fd = fcntl(host->live.process_fd, F_DUPFD_CLOEXEC, 0);
		if (g->engine_fd < 0 || g->process_fd < 0)
			err_note(e, errno,
				"the engine's and the container's descriptors cannot be copied");
	}
	if (g->engine_fd < 0 || g->process_fd < 0) {
		guard_free(g);
		return -1;
	}
	g->post.fn = guard_install;
	loop_post(checks->agent->loop, &g->post);
	return 0;
}

// What is asked of a run's guard from other threads.
enum guard_word { GUARD_END, GUARD_CHECK, GUARD_CHECK_SOON };

struct guard_call {
	struct checks *checks;
	uint64_t run;
	enum guard_word word;
	struct loop_post post;
};

static void guard_obey(struct checks *checks, struct guard *g, enum guard_word word)
{
	switch (word) {
	case GUARD_END:
		if (g->busy)
			g->ended = true;
		else
			guard_remove(checks, g);
		break;
	case GUARD_CHECK:
		on_change(g);
		break;
	case GUARD_CHECK_SOON:
		g->want_full = true;
		loop_timer_set(g->timer, CHECK_AGAIN_S * 1000, 0);
		break;
	}
}

static void guard_called(struct loop_post *post)
{
	struct guard_call *call = container_of(post, struct guard_call, post);
	struct guard *g = call->checks->first;

	while (g && g->run != call->run)
		g = g->next;
	if (g)
		guard_obey(call->checks, g, call->word);
	free(call);
}

static void guard_call(struct checks *checks, uint64_t run, enum guard_word word)
{
	struct guard_call *call;

	if (run == 0)
		return;
	call = xnew(struct guard_call);
	*call = (struct guard_call){
		.checks = checks, .run = run, .word = word, .post.fn = guard_called};
	loop_post(checks->agent->loop, &call->post);
}

void checks_end(struct checks *checks, uint64_t run)
{
	guard_call(checks, run, GUARD_END);
}

void checks_soon(struct checks *checks, uint64_t run)
{
	guard_call(checks, run, GUARD_CHECK_SOON);
}

static bool settings_differ(const struct host_spec *a, const struct host_spec *b)
{
	static const char *const parts[] = {"exit", "verify"};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!cJSON_Compare(cJSON_GetObjectItemCaseSensitive(a->json, parts[i]),
			    cJSON_GetObjectItemCaseSensitive(b->json, parts[i]), true))
			return true;
	}
	return false;
}

void check_learn(struct agent *a, struct host *host, struct host_spec *spec)
{
	if (host->spec && settings_differ(host->spec, spec))
		guard_call(a->guards, host->live.run, GUARD_CHECK);
	host_set_spec(host, spec);
}

struct sweep {
	struct agent *agent;
	bool more;
	struct pool_job job;
};

static void sweep_run(struct pool_job *job, struct db *db)
{
	struct sweep *sweep = container_of(job, struct sweep, job);
	struct wait w = wait_for(TRASH_SLICE_MS, -1);
	struct err e;
	int r = home_empty_trash(sweep->agent, &w, &e);

	(void)db;
	if (r < 0)
		log_warning("the trash of homes cannot be emptied", log_err(&e));
	sweep->more = r == WAIT_TIMEOUT;
}

static void sweep_done(struct pool_job *job)
{
	struct sweep *sweep = container_of(job, struct sweep, job);

	if (job->ran && sweep->more)
		check_empty_trash(sweep->agent);
	free(sweep);
}

void check_empty_trash(struct agent *a)
{
	struct sweep *sweep = xnew(struct sweep);

	*sweep = (struct sweep){.agent = a, .job = {.run = sweep_run, .done = sweep_done}};
	if (pool_submit(a->checks, &sweep->job) != 0)
		free(sweep);
}
