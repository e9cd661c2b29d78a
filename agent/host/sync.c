// SPDX-License-Identifier: Apache-2.0
// Jobs on the dial pool's connections, one at a time and before all dials, driven by the scan.
#include "agent/host/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/container/docker.h"
#include "agent/host/docker_events.h"
#include "agent/host/guard.h"
#include "agent/host/host.h"
#include "agent/host/inspect.h"
#include "agent/host/outbox.h"
#include "agent/machine/report.h"
#include "agent/store/trash.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/pool.h"

enum {
	CALL_MS = 3000,
	DESCRIBE_MS = 1500,
	REPORT_MS = 15000,
	DOCKER_MS = 10000,
	HOSTS_MAX = 100000
};

struct sync {
	struct agent *agent;
	bool busy;
	bool again; // it was asked for meanwhile
	bool first_done; // everything of the beginning has succeeded
	int64_t report_ms; // when the machine is looked at again
	int64_t next_ms; // when the specs are fetched again; 0 until the beginning has succeeded
	struct pool_job job;
	_Atomic bool wake_posted; // not yet served
	struct loop_post post;
};

struct sync *sync_new(struct agent *a)
{
	struct sync *sync = xnew(struct sync);

	sync->agent = a;
	return sync;
}

void sync_free(struct sync *sync)
{
	free(sync);
}

// A host whose settings cannot be used has a record too: what runs of it is ended, and SQL learns
// why.
static void spec_learn(struct agent *a, const char *id, const char *json)
{
	struct host_spec *spec = NULL;
	struct err e;

	if (!str_is_uuid(id))
		return;
	int r = host_spec_read(json, &spec, &e);
	struct host *host = host_try_take_new(a->hosts, id);
	if (!host) { // a task has it and fetches the spec itself
		host_spec_free(spec);
		return;
	}
	if (r == 0)
		guard_set_spec(a, host, spec);
	else if (host_spec_refused(host, e.message))
		log_warning("a host's settings cannot be used", log_text("host", id), log_err(&e));
	if (a->knows_hosts && !host->seen)
		hosts_schedule_inspection(a->hosts, id, 0);
	host_release(a->hosts, host);
}

static int specs_learn(struct agent *a, struct db *db, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct db_number process = db_number(a->process_id);
	struct wait w = wait_for(CALL_MS, pool_cancel_fd(a->dial_pool));
	int r = db_call(db, DB_CALL("select host_id, spec from node.specs($1)", process.text), &w,
		&rows, e);

	if (r != 0)
		return r;
	for (int i = 0; i < db_rows(rows) && i < HOSTS_MAX; i++)
		spec_learn(a, db_text(rows, i, 0), db_text(rows, i, 1));
	return 0;
}

static int sealing_key_publish(struct agent *a, struct db *db, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct db_number process = db_number(a->process_id);
	struct wait w = wait_for(CALL_MS, pool_cancel_fd(a->dial_pool));
	char key[KEY32_TEXT_SIZE];

	key32_text(a->sealing.public_key, key);
	int r = db_call(db, DB_CALL("select node.set_sealing_key($1, $2)", process.text, key), &w,
		&rows, e);
	if (r == 0 && (db_rows(rows) != 1 || strcmp(db_text(rows, 0, 0), "ok") != 0))
		log_error(
			"the database has another sealing key than this agent: the exits' sealed secrets cannot be opened; "
			"restore the agent's sealing.key");
	return r;
}

struct names {
	char (*names)[TUNNEL_NAME_SIZE];
	size_t count;
};

static int name_note(const char *name, void *arg, struct err *e)
{
	struct names *n = arg;
	(void)e;
	n->names = xreallocarray(n->names, n->count + 1, sizeof(*n->names));
	(void)!text_copy(n->names[n->count++], TUNNEL_NAME_SIZE, name);
	return 0;
}

static const struct docker_listed *container_of_tunnel(
	const struct docker_listed *list, size_t count, const char *name)
{
	char own[TUNNEL_NAME_SIZE];
	for (size_t i = 0; i < count; i++) {
		if (tunnel_name(list[i].id, own) && strcmp(own, name) == 0)
			return &list[i];
	}
	return NULL;
}

// A tunnel of a container that did not run; those of tests are their tasks'. Who holds the host
// ends or starts its tunnel, and a run has by now started it again under the same name.
static int tunnel_stray_end(
	struct agent *a, const char *name, const struct docker_listed *container, struct err *e)
{
	struct host *host = NULL;
	if (tunnel_is_test(name) || (container && container->running))
		return 0;
	if (container && hosts_know(a->hosts, container->host_id)) {
		host = host_try_take(a->hosts, container->host_id);
		if (!host)
			return 0;
	}
	int r = 0;
	if (!host || host->run.number == 0) {
		log_warning("a tunnel without a container is ended", log_text("tunnel", name));
		r = tunnel_end(&a->tunnels, name, e);
	}
	if (host)
		host_release(a->hosts, host);
	return r;
}

static int container_stray_end(struct agent *a, struct docker *d,
	const struct docker_listed *container, const struct wait *w, struct err *e)
{
	if (!container->running || hosts_know(a->hosts, container->host_id))
		return 0;
	log_warning("a container without a host is stopped", log_text("container", container->id));
	int r = docker_stop(d, container->id, 3, w, e);
	char name[TUNNEL_NAME_SIZE];
	return r == 0 && tunnel_name(container->id, name) ? tunnel_end(&a->tunnels, name, e) : r;
}

// Ends strays: tunnels whose container does not run, containers whose host is not on record. Tasks
// run meanwhile: each thing is listed before what it needs, so that what a task has begun since is
// never taken for a stray.
static int strays_end(struct agent *a, struct err *e)
{
	_cleanup_(docker_freep) struct docker *d = docker_new(a->docker_socket);
	_cleanup_(freep) struct docker_listed *list = NULL;
	struct wait w = wait_for(DOCKER_MS, pool_cancel_fd(a->dial_pool));
	struct names tunnels = {0};
	size_t count = 0;
	int r = tunnel_list(&a->tunnels, name_note, &tunnels, e);

	if (r == 0)
		r = docker_list(d, a->owner.node, a->cluster, &w, &list, &count, e);
	for (size_t i = 0; r == 0 && i < tunnels.count; i++) {
		const char *name = tunnels.names[i];

		r = tunnel_stray_end(a, name, container_of_tunnel(list, count, name), e);
	}
	for (size_t i = 0; r == 0 && i < count; i++)
		r = container_stray_end(a, d, &list[i], &w, e);
	free(tunnels.names);
	return r;
}

// What the machine can decides what specs say, so it comes before them. Docker being away is no
// reason not to learn them.
static void report(struct sync *sync, struct db *db)
{
	struct agent *a = sync->agent;
	struct wait w = wait_for(DESCRIBE_MS, pool_cancel_fd(a->dial_pool));
	struct err e;

	if (wait_now_ms() < sync->report_ms)
		return;
	sync->report_ms = wait_now_ms() + REPORT_MS;
	int r = machine_report(a, db, &w, &e);
	if (r != 0 && r != WAIT_CANCELED)
		log_warning("what this machine can could not be told", log_err(&e));
}

static int begin(struct sync *sync, struct db *db, struct err *e)
{
	struct agent *a = sync->agent;
	int r = sealing_key_publish(a, db, e);

	if (r == 0)
		report(sync, db);
	if (r == 0)
		r = specs_learn(a, db, e);
	if (r == 0)
		r = strays_end(a, e);
	if (r != 0)
		return r;
	a->knows_hosts = true;
	sync->next_ms = wait_now_ms() + SYNC_MS;
	inspect_all(a);
	trash_sweep(a->check_pool, &a->store);
	return 0;
}

static void sync_run(struct pool_job *job, struct db *db)
{
	struct sync *sync = container_of(job, struct sync, job);
	struct agent *a = sync->agent;
	struct wait w = wait_for(CALL_MS, pool_cancel_fd(a->dial_pool));
	struct err e;
	int r = outbox_flush(a->outbox, db, a->process_id, &w, &e);

	if (r == 0 && !a->knows_hosts) {
		r = begin(sync, db, &e);
	} else if (r == 0 && wait_now_ms() >= sync->next_ms) {
		report(sync, db);
		r = specs_learn(a, db, &e);
		sync->next_ms = wait_now_ms() + SYNC_MS;
	}
	if (r != 0 && r != WAIT_CANCELED)
		log_warning("the database or Docker does not answer, trying again", log_err(&e));
}

static void sync_done(struct pool_job *job)
{
	struct sync *sync = container_of(job, struct sync, job);

	sync->busy = false;
	if (sync->agent->knows_hosts && !sync->first_done && job->ran) {
		sync->first_done = true;
		docker_events_start(sync->agent->docker_events);
	}
	if (sync->again)
		sync_scan(sync); // from here on the job is the next one
}

void sync_scan(struct sync *sync)
{
	sync->again = sync->busy;
	if (sync->busy || (outbox_is_empty(sync->agent->outbox) && wait_now_ms() < sync->next_ms))
		return;
	sync->job = (struct pool_job){.run = sync_run, .done = sync_done};
	sync->busy = pool_submit_first(sync->agent->dial_pool, &sync->job) == 0;
}

static void on_wake(struct loop_post *post)
{
	struct sync *sync = container_of(post, struct sync, post);

	sync->wake_posted = false;
	if (sync->agent->process_id != 0)
		sync_scan(sync);
}

void sync_soon(void *data)
{
	struct sync *sync = data;

	if (atomic_exchange(&sync->wake_posted, true))
		return;
	sync->post.fn = on_wake;
	loop_post(sync->agent->loop, &sync->post);
}
