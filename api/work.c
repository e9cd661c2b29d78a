// SPDX-License-Identifier: Apache-2.0
// The pipeline: a request goes from pool to pool until it is answered.
#include "api/work.h"

#include "api/app.h"
#include "api/reply.h"
#include "api/request.h"
#include "lib/err.h"
#include "lib/mem.h"

static struct request *request_of(struct pool_job *job)
{
	return container_of(job, struct request, work.job);
}

static const struct step *step_of(const struct request *r)
{
	return &r->route->work->steps[r->work.step];
}

// It waited so long for a thread that its work would come too late. A long poll that goes on may.
static bool is_overdue(const struct request *r)
{
	if (wait_left_ms(&r->work.wait) == 0)
		return true;
	return step_of(r)->where == STEP_IN_DB && r->poll.until_ms == 0 &&
	       wait_now_ms() - r->work.queued_ms > REQUEST_QUEUE_MS;
}

static void step_run(struct pool_job *job, struct db *db)
{
	struct request *r = request_of(job);
	struct err e;
	if (is_overdue(r)) {
		reply_busy(r);
		return;
	}
	int outcome = step_of(r)->run(r, db, &e);
	if (outcome == STEP_WAITS)
		r->work.waits = true; // is handed over in step_done: the pool still has the job
	else if (outcome == 0)
		r->work.step++;
	else if (outcome != STEP_ANSWERED && !reply_locked(r, db, &e))
		reply_error(r, outcome, &e);
}

// Their requests wait behind each other: see turns.h.
static struct turns_who who_of(const struct request *r)
{
	const char *user = r->caller.claims.user_id;
	const char *tried = input_find(&r->input, "username");
	if (!tried)
		tried = input_find(&r->input, "short_id");
	const char *name = *user != '\0' ? user : tried;
	return (struct turns_who){r->head.source, source_name(name)};
}

static void step_done(struct pool_job *job)
{
	struct request *r = request_of(job);
	if (!job->ran && job->made_room)
		reply_busy(r);
	else if (!job->ran)
		reply_stopping(r);
	if (r->work.waits) {
		r->work.waits = false;
		r->app->wait(r);
		return;
	}
	work_continue(r->app, r);
}

void work_continue(struct app *app, struct request *r)
{
	if (r->state == REQUEST_ANSWERED) {
		app->resume(r);
		return;
	}
	r->work.job = (struct pool_job){.run = step_run, .done = step_done, .turn.who = who_of(r)};
	r->work.queued_ms = wait_now_ms();
	int outcome = pool_submit(
		step_of(r)->where == STEP_IN_HASH ? app->hash_pool : app->db_pool, &r->work.job);
	if (outcome == 0)
		return;
	if (outcome == POOL_STOPPED)
		reply_stopping(r);
	else
		reply_busy(r);
	app->resume(r);
}
