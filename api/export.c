// SPDX-License-Identifier: Apache-2.0
// Streams what a function returns in pieces: one in memory, and no connection to the database while its client reads.
// One that follows, or whose last piece was empty and names a next one, asks again when something has been written.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/arguments.h"
#include "api/connection.h"
#include "api/follow.h"
#include "api/places.h"
#include "api/reply.h"
#include "api/request.h"
#include "api/steps.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/wait.h"

enum {
	STATEMENT_MAX = 4096,
	HEARTBEAT_MS =
		15000, // without a byte; then an empty line shows whether the client is there
};

// The HTTP thread's, but while it is `busy`: then the job's, and afterwards the post's.
struct export
{
	struct pool *pool;
	struct loop *loop;
	struct connection *connection; // not when it is abandoned
	char *sql;
	char *values[ARGUMENTS_MAX + 2]; // the last two: the format, and the cursor
	int count;
	struct pool_job job;
	struct loop_post post;
	struct places *places;
	struct place place; // of one that follows
	struct followers *followers;
	struct follower follower; // waits before the next piece is asked for
	int64_t told_ms; // when something was sent
	struct pg_result *piece;
	size_t at; // of its text: what has been read
	bool busy; // the next piece is being asked for
	bool abandoned; // while it was busy the client went
	bool failed;
};

static void export_free(struct export *x)
{
	for (int i = 0; i < x->count; i++)
		wipe_freep(&x->values[i]);
	db_result_freep(&x->piece);
	follower_done(&x->follower);
	place_leave(x->places, &x->place);
	free(x->sql);
	free(x);
}

static const char *piece_next(const struct export *x)
{
	return db_text(x->piece, 0, 1);
}

static int piece_read(struct export *x, struct db *db, const struct wait *w, struct err *e)
{
	struct pg_result *piece = NULL;
	int r = db_call(db,
		&(struct db_call){.sql = x->sql,
			.params = (const char *const *)x->values,
			.params_count = x->count},
		w, &piece, e);
	if (r != 0)
		return r;
	db_result_freep(&x->piece);
	x->piece = piece;
	x->at = 0;
	return 0;
}

// Each piece asks again whether the login may: an admin who was disabled gets no more.
static void job_run(struct pool_job *job, struct db *db)
{
	struct export *x = container_of(job, struct export, job);
	struct wait w = wait_for(REQUEST_WORK_MS, -1);
	struct err e;
	char **cursor = &x->values[x->count - 1];
	wipe_freep(cursor);
	*cursor = xstrdup(piece_next(x));
	x->failed = piece_read(x, db, &w, &e) != 0;
	if (x->failed)
		log_warning("an export broke off", log_err(&e));
}

static void on_piece(struct loop_post *post)
{
	struct export *x = container_of(post, struct export, post);
	x->busy = false;
	if (x->abandoned)
		export_free(x);
	else
		connection_wake(x->connection);
}

static void job_done(struct pool_job *job)
{
	struct export *x = container_of(job, struct export, job);
	x->failed |= !job->ran;
	x->post.fn = on_piece;
	loop_post(x->loop, &x->post);
}

static void next_ask(struct export *x)
{
	follower_begin(&x->follower, x->followers);
	x->job = (struct pool_job){.run = job_run, .done = job_done, .turn.who = x->job.turn.who};
	x->busy = pool_submit(x->pool, &x->job) == 0;
	x->failed |= !x->busy;
}

static void on_look(struct follower *follower)
{
	struct export *x = container_of(follower, struct export, follower);
	next_ask(x);
	if (x->failed)
		connection_wake(x->connection);
}

// There is a next piece, but nothing in it yet: the last one was empty, or it follows what is being written.
static ssize_t wait_begin(struct export *x, char *to)
{
	struct err e;
	int64_t now_ms = wait_now_ms();
	if (now_ms - x->told_ms >= HEARTBEAT_MS) {
		x->told_ms = now_ms;
		*to = '\n';
		return 1;
	}
	if (follower_wait(&x->follower, x->loop, &e) == 0)
		return 0;
	log_warning("an export broke off", log_err(&e));
	return -2;
}

static ssize_t stream_read(void *data, char *to, size_t max)
{
	struct export *x = data;
	if (x->busy || x->follower.waits)
		return 0;
	if (x->failed)
		return -2;
	const char *text = db_text(x->piece, 0, 0) + x->at;
	size_t len = strnlen(text, max);
	if (len > 0) {
		memcpy(to, text, len);
		x->at += len;
		x->told_ms = wait_now_ms();
		return (ssize_t)len;
	}
	if (!piece_next(x))
		return -1;
	if (x->at == 0 || x->place.taken)
		return wait_begin(x, to);
	next_ask(x);
	return x->failed ? -2 : 0;
}

static void stream_done(void *data)
{
	struct export *x = data;
	if (x->busy)
		x->abandoned = true;
	else
		export_free(x);
}

static struct export *export_new(const struct request *r, const char *format)
{
	struct export *x = xnew(struct export);
	const char *values[ARGUMENTS_MAX];
	const char *cursor = input_find(&r->input, "cursor");
	_cleanup_(str_done) struct str sql = STR_INIT(STATEMENT_MAX);
	str_addf(&sql, "select r.text, r.next_cursor from api.%s(", r->route->function);
	x->count = arguments_add(r, &sql, values);
	for (int i = 0; i < x->count; i++)
		x->values[i] = values[i] ? xstrdup(values[i]) : NULL;
	str_addf(&sql, ", p_format => $%d, p_cursor => $%d) as r", x->count + 1, x->count + 2);
	x->values[x->count++] = xstrdup(format);
	x->values[x->count++] = cursor ? xstrdup(cursor) : NULL;
	x->sql = str_take(&sql);
	assert(x->sql);
	x->pool = r->app->db_pool;
	x->connection = r->connection;
	x->loop = r->connection->all->loop;
	x->job.turn.who = r->work.job.turn.who;
	x->places = &r->app->places;
	x->followers = r->app->followers;
	x->follower.look = on_look;
	x->told_ms = wait_now_ms();
	return x;
}

static int step_export(struct request *r, struct db *db, struct err *e)
{
	const char *asked = input_get(&r->input, "format");
	bool csv = asked ? strcmp(asked, "csv") == 0 : r->head.wants_csv;
	const char *follow = input_find(&r->input, "follow");
	struct export *x = export_new(r, csv ? "csv" : "ndjson");
	if (follow && strcmp(follow, "true") == 0 && !place_take(x->places, &x->place, r)) {
		export_free(x);
		return STEP_ANSWERED;
	}
	follower_begin(&x->follower, x->followers);
	int result = piece_read(x, db, &r->work.wait, e);
	if (result != 0) {
		export_free(x);
		return result;
	}
	reply_stream(r, (unsigned)r->route->status,
		csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
		(struct reply_stream){stream_read, stream_done, x});
	return STEP_ANSWERED;
}

const struct work work_export = {.steps = {{STEP_IN_DB, step_export}},
	.content_type = "application/x-ndjson",
	.other_type = "text/csv"};
