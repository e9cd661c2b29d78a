// SPDX-License-Identifier: Apache-2.0
// Who listens, and what each is told. All on the HTTP thread, but what says otherwise.
#include "api/live.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/connection.h"
#include "api/listener.h"
#include "api/live_read.h"
#include "api/reply.h"
#include "api/request.h"
#include "api/stream.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/program.h"
#include "lib/wait.h"

enum { FAILURES_MAX = 3 };

struct live {
	struct pool *pool;
	_Atomic(struct loop *) loop; // the HTTP thread's, from the first listener on
	atomic_bool stopping;
	atomic_bool rung;
	struct loop_post ring, quit;

	struct places *places;

	struct listener *first;
	struct loop_source *tick, *pause;
	bool is_busy; // a step is in the pool, or the pause after it lasts
	bool again; // something happened meanwhile
	bool checks; // the next step asks whether the logins live
	bool starts_over; // the next step cannot tell what happened before
	unsigned failures; // in a row, that are not the database's absence
	char *cursor; // what all that listen have been told; NULL: none listens
	struct stream_text *where; // the same as a line: "id: ...\n\n"

	struct live_read read; // the job's while it runs
	struct pool_job job;
	struct loop_post step;
	int64_t step_began_us;
	int result;
	struct err error;
};

static void take_ended(struct live *live, const struct pg_result *ended)
{
	for (int row = 0; ended && row < db_rows(ended); row++)
		LISTENERS_EACH (l, live->first)
			if (strcmp(l->claims.login_id, db_text(ended, row, LIVE_ENDED_LOGIN)) == 0)
				listener_end(l, db_text(ended, row, LIVE_ENDED_CODE),
					db_text(ended, row, LIVE_ENDED_SENTENCE));
}

// `group`: those who join with it; SIZE_MAX: those who listen.
static void take_rows(struct live *live, const struct pg_result *rows, size_t group)
{
	for (int row = 0; rows && row < db_rows(rows); row++) {
		struct stream_text *text = listener_row_text(rows, row);
		LISTENERS_EACH (l, live->first) {
			bool of_group = group == SIZE_MAX
						? l->state == LISTENER_LISTENS
						: l->state == LISTENER_JOINS && l->group == group;
			if (text && of_group && listener_may_hear(l, rows, row))
				listener_tell(l, text);
		}
		stream_text_drop(text);
	}
}

static void take_joining(struct live *live)
{
	LISTENERS_EACH (l, live->first)
		if (l->state == LISTENER_JOINS)
			listener_tell_new(l, xstrdup(l->cursor ? LISTENER_READY("true")
							       : LISTENER_READY("false")));
	for (size_t i = 0; i < live->read.joining_count; i++)
		take_rows(live, live->read.joining[i].rows, i);
	LISTENERS_EACH (l, live->first) {
		if (l->state != LISTENER_JOINS)
			continue;
		l->state = LISTENER_LISTENS;
		freep(&l->cursor);
	}
}

static void start_over(struct live *live)
{
	LISTENERS_EACH (l, live->first)
		if (l->state == LISTENER_LISTENS)
			listener_tell_new(l, xstrdup(LISTENER_RESYNC));
	live->starts_over = false;
}

static void send_all(struct live *live)
{
	int64_t now_ms = wait_now_ms();
	LISTENERS_EACH (l, live->first) {
		bool is_silent = !l->is_told && now_ms - l->told_ms >= LIVE_HEARTBEAT_MS;
		if (l->state == LISTENER_LISTENS && is_silent)
			listener_tell_new(l, xstrdup(LISTENER_HEARTBEAT));
		listener_send(l, live->where);
	}
}

static void step_take(struct live *live)
{
	live->failures = 0;
	take_ended(live, live->read.ended);
	if (live->starts_over)
		start_over(live);
	else
		take_rows(live, live->read.present.rows, SIZE_MAX);
	take_joining(live);
	free(live->cursor);
	live->cursor = xstrdup(live_read_cursor(&live->read));
	stream_text_drop(live->where);
	live->where = stream_text_new(xasprintf("id: %s\n\n", live->cursor));
	send_all(live);
}

// With the database away all stay where they are, and clients miss the heartbeat. What fails although
// it is there, because there is too much to read, would fail again.
static void step_failed(struct live *live)
{
	const struct err *e = &live->error;
	bool is_dear = live->result == WAIT_TIMEOUT || strcmp(e->sqlstate, "57014") == 0 ||
		       (live->result < 0 && !err_is_retryable(e));
	log_warning_often("the live streams wait", log_err(e));
	live->failures += is_dear;
	bool gives_up = live->failures >= FAILURES_MAX;
	if (gives_up) {
		live->failures = 0;
		live->starts_over = true;
		freep(&live->cursor);
	}
	LISTENERS_EACH (l, live->first) {
		if (l->state != LISTENER_JOINS)
			continue;
		l->state = LISTENER_WAITS;
		if (gives_up && l->cursor) {
			free(l->cursor);
			l->cursor = xstrdup("-"); // nowhere that can be gone on from
		}
	}
}

static void step_run(struct pool_job *job, struct db *db)
{
	struct live *live = container_of(job, struct live, job);
	live->result = live_read_run(&live->read, db, &live->error);
}

static void step_done(struct pool_job *job)
{
	struct live *live = container_of(job, struct live, job);
	loop_post(atomic_load(&live->loop), &live->step);
}

// The group of those who join from the same place; LIVE_GROUPS_MAX when there is no room for another.
static size_t group_find(struct live_read *read, const char *cursor)
{
	size_t i = 0;
	while (i < read->joining_count &&
		strcmp(read->joining[i].cursor ? read->joining[i].cursor : "",
			cursor ? cursor : "") != 0)
		i++;
	if (i < read->joining_count || i == LIVE_GROUPS_MAX)
		return i;
	read->joining[i].cursor = cursor ? xstrdup(cursor) : NULL;
	read->joining_count++;
	return i;
}

static void group_add(struct live_group *group, const struct listener *l)
{
	group->topics |= l->topics;
	group->for_admins |= l->is_admin;
	if (!l->is_admin)
		live_list_add(&group->users, l->claims.user_id);
}

// What the next step has to read for those who listen and those who can join.
static void step_fill(struct live *live)
{
	struct live_read *read = &live->read;
	live_read_init(read);
	read->checks = live->checks;
	read->present.cursor = live->cursor ? xstrdup(live->cursor) : NULL;
	LISTENERS_EACH (l, live->first) {
		if (l->state == LISTENER_ENDS)
			continue;
		live_list_add(&read->logins, l->claims.login_id);
		live_list_add(&read->roles, l->is_admin ? "admin" : "user");
		if (l->state == LISTENER_LISTENS) {
			group_add(&read->present, l);
			continue;
		}
		l->group = group_find(read, l->cursor);
		if (l->group == LIVE_GROUPS_MAX)
			continue;
		l->state = LISTENER_JOINS;
		group_add(&read->joining[l->group], l);
	}
	live->checks = false;
}

static void turn(struct live *live)
{
	if (live->is_busy) {
		live->again = true;
		return;
	}
	live->again = false;
	if (!live->first) {
		loop_timer_clear(live->tick);
		freep(&live->cursor);
		return;
	}
	step_fill(live);
	live->step_began_us = wait_now_us();
	live->job = (struct pool_job){.run = step_run, .done = step_done};
	live->is_busy = pool_submit(live->pool, &live->job) == 0;
	if (!live->is_busy) // it has stopped
		live_read_done(&live->read);
}

static bool somebody_waits(const struct live *live)
{
	for (const struct listener *l = live->first; l; l = l->next)
		if (l->state == LISTENER_WAITS)
			return true;
	return false;
}

static void on_pause(void *data)
{
	struct live *live = data;
	live->is_busy = false;
	if (live->again)
		turn(live);
}

// A pause after a step that was dear, for who reads less often reads more at once: half of what it took
// beyond LIVE_CHEAP_MS.
static void on_step(struct loop_post *post)
{
	struct live *live = container_of(post, struct live, step);
	bool succeeded = live->job.ran && live->result == 0;
	if (succeeded)
		step_take(live);
	else if (live->job.ran)
		step_failed(live);
	live_read_done(&live->read);
	live->again |= succeeded && somebody_waits(live);
	int64_t pause_ms = ((wait_now_us() - live->step_began_us) / 1000 - LIVE_CHEAP_MS) / 2;
	if (pause_ms > LIVE_PAUSE_MAX_MS)
		pause_ms = LIVE_PAUSE_MAX_MS;
	if (pause_ms > 0)
		loop_timer_set(live->pause, pause_ms, 0);
	else
		on_pause(live);
}

static void on_tick(void *data)
{
	struct live *live = data;
	live->checks = true;
	turn(live);
}

static void on_ring(struct loop_post *post)
{
	struct live *live = container_of(post, struct live, ring);
	atomic_store(&live->rung, false);
	turn(live);
}

void live_ring(struct live *live)
{
	struct loop *loop = atomic_load(&live->loop);
	if (loop && !atomic_exchange(&live->rung, true))
		loop_post(loop, &live->ring);
}

static void begin(struct live *live, struct loop *loop)
{
	struct err e;
	if (atomic_load(&live->loop))
		return;
	if (loop_timer(loop, on_tick, live, &live->tick, &e) < 0 ||
		loop_timer(loop, on_pause, live, &live->pause, &e) < 0)
		abort(); // no descriptor is left for a timer
	atomic_store(&live->loop, loop);
}

static void join(struct listener *l)
{
	struct live *live = l->live;
	begin(live, l->connection->all->loop);
	if (!live->first)
		loop_timer_set(live->tick, LIVE_TICK_MS, LIVE_TICK_MS);
	l->state = LISTENER_WAITS;
	l->next = live->first;
	if (l->next)
		l->next->prev = l;
	live->first = l;
	turn(live);
}

static ssize_t read_stream(void *data, char *to, size_t max)
{
	struct listener *l = data;
	if (l->state == LISTENER_NEW)
		join(l);
	size_t taken = listener_take(l, l->live->where, to, max);
	if (taken == 0 && (l->state == LISTENER_ENDS || atomic_load(&l->live->stopping)))
		return -1;
	return (ssize_t)taken;
}

static void end_stream(void *data)
{
	struct listener *l = data;
	place_leave(l->live->places, &l->place);
	if (l->state != LISTENER_NEW) {
		if (l->prev)
			l->prev->next = l->next;
		else
			l->live->first = l->next;
		if (l->next)
			l->next->prev = l->prev;
	}
	stream_done(&l->out);
	free(l->cursor);
	free(l);
}

static void on_quit(struct loop_post *post)
{
	struct live *live = container_of(post, struct live, quit);
	LISTENERS_EACH (l, live->first)
		connection_wake(l->connection);
}

static struct listener *listener_new(const struct request *r, unsigned topics, const char *cursor)
{
	struct listener *l = xnew(struct listener);
	l->live = r->app->live;
	l->connection = r->connection;
	l->claims = r->caller.claims;
	l->is_admin = r->route->who == ROUTE_ADMIN;
	l->topics = topics;
	l->cursor = cursor ? xstrdup(cursor) : NULL;
	return l;
}

void live_listen(struct request *r, unsigned topics, const char *cursor)
{
	struct listener *l = listener_new(r, topics, cursor);
	if (place_take(l->live->places, &l->place, r)) {
		reply_stream(r, (unsigned)r->route->status, r->route->work->content_type,
			(struct reply_stream){read_stream, end_stream, l});
		return;
	}
	free(l->cursor);
	free(l);
}

int live_new(struct app *app, struct live **ret, struct err *e)
{
	struct live *live = xnew(struct live);
	const struct pool_conf conf = {.name = "live",
		.threads = 1,
		.queue = 1,
		.db = {.conninfo = app->service->database, .name = "ccp-api/live"}};
	if (pool_new(&conf, &live->pool, e) < 0) {
		free(live);
		return -1;
	}
	live->places = &app->places;
	live->ring.fn = on_ring;
	live->quit.fn = on_quit;
	live->step.fn = on_step;
	*ret = live;
	return 0;
}

int live_stop(struct live *live, int timeout_ms)
{
	if (!live)
		return 0;
	atomic_store(&live->stopping, true);
	struct loop *loop = atomic_load(&live->loop);
	if (loop)
		loop_post(loop, &live->quit);
	return pool_end(live->pool, timeout_ms);
}

void live_free(struct live *live)
{
	if (!live)
		return;
	pool_free(live->pool);
	live_read_done(&live->read);
	stream_text_drop(live->where);
	free(live->cursor);
	free(live);
}
