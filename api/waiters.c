// SPDX-License-Identifier: Apache-2.0
// One ring serves all who wait.
#include "api/waiters.h"

#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/request.h"
#include "api/work.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"

enum { ARRAY_MAX = APP_WAITERS_MAX * 64 };

// How many wait with the poll token of `r`. With the lock. (Requests that are accepted and not yet
// listed are not counted: they are no more than the threads of the pool.)
static unsigned waiting_with_token(const struct app *app, const struct request *r)
{
	unsigned count = 0;
	for (const struct request *other = app->waiters; other; other = other->poll.next)
		count += strcmp(other->caller.poll_sha256, r->caller.poll_sha256) == 0;
	return count;
}

bool waiters_accept(struct request *r, const char *version)
{
	struct app *app = r->app;
	const char *wait = input_get(&r->input, "wait");
	const char *after = input_get(&r->input, "after");
	if (!wait)
		return false;
	int64_t now_ms = wait_now_ms();
	if (r->poll.until_ms == 0) {
		r->poll.until_ms = now_ms + atoi(wait) * 1000L;
		if (!text_copy(r->poll.version, sizeof(r->poll.version), after ? after : version))
			return false;
	}
	if (now_ms >= r->poll.until_ms || strcmp(r->poll.version, version) != 0)
		return false;
	pthread_mutex_lock(&app->waiters_lock);
	bool room = app->waiters_count < APP_WAITERS_MAX && !atomic_load(&app->stopping) &&
		    waiting_with_token(app, r) < APP_WAITERS_PER_TOKEN_MAX;
	app->waiters_count += room;
	pthread_mutex_unlock(&app->waiters_lock);
	return room;
}

// Between the step's look at the task and this line the bell may have rung without this request
// being on the list, so a joining request asks for one more look.
void waiters_join(struct request *r)
{
	struct app *app = r->app;
	pthread_mutex_lock(&app->waiters_lock);
	r->poll.next = app->waiters;
	app->waiters = r;
	pthread_mutex_unlock(&app->waiters_lock);
	if (atomic_load(&app->stopping))
		waiters_expire(app, true);
	else
		waiters_ring(app);
}

// Unlinks those for whom `leaves` is true; returns them as a list.
static struct request *unlink_if(struct app *app,
	bool (*leaves)(const struct request *r, const void *data), const void *data)
{
	struct request *leaving = NULL;
	pthread_mutex_lock(&app->waiters_lock);
	for (struct request **at = &app->waiters; *at;) {
		struct request *r = *at;
		if (!leaves(r, data)) {
			at = &r->poll.next;
			continue;
		}
		*at = r->poll.next;
		app->waiters_count--;
		r->poll.next = leaving;
		leaving = r;
	}
	pthread_mutex_unlock(&app->waiters_lock);
	return leaving;
}

static void continue_all(struct app *app, struct request *list)
{
	while (list) {
		struct request *r = list;
		list = r->poll.next;
		r->poll.next = NULL;
		r->work.wait = wait_for(REQUEST_WORK_MS, -1);
		work_continue(app, r);
	}
}

static bool is_listed(const struct request *r, const void *data)
{
	const struct pg_result *rows = data;
	const char *task_id = input_get(&r->input, "id");
	for (int row = 0; row < db_rows(rows); row++)
		if (strcmp(db_text(rows, row, 0), task_id) == 0 &&
			strcmp(db_text(rows, row, 1), r->poll.version) == 0)
			return true;
	return false;
}

static bool is_over(const struct request *r, const void *data)
{
	const bool *all = data;
	return *all || wait_now_ms() >= r->poll.until_ms;
}

// The waiting tasks and the versions their clients know, as two SQL arrays. false: none waits.
static bool waiting_arrays(struct app *app, struct str *ids, struct str *versions)
{
	pthread_mutex_lock(&app->waiters_lock);
	for (const struct request *r = app->waiters; r; r = r->poll.next) {
		str_addf(ids, "%s%s", ids->len == 0 ? "{" : ",", input_get(&r->input, "id"));
		str_addf(versions, "%s%s", versions->len == 0 ? "{" : ",", r->poll.version);
	}
	pthread_mutex_unlock(&app->waiters_lock);
	str_add(ids, "}");
	str_add(versions, "}");
	return ids->len > 1;
}

static void job_run(struct pool_job *job, struct db *db)
{
	struct app *app = container_of(job, struct app, waiters_job);
	_cleanup_(str_done) struct str ids = STR_INIT(ARRAY_MAX);
	_cleanup_(str_done) struct str versions = STR_INIT(ARRAY_MAX);
	if (!waiting_arrays(app, &ids, &versions))
		return;
	struct wait w = wait_for(REQUEST_WORK_MS, -1);
	struct err e;
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int r = db_call(db,
		DB_CALL("select task_id, known_version from access.tasks_changed($1::uuid[], $2::text[])",
			str_text(&ids), str_text(&versions)),
		&w, &rows, &e);
	if (r != 0) { // the next ring, or the end of the wait, looks again
		log_warning("cannot look after waiting requests", log_err(&e));
		return;
	}
	continue_all(app, unlink_if(app, is_listed, rows));
}

static void job_submit(struct app *app)
{
	if (pool_submit(app->db_pool, &app->waiters_job) == 0)
		return;
	pthread_mutex_lock(&app->waiters_lock);
	app->waiters_running = false;
	pthread_mutex_unlock(&app->waiters_lock);
}

static void job_done(struct pool_job *job)
{
	struct app *app = container_of(job, struct app, waiters_job);
	pthread_mutex_lock(&app->waiters_lock);
	bool again = app->waiters_again && job->ran;
	app->waiters_again = false;
	app->waiters_running = again;
	pthread_mutex_unlock(&app->waiters_lock);
	if (again)
		job_submit(app);
}

void waiters_ring(struct app *app)
{
	pthread_mutex_lock(&app->waiters_lock);
	bool submit = app->waiters && !app->waiters_running;
	app->waiters_again = app->waiters_running;
	app->waiters_running |= submit;
	pthread_mutex_unlock(&app->waiters_lock);
	if (!submit)
		return;
	app->waiters_job = (struct pool_job){.run = job_run, .done = job_done};
	job_submit(app);
}

void waiters_expire(struct app *app, bool all)
{
	continue_all(app, unlink_if(app, is_over, &all));
}
