// SPDX-License-Identifier: Apache-2.0
// Inspects hosts: queue, run, retry.
#include "agent/host/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/container/container.h"
#include "agent/container/docker.h"
#include "agent/evidence.h"
#include "agent/host/end.h"
#include "agent/host/guard.h"
#include "agent/host/host.h"
#include "agent/host/outbox.h"
#include "agent/host/verdict.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"

enum {
	INSPECT_MS = 5000,
	RETRY_MS =
		5000, // after Docker did not answer for the first time; then twice as long each time
	RETRY_DOUBLED_MOST = 6, // so at most 5 minutes
	UNANSWERED_SAID = 3, // in a row before it is said of the host
	SCHEDULE_MS = 1000, // how often inspections are tried that had to wait
};

struct inspection {
	struct agent *agent;
	char host_id[SPEC_ID_SIZE];
	struct pool_job job;
};

static void end_logged(struct agent *a, struct host *host, struct docker *d)
{
	struct err e;

	if (host_end(a, host, d, NULL, &e) < 0)
		log_error("ending a host failed", log_text("host", host->id), log_err(&e));
}

// It could not be adopted or guarded.
static void inspect_refuse(
	struct agent *a, struct host *host, struct docker *d, const struct err *why)
{
	_cleanup_(evidence_done) struct evidence ev;

	evidence_init(&ev);
	evidence_add(&ev, "adopt", OUTCOME_FAILED, "inventory", 0, "%s", why->message);
	outbox_verified(a->outbox, host->id, NULL, "full", &ev);
	end_logged(a, host, d);
	outbox_observe(a->outbox, host->id, "stopped", ev.code, ev.sentence);
}

// The first check of what was adopted. Unless it passes, the next one is not far.
static void inspect_prove(
	struct agent *a, struct host *host, struct docker *d, const struct wait *w)
{
	_cleanup_(evidence_done) struct evidence ev;
	struct err e;

	evidence_init(&ev);
	int r = run_check(&host->run, host->spec, VERIFY_FULL, w, &ev, &e);
	if (r == 0 && !guard_judge(a, host, d, "full", NULL, &ev))
		return;
	if (r < 0)
		guard_report_failure(a, host, "full", &ev, &e);
	if (ev.outcome != OUTCOME_PASSED || r != 0)
		guards_check_soon(a->guards, host->run.number);
	if (r == WAIT_CANCELED)
		return; // a task wants it and begins from what it finds
	log_info("host adopted", log_text("host", host->id));
	outbox_observe(a->outbox, host->id, "running", NULL, NULL);
}

// A container that runs and that this agent has not started: whole, or ended. false: a task wants
// it before that is known.
static bool inspect_adopt(
	struct agent *a, struct host *host, struct docker *d, const struct docker_container *c)
{
	struct wait w = wait_for(RUN_CHECK_MS, host->yield_fd);
	struct err e;
	struct run run;
	const struct run_found found = {
		.tunnels = &a->tunnels, .store = &a->store, .spec = host->spec, .container = c};
	int r = run_adopt(&found, &w, &run, &e);

	if (r == 0) {
		host_set_run(a->hosts, host, &run);
		r = guards_begin(a->guards, host, &e);
	}
	if (r < 0)
		inspect_refuse(a, host, d, &e);
	else if (r == 0)
		inspect_prove(a, host, d, &w);
	return r <= 0;
}

// *c is all zero when there is no container.
static unsigned facts_of(const struct host *host, const struct docker_container *c, bool exists)
{
	const struct host_spec *spec = host->spec;
	bool same = host->run.number != 0 && strcmp(c->started_at, host->run.started_at) == 0;
	const struct {
		bool holds;
		enum inspection_fact fact;
	} facts[] = {
		{exists, FOUND_CONTAINER},
		{c->running, FOUND_RUNNING},
		{host->run.number != 0, FOUND_RUN},
		{same, FOUND_SAME},
		{same && run_is_dead(&host->run), FOUND_DEAD},
		{host->seen, FOUND_SEEN},
		{spec && spec->has_exit && strcmp(spec->status, "running") == 0, FOUND_WANTED},
		{!spec && host->unusable, FOUND_UNUSABLE},
	};
	unsigned ret = 0;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		ret |= facts[i].holds ? facts[i].fact : 0;
	return ret;
}

static void inspect_message(const struct inspection_verdict *v, const struct host *host,
	const struct docker_container *c, char *ret, size_t size)
{
	if (v->message)
		snprintf(ret, size, "%s", v->message);
	else if (v->code)
		snprintf(ret, size, "%s", host->unusable);
	else
		snprintf(ret, size, "the container has ended with status %d%s", c->exit_code,
			c->oom_killed ? ", out of memory" : "");
}

// What runs of it is ended, if anything does, and what is left is observed.
static void inspect_end(struct agent *a, struct host *host, struct docker *d,
	const struct docker_container *c, const struct inspection_verdict *v)
{
	char message[256];
	inspect_message(v, host, c, message, sizeof(message));
	if (host->run.number != 0 || c->running) {
		log_warning("host is not as it was left", log_text("host", host->id),
			log_text("why", message));
		end_logged(a, host, d);
	}
	host->seen = true;
	outbox_observe(a->outbox, host->id, v->state, v->code, message);
}

// Docker may be stuck with one container alone, and then it is for good: nothing waits long for that
// one, and its people learn why it cannot be stopped or removed.
static void inspect_unanswered(struct agent *a, struct host *host, const struct err *e)
{
	log_warning("Docker does not answer", log_text("host", host->id), log_err(e));
	host->unanswered++;
	if (host->unanswered == UNANSWERED_SAID && host->run.number != 0)
		outbox_observe(a->outbox, host->id, "running", "docker_failed", e->message);
}

static int retry_ms(const struct host *host)
{
	unsigned doubled = host->unanswered == 0 ? 0 : host->unanswered - 1;

	return RETRY_MS << (doubled < RETRY_DOUBLED_MOST ? doubled : RETRY_DOUBLED_MOST);
}

// false: it is still to be made.
static bool inspect_taken(struct agent *a, struct host *host, struct docker *d)
{
	struct wait w = wait_for(INSPECT_MS, host->yield_fd);
	struct docker_container c = {0};
	char name[CONTAINER_NAME_SIZE];
	struct err e;
	container_name(&a->owner, host->id, name);
	int r = docker_inspect(d, name, &w, &c, &e);
	if (r == WAIT_CANCELED)
		return false;
	if (r != 0 && r != DOCKER_ABSENT) {
		inspect_unanswered(a, host, &e);
		return false;
	}
	host->unanswered = 0;
	const struct inspection_verdict *v = verdict_of_inspection(facts_of(host, &c, r == 0));
	switch (v->action) {
	case INSPECTION_KEEP:
		outbox_observe(a->outbox, host->id, v->state, NULL, NULL);
		return true;
	case INSPECTION_ADOPT:
		return inspect_adopt(a, host, d, &c);
	case INSPECTION_END:
		inspect_end(a, host, d, &c, v);
		return true;
	}
	return true;
}

static void inspect_run(struct pool_job *job, struct db *db)
{
	struct inspection *inspection = container_of(job, struct inspection, job);
	struct host *host = host_take_for_inspection(inspection->agent->hosts, inspection->host_id);
	_cleanup_(docker_freep) struct docker *d = NULL;

	(void)db;
	if (!host)
		return; // it is taken: the inspection stays due
	d = docker_new(inspection->agent->docker_socket);
	if (!inspect_taken(inspection->agent, host, d))
		hosts_schedule_inspection(
			inspection->agent->hosts, inspection->host_id, retry_ms(host));
	host_release(inspection->agent->hosts, host);
}

static void inspect_done(struct pool_job *job)
{
	free(container_of(job, struct inspection, job));
}

// Queues the inspection that is due, if there is one.
static void inspect_submit(struct agent *a, const char *host_id)
{
	if (!hosts_queue_inspection(a->hosts, host_id))
		return;
	struct inspection *inspection = xnew(struct inspection);
	*inspection =
		(struct inspection){.agent = a, .job = {.run = inspect_run, .done = inspect_done}};
	(void)!text_copy(inspection->host_id, sizeof(inspection->host_id), host_id);
	if (pool_submit(a->inspect_pool, &inspection->job) != 0) {
		hosts_unqueue_inspection(a->hosts, host_id);
		free(inspection);
	}
}

void inspect_host(struct agent *a, const char *host_id)
{
	hosts_schedule_inspection(a->hosts, host_id, 0);
	inspect_submit(a, host_id);
}

// Calls it for every host on record.
static void each_host(struct agent *a, void (*inspect)(struct agent *a, const char *host_id))
{
	_cleanup_(freep) host_id_text *ids = NULL;
	size_t count = hosts_ids(a->hosts, &ids);

	for (size_t i = 0; i < count; i++)
		inspect(a, ids[i]);
}

void inspect_all(struct agent *a)
{
	each_host(a, inspect_host);
}

static void on_schedule(void *data)
{
	each_host(data, inspect_submit);
}

int inspect_begin(struct agent *a, struct loop_source **ret, struct err *e)
{
	if (loop_timer(a->loop, on_schedule, a, ret, e) < 0)
		return -1;
	loop_timer_set(*ret, SCHEDULE_MS, SCHEDULE_MS);
	return 0;
}
