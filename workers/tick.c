// SPDX-License-Identifier: Apache-2.0
// The tick's thread and timer.
#include "workers/tick.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/metric.h"
#include "lib/pool.h"
#include "lib/wait.h"
#include "workers/sealing.h"

enum { TICK_MS = 1000, TICK_TIMEOUT_MS = 3000, STOP_MS = 1000 };

static const struct metric ticks_took = {"ccp_tick_duration_seconds", METRIC_HISTOGRAM, {0}};
static const struct metric failures = {"ccp_tick_failures_total", METRIC_COUNTER, {0}};

struct tick {
	struct pool *pool;
	struct sealing *sealing;
	struct loop_source *timer;
	struct pool_job job;
	bool running; // the job is the pool's
	bool failed; // logged once until it works again
	// Of the last job:
	int outcome; // of the first call that failed; 0: none did
	struct err error;
	bool more; // a rule's batch was full
};

static struct tick *tick_of(struct pool_job *job)
{
	return container_of(job, struct tick, job);
}

static void note(struct tick *tick, int outcome, const struct err *e)
{
	if (outcome == 0 || tick->outcome != 0)
		return;
	tick->outcome = outcome;
	tick->error = *e;
}

static int rule_run(struct tick *tick, struct db *db, const char *rule)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct wait w = wait_for(TICK_TIMEOUT_MS, pool_cancel_fd(tick->pool));
	struct err e;
	int r = db_call(db, DB_CALL("select clock.tick($1, $2)", "worker", rule), &w, &rows, &e);

	note(tick, r, &e);
	if (r == 0 && strcmp(db_text(rows, 0, 0), "more") == 0)
		tick->more = true;
	return r;
}

// Each rule is a call with a deadline of its own: what one has done stays done, and none waits for
// another to succeed.
static void job_run(struct pool_job *job, struct db *db)
{
	struct tick *tick = tick_of(job);
	_cleanup_(db_result_freep) struct pg_result *rules = NULL;
	struct wait w = wait_for(TICK_TIMEOUT_MS, pool_cancel_fd(tick->pool));
	struct err e;

	int64_t began_us = wait_now_us();
	tick->outcome = 0;
	tick->more = false;
	int r = sealing_tell(tick->sealing, db, &w, &e);
	note(tick, r, &e);
	r = db_call(db, DB_CALL("select clock.rules()"), &w, &rules, &e);
	note(tick, r, &e);
	for (int i = 0; rules && i < db_rows(rules) && r != WAIT_CANCELED && r != DB_LOST; i++)
		r = rule_run(tick, db, db_text(rules, i, 0));
	metric_observe(&ticks_took, (double)(wait_now_us() - began_us) / 1e6, METRIC_VALUES(0));
	if (tick->outcome != 0)
		metric_add(&failures, 1, METRIC_VALUES(0));
}

static void on_timer(void *data)
{
	struct tick *tick = data;

	if (!tick->running && pool_submit(tick->pool, &tick->job) == 0)
		tick->running = true;
}

static void job_done(struct pool_job *job)
{
	struct tick *tick = tick_of(job);
	bool failed = job->ran && tick->outcome != 0;

	tick->running = false;
	// The bus logs that the database is away; this logs what else goes wrong.
	if (failed && !tick->failed && tick->outcome != DB_LOST)
		log_error("the tick fails", log_err(&tick->error));
	tick->failed = failed;
	if (job->ran && tick->more)
		on_timer(tick);
}

int tick_new(struct loop *loop, const char *conninfo, struct sealing *sealing, struct tick **ret,
	struct err *e)
{
	_cleanup_(freep) struct tick *tick = xnew(struct tick);
	const struct pool_conf pool = {.name = "tick",
		.threads = 1,
		.queue = 1,
		.loop = loop,
		.db = {.conninfo = conninfo,
			.name = "ccp-worker/tick",
			.timeout_ms = TICK_TIMEOUT_MS}};

	tick->sealing = sealing;
	tick->job = (struct pool_job){.run = job_run, .done = job_done};
	if (loop_timer(loop, on_timer, tick, &tick->timer, e) < 0)
		return -1;
	if (pool_new(&pool, &tick->pool, e) < 0) {
		loop_source_free(tick->timer);
		return -1;
	}
	loop_timer_set(tick->timer, 0, TICK_MS);
	*ret = TAKE_PTR(tick);
	return 0;
}

int tick_free(struct tick *tick)
{
	if (!tick)
		return 0;
	loop_source_free(tick->timer);
	int r = pool_stop(tick->pool, STOP_MS);
	if (r == 0)
		free(tick);
	return r;
}
