// SPDX-License-Identifier: Apache-2.0
// Looks: ordered, queued, made, and owed again.
#include "agent/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/check.h"
#include "agent/docker.h"
#include "agent/evidence.h"
#include "agent/host.h"
#include "agent/live.h"
#include "agent/outbox.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"

enum {
	LOOK_MS = 5000,
	LOOK_AGAIN_MS = 5000, // after Docker did not answer
	ADOPT_MS = 12000,
	OWED_MS = 1000, // how often looks are tried that had to wait
};

struct look {
	struct agent *agent;
	char host_id[SPEC_ID_SIZE];
	struct pool_job job;
};

static void look_end(struct agent *a, struct host *host, struct docker *d)
{
	struct err e;

	if (live_end(a, host, d, NULL, &e) < 0)
		log_error("ending a host failed", log_text("host", host->id), log_err(&e));
}

// It could not be adopted or guarded.
static void look_refuse(struct agent *a, struct host *host, struct docker *d, const struct err *why)
{
	_cleanup_(evidence_done) struct evidence ev;

	evidence_init(&ev);
	evidence_add(&ev, "adopt", OUTCOME_FAILED, "inventory", 0, "%s", why->message);
	outbox_verified(a->outbox, host->id, NULL, "full", &ev);
	look_end(a, host, d);
	outbox_observe(a->outbox, host->id, "stopped", ev.code, ev.sentence);
}

// The first check of what was adopted. Unless it passes, the next one is not far.
static void look_prove(struct agent *a, struct host *host, struct docker *d, const struct wait *w)
{
	_cleanup_(evidence_done) struct evidence ev;
	struct err e;
	int r;

	evidence_init(&ev);
	r = live_check(host, &host->live.wall, VERIFY_FULL, w, &ev, &e);
	if (r == 0 && !check_judge(a, host, d, "full", NULL, &ev))
		return;
	if (r < 0)
		check_failed(a, host, "full", &ev, &e);
	if (ev.outcome != OUTCOME_PASSED || r != 0)
		checks_soon(a->guards, host->live.run);
	if (r == WAIT_CANCELED)
		return; // a task wants it and begins from what it finds
	log_info("host adopted", log_text("host", host->id));
	outbox_observe(a->outbox, host->id, "running", NULL, NULL);
}

// A container that runs and that this agent has not started: whole, or ended. false: a task wants
// it before that is known.
static bool look_adopt(
	struct agent *a, struct host *host, struct docker *d, const struct docker_container *c)
{
	struct wait w = wait_for(ADOPT_MS, host->yield_fd);
	struct err e;
	int r = live_adopt(a, host, c, &w, &e);

	if (r == 0)
		r = checks_begin(a->guards, host, &e);
	if (r < 0)
		look_refuse(a, host, d, &e);
	else if (r == 0)
		look_prove(a, host, d, &w);
	return r <= 0;
}

// false: it is still to be made.
static bool look_at(struct look *look, struct host *host, struct docker *d)
{
	struct agent *a = look->agent;
	struct wait w = wait_for(LOOK_MS, host->yield_fd);
	struct docker_container c = {0};
	char name[CONTAINER_NAME_SIZE], message[256];
	const char *code = NULL;
	bool first = !host->seen, same;
	struct err e;
	int r;

	live_name(a, host->id, name);
	r = docker_inspect(d, name, &w, &c, &e);
	if (r != 0 && r != DOCKER_ABSENT) {
		if (r != WAIT_CANCELED)
			log_warning(
				"Docker does not tell", log_text("host", host->id), log_err(&e));
		return false;
	}
	same = host->live.run != 0 && r == 0 && strcmp(c.started_at, host->live.started_at) == 0;
	if (same && c.running && !live_is_dead(&host->live)) {
		outbox_observe(a->outbox, host->id, "running", NULL, NULL);
		return true;
	}
	if (host->live.run == 0 && r == 0 && c.running && first && host->spec &&
		host->spec->has_exit && strcmp(host->spec->status, "running") == 0)
		return look_adopt(a, host, d, &c);
	if (r == 0 && c.running && !host->spec && host->unusable) {
		code = "settings_incomplete";
		snprintf(message, sizeof(message), "%s", host->unusable);
	} else if (r == 0 && c.running && first)
		strcpy(message, "the container ran with nobody to watch over it; it was stopped");
	else if (same && c.running)
		strcpy(message, "the container has ended");
	else if (r == 0 && c.running)
		strcpy(message, "somebody else started the container; it was stopped");
	else if (r == 0)
		snprintf(message, sizeof(message), "the container has ended with status %d%s",
			c.exit_code, c.oom_killed ? ", out of memory" : "");
	else
		strcpy(message, "there is no container");
	if (host->live.run != 0 || c.running) {
		log_warning("host is not as it was left", log_text("host", host->id),
			log_text("why", message));
		look_end(a, host, d);
	}
	host->seen = true;
	outbox_observe(
		a->outbox, host->id, r == DOCKER_ABSENT ? "absent" : "stopped", code, message);
	return true;
}

static void look_run(struct pool_job *job, struct db *db)
{
	struct look *look = container_of(job, struct look, job);
	struct host *host = host_take_for_look(look->agent->hosts, look->host_id);
	_cleanup_(docker_freep) struct docker *d = NULL;

	(void)db;
	if (!host)
		return; // somebody has it
	d = docker_new(look->agent->docker_socket);
	if (!look_at(look, host, d))
		hosts_owe_look(look->agent->hosts, look->host_id, LOOK_AGAIN_MS);
	host_release(look->agent->hosts, host);
}

static void look_done(struct pool_job *job)
{
	free(container_of(job, struct look, job));
}

// Brings the look on its way that is owed to a host, if there is one.
static void look_submit(struct agent *a, const char *host_id)
{
	struct look *look;

	if (!hosts_queue_look(a->hosts, host_id))
		return;
	look = xnew(struct look);
	*look = (struct look){.agent = a, .job = {.run = look_run, .done = look_done}};
	(void)!text_copy(look->host_id, sizeof(look->host_id), host_id);
	if (pool_submit(a->checks, &look->job) != 0) {
		hosts_unqueue_look(a->hosts, host_id);
		free(look);
	}
}

void look_order(struct agent *a, const char *host_id)
{
	hosts_owe_look(a->hosts, host_id, 0);
	look_submit(a, host_id);
}

// Calls it for every host on record.
static void each_host(struct agent *a, void (*look)(struct agent *a, const char *host_id))
{
	_cleanup_(freep) host_id_text *ids = NULL;
	size_t count = hosts_ids(a->hosts, &ids);

	for (size_t i = 0; i < count; i++)
		look(a, ids[i]);
}

void look_order_all(struct agent *a)
{
	each_host(a, look_order);
}

static void on_owed(void *data)
{
	each_host(data, look_submit);
}

int looks_begin(struct agent *a, struct loop_source **ret, struct err *e)
{
	if (loop_timer(a->loop, on_owed, a, ret, e) < 0)
		return -1;
	loop_timer_set(*ret, OWED_MS, OWED_MS);
	return 0;
}
