// SPDX-License-Identifier: Apache-2.0
// Walks the steps of one task and reports its end.
#include "lib/task_slot.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/db.h"
#include "lib/failpoint.h"
#include "lib/mem.h"
#include "lib/task_metrics.h"

enum {
	CALL_TIMEOUT_MS = 3000,
	PROGRESS_TIMEOUT_MS = 1000, // a report of progress is not worth a longer wait
	PAUSE_MS = 200, // between two tries to reach the database
	UNDO_MS = 20000,
};

struct wait task_wait(const struct task *task, int timeout_ms)
{
	struct wait whole = {.until_ms = task->deadline_ms, .cancel_fd = task->cancel_fd};

	return wait_at_most(&whole, timeout_ms);
}

int task_fail(struct task *task, const char *error_code, enum task_retry retry)
{
	task->error_code = error_code;
	task->retry = retry;
	return -1;
}

int task_call(struct task *task, const struct db_call *call, struct pg_result **ret, struct err *e)
{
	struct wait whole = task_wait(task, INT_MAX);
	struct err ignored;

	for (;;) {
		struct wait w = task_wait(task, CALL_TIMEOUT_MS);
		int r = db_call(task->db, call, &w, ret, e);
		if (!db_is_away(r, e) || wait_pause(&whole, PAUSE_MS, &ignored) != 0)
			return r;
	}
}

void task_slot_log(const struct task_slot *slot, enum task_event event, const struct err *e)
{
	const struct task_conf *conf = slot->conf;

	if (conf->event)
		conf->event(conf->data, event, &slot->task, slot->end,
			wait_now_ms() - slot->began_ms, e);
}

void task_slot_stop_locked(struct task_slot *slot, enum task_stop request)
{
	uint64_t one = 1;

	if (slot->phase == SLOT_FREE || slot->request >= request)
		return;
	slot->request = request;
	(void)!write(slot->cancel_fd, &one, sizeof(one));
}

static void stop(struct task_slot *slot, enum task_stop request)
{
	pthread_mutex_lock(slot->lock);
	task_slot_stop_locked(slot, request);
	pthread_mutex_unlock(slot->lock);
}

static enum task_stop stop_request(struct task_slot *slot)
{
	pthread_mutex_lock(slot->lock);
	enum task_stop request = slot->request;
	pthread_mutex_unlock(slot->lock);
	return request;
}

static enum task_end end_by(enum task_stop request)
{
	switch (request) {
	case STOP_NONE:
		return TASK_FAILED;
	case STOP_CANCEL:
		return TASK_CANCELED;
	case STOP_HAND_BACK:
		return TASK_HANDED_BACK;
	case STOP_DROP:
		return TASK_DROPPED;
	}
	abort();
}

static const struct task_kind *find_kind(const struct task_conf *conf, const char *kind)
{
	for (const struct task_kind *k = conf->kinds; k->kind; k++)
		if (strcmp(k->kind, kind) == 0)
			return k;
	return NULL;
}

// For what is counted: a kind that this program does not know is not one of its words.
static const char *kind_word(const struct task_slot *slot)
{
	const struct task_kind *kind = find_kind(slot->conf, slot->task.kind);

	return kind ? kind->kind : "unknown";
}

// The time of the database counts, not this machine's.
void task_slot_take_locked(struct task_slot *slot, const struct pg_result *rows, int row)
{
	const char *host_id = db_text(rows, row, 2);
	uint64_t ignored;

	slot->task = (struct task){
		.lease = db_int(rows, row, 3),
		.attempt = (int)db_int(rows, row, 4),
		.deadline_ms = wait_now_ms() + db_int(rows, row, 6),
		.program = slot->conf->data,
		.cancel_fd = slot->cancel_fd,
		.result = json_new_object(),
	};
	bool fits =
		text_copy(slot->task.id, sizeof(slot->task.id), db_text(rows, row, 0)) &&
		text_copy(slot->task.kind, sizeof(slot->task.kind), db_text(rows, row, 1)) &&
		text_copy(slot->task.host_id, sizeof(slot->task.host_id), host_id ? host_id : "");
	assert(fits);
	task_metrics_claimed(kind_word(slot), db_int(rows, row, 8));
	slot->params = xstrdup(db_text(rows, row, 5));
	slot->phase = SLOT_ACTS;
	slot->request = STOP_NONE;
	slot->is_new = true;
	(void)!read(slot->cancel_fd, &ignored, sizeof(ignored));
	if (db_bool(rows, row, 7))
		task_slot_stop_locked(slot, STOP_CANCEL);
}

// Says which step begins and learns whether the task is to stop. An absent database does not hold
// up the work.
static int report_progress(struct task_slot *slot, const struct task_step *step, struct err *e)
{
	const struct task *task = &slot->task;
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct wait w = wait_for(PROGRESS_TIMEOUT_MS, slot->give_up_fd);
	struct db_number lease = db_number(task->lease), progress = db_number(step->progress);
	int r = db_call(task->db,
		DB_CALL("select task.progress($1, $2, $3, $4, $5)", task->id, lease.text,
			step->stage, progress.text, step->sentence),
		&w, &rows, e);

	if (r != 0)
		return r == WAIT_CANCELED || db_is_away(r, e) ? 0 : -1;
	if (task_report_is_stale(rows))
		stop(slot, STOP_DROP);
	else if (strcmp(db_text(rows, 0, 0), "stop") == 0)
		stop(slot, STOP_CANCEL);
	return 0;
}

static int run_step(struct task *task, const struct task_step *step, cJSON *timings, struct err *e)
{
	int64_t began_us = wait_now_us();

	failpoint(task->kind, step->name, "before");
	int r = step->run(task, e);
	failpoint(task->kind, step->name, "after");
	int64_t took_us = wait_now_us() - began_us;
	json_set_number(timings, step->name, (double)(took_us / 100) / 10);
	task_metrics_step(task->kind, step->name, took_us);
	return r;
}

static enum task_end run_steps(struct task_slot *slot, const struct task_step *steps, struct err *e)
{
	struct task *task = &slot->task;
	cJSON *timings = json_set_object(task->result, "timings");

	for (const struct task_step *step = steps; step->name; step++) {
		if (step->stage && report_progress(slot, step, e) < 0)
			return TASK_FAILED;
		enum task_stop request = stop_request(slot);
		if (request != STOP_NONE)
			return end_by(request);
		if (wait_now_ms() >= task->deadline_ms) {
			err_note(e, ETIMEDOUT, "the time for this task is over before: %s",
				step->name);
			return TASK_FAILED;
		}
		int r = run_step(task, step, timings, e);
		if (r == TASK_DONE)
			break;
		if (r != 0)
			return end_by(stop_request(slot));
	}
	return stop_request(slot) == STOP_DROP ? TASK_DROPPED : TASK_SUCCEEDED;
}

static enum task_end run_kind(struct task_slot *slot, cJSON **ret_params, struct err *e)
{
	struct task *task = &slot->task;
	const struct task_kind *kind = find_kind(slot->conf, task->kind);

	if (!kind) {
		err_note(e, ENOSYS, "this program does not know the task kind %s", task->kind);
		return TASK_FAILED;
	}
	if (json_parse(slot->params, strlen(slot->params), &json_from_peer, ret_params, e) < 0)
		return TASK_FAILED;
	task->params = *ret_params;
	int r = kind->begin ? kind->begin(task, e) : 0;
	enum task_end end = r == 0 ? run_steps(slot, kind->steps, e) : end_by(stop_request(slot));
	if (end != TASK_SUCCEEDED && kind->undo) {
		struct task undoing = *task; // the report looks at the task's own deadline
		undoing.cancel_fd = -1;
		undoing.deadline_ms = wait_now_ms() + UNDO_MS;
		kind->undo(&undoing, end);
		task->state = undoing.state;
	}
	if (kind->end)
		kind->end(task);
	return end;
}

void task_slot_act(struct task_slot *slot, struct db *db)
{
	_cleanup_(json_freep) cJSON *params = NULL;

	slot->task.db = db;
	slot->began_ms = wait_now_ms();
	slot->end = TASK_SUCCEEDED;
	err_note(&slot->failure, ECANCELED, "stopped on request");
	task_slot_log(slot, TASK_EVENT_CLAIMED, NULL);
	slot->end = run_kind(slot, &params, &slot->failure);
	slot->task.params = NULL;
}

static int report_once(struct task_slot *slot, struct db *db, struct pg_result **ret, struct err *e)
{
	struct wait w = wait_for(CALL_TIMEOUT_MS, slot->give_up_fd);

	task_report_make(&slot->report, &slot->task, slot->end, &slot->failure);
	int r = db_call(db, &slot->report.call, &w, ret, e);
	task_report_done(&slot->report);
	return r;
}

// SQL refuses the report: then the task has failed, and says so. Otherwise it is sent again as long
// as the database is away.
void task_slot_report(struct task_slot *slot, struct db *db)
{
	struct wait forever = {.until_ms = INT64_MAX, .cancel_fd = slot->give_up_fd};
	bool logged = false;
	struct err e;

	while (slot->end != TASK_DROPPED && stop_request(slot) != STOP_DROP) {
		_cleanup_(db_result_freep) struct pg_result *rows = NULL;
		int r = report_once(slot, db, &rows, &e);
		if (r == 0) {
			slot->end = task_report_is_stale(rows) ? TASK_DROPPED : slot->end;
			return;
		}
		if (r < 0 && !db_is_away(r, &e)) {
			slot->failure = e;
			if (slot->end == TASK_FAILED)
				break;
			slot->end = TASK_FAILED;
			continue;
		}
		if (!logged)
			task_slot_log(slot, TASK_EVENT_REPORT_WAITS, &e);
		logged = true;
		if (wait_pause(&forever, PAUSE_MS, &e) != 0)
			break;
	}
	slot->end = TASK_DROPPED;
}

void task_slot_finish(struct task_slot *slot)
{
	task_metrics_ended(kind_word(slot), slot->end, wait_now_ms() - slot->began_ms);
	task_slot_log(slot, TASK_EVENT_ENDED, slot->end == TASK_FAILED ? &slot->failure : NULL);
	json_freep(&slot->task.result);
	freep(&slot->params);
}
