// SPDX-License-Identifier: Apache-2.0
// Claims tasks, walks their steps, reports.
#include "lib/task.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/bus.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/failpoint.h"
#include "lib/mem.h"
#include "lib/pool.h"

enum {
	CALL_TIMEOUT_MS = 3000,
	PROGRESS_TIMEOUT_MS = 1000, // a report of progress is not worth a longer wait
	PAUSE_MS = 200, // between two tries to reach the database
	UNDO_MS = 20000,
	HAND_BACK_MS = 5000, // for undo and report after the stop's own time is over
};

// Why a running task is to stop. A stronger request replaces a weaker one.
enum stop_request { STOP_NONE, STOP_HAND_BACK, STOP_CANCEL, STOP_DROP };

struct slot {
	struct task_runner *runner;
	struct pool_job job;
	struct db *db; // of the thread that runs the job now; the next job may run in another
	bool housekeeping; // claims tasks of housekeeping only
	bool job_free; // under the runner's lock, like all below
	bool job_waits; // submitted, and not begun
	int64_t lease; // 0: no task
	bool acting; // steps or undo run; false while only the report is left
	enum stop_request request;
	int cancel_fd;
};

struct task_runner {
	struct task_conf conf;
	struct pool *pool;
	pthread_mutex_t lock;
	pthread_cond_t quiet; // a slot became idle
	const struct bus *bus; // NULL: not registered
	uint64_t scans; // counted, so that a slot sees that one was asked for while it claimed
	unsigned busy; // claim jobs that wait or run
	bool stopping;
	struct slot slots[];
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

static void log_event(const struct task_runner *runner, enum task_event event,
	const struct task *task, enum task_end end, int64_t took_ms, const struct err *e)
{
	if (runner->conf.event)
		runner->conf.event(runner->conf.data, event, task, end, took_ms, e);
}

// The lock is held.
static void slot_stop_locked(struct slot *slot, enum stop_request request)
{
	uint64_t one = 1;

	if (slot->lease == 0 || slot->request >= request)
		return;
	slot->request = request;
	(void)!write(slot->cancel_fd, &one, sizeof(one));
}

static enum stop_request slot_stop_request(struct slot *slot)
{
	pthread_mutex_lock(&slot->runner->lock);
	enum stop_request request = slot->request;
	pthread_mutex_unlock(&slot->runner->lock);
	return request;
}

static void slot_stop(struct slot *slot, enum stop_request request)
{
	pthread_mutex_lock(&slot->runner->lock);
	slot_stop_locked(slot, request);
	pthread_mutex_unlock(&slot->runner->lock);
}

static enum task_end end_by(enum stop_request request)
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

// Asks one of the task functions and copies its one word of answer.
static int ask(struct db *db, const struct db_call *call, const struct wait *w, char *ret,
	size_t ret_size, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int r = db_call(db, call, w, &rows, e);

	if (r != 0)
		return r;
	const char *word = db_rows(rows) == 1 ? db_text(rows, 0, 0) : NULL;
	if (!word || !text_copy(ret, ret_size, word))
		return err_say(e, EPROTO, "SQL answered a report with something unknown");
	return 0;
}

// Says which step begins and learns whether the task is to stop. An absent database does not hold
// up the work.
static int report_progress(
	struct slot *slot, struct task *task, const struct task_step *step, struct err *e)
{
	struct wait w = wait_for(PROGRESS_TIMEOUT_MS, pool_cancel_fd(slot->runner->pool));
	struct db_number lease = db_number(task->lease), progress = db_number(step->progress);
	char word[16];
	int r = ask(slot->db,
		DB_CALL("select task.progress($1, $2, $3, $4, $5)", task->id, lease.text,
			step->stage, progress.text, step->sentence),
		&w, word, sizeof(word), e);

	if (r != 0)
		return r == WAIT_CANCELED || db_is_away(r, e) ? 0 : -1;
	if (strcmp(word, "stop") == 0)
		slot_stop(slot, STOP_CANCEL);
	if (strcmp(word, "stale") == 0)
		slot_stop(slot, STOP_DROP);
	return 0;
}

static int run_step(struct task *task, const struct task_step *step, cJSON *timings, struct err *e)
{
	int64_t began_us = wait_now_us();

	failpoint(task->kind, step->name, "before");
	int r = step->run(task, e);
	failpoint(task->kind, step->name, "after");
	json_set_number(timings, step->name, (double)((wait_now_us() - began_us) / 100) / 10);
	return r;
}

static enum task_end run_steps(
	struct slot *slot, struct task *task, const struct task_step *steps, struct err *e)
{
	cJSON *timings = json_set_object(task->result, "timings");

	for (const struct task_step *step = steps; step->name; step++) {
		if (step->stage && report_progress(slot, task, step, e) < 0)
			return TASK_FAILED;
		enum stop_request request = slot_stop_request(slot);
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
			return end_by(slot_stop_request(slot));
	}
	return slot_stop_request(slot) == STOP_DROP ? TASK_DROPPED : TASK_SUCCEEDED;
}

static const char *failure_code(const struct task *task)
{
	if (task->error_code)
		return task->error_code;
	return wait_now_ms() >= task->deadline_ms ? "deadline" : "internal";
}

static bool failure_is_retryable(const struct task *task, const struct err *e)
{
	return task->retry == TASK_RETRY_AS_ERR ? err_is_retryable(e)
						: task->retry == TASK_RETRY_YES;
}

static int report_once(struct slot *slot, const struct task *task, enum task_end end,
	const struct err *failure, char *ret, size_t ret_size, struct err *e)
{
	struct wait w = wait_for(CALL_TIMEOUT_MS, pool_cancel_fd(slot->runner->pool));
	struct db_number lease = db_number(task->lease), seq = db_number(task->left_sequence);
	const char *sequence = task->left ? seq.text : NULL;
	_cleanup_(freep) char *result = json_print(task->result);

	switch (end) {
	case TASK_SUCCEEDED:
		return ask(slot->db,
			DB_CALL("select task.succeed($1, $2, $3, $4, $5)", task->id, lease.text,
				result, task->left, sequence),
			&w, ret, ret_size, e);
	case TASK_FAILED:
		return ask(slot->db,
			DB_CALL("select task.fail($1, $2, $3, $4, $5, $6, $7)", task->id,
				lease.text, failure_code(task), failure->message,
				failure_is_retryable(task, failure) ? "true" : "false", task->left,
				sequence),
			&w, ret, ret_size, e);
	case TASK_CANCELED:
		return ask(slot->db,
			DB_CALL("select task.canceled($1, $2, $3, $4, $5)", task->id, lease.text,
				"stopped on request", task->left, sequence),
			&w, ret, ret_size, e);
	case TASK_HANDED_BACK:
		return ask(slot->db,
			DB_CALL("select task.hand_back($1, $2, $3, $4)", task->id, lease.text,
				task->left, sequence),
			&w, ret, ret_size, e);
	case TASK_DROPPED:
		break;
	}
	abort();
}

// Reports until SQL answers. Returns how the task ended: TASK_DROPPED when SQL says that the lease
// is not ours, or when the program ends with the database away.
static enum task_end report(
	struct slot *slot, const struct task *task, enum task_end end, struct err *failure)
{
	struct wait forever = {
		.until_ms = INT64_MAX, .cancel_fd = pool_cancel_fd(slot->runner->pool)};
	bool logged = false;
	struct err e;
	char word[16];

	while (end != TASK_DROPPED && slot_stop_request(slot) != STOP_DROP) {
		int r = report_once(slot, task, end, failure, word, sizeof(word), &e);
		if (r == 0)
			return strcmp(word, "stale") == 0 ? TASK_DROPPED : end;
		if (r < 0 && !db_is_away(r, &e)) {
			*failure =
				e; // SQL refuses the report: then the task has failed, and says so
			if (end == TASK_FAILED)
				break;
			end = TASK_FAILED;
			continue;
		}
		if (!logged)
			log_event(slot->runner, TASK_EVENT_REPORT_WAITS, task, end, 0, &e);
		logged = true;
		if (wait_pause(&forever, PAUSE_MS, &e) != 0)
			break;
	}
	return TASK_DROPPED;
}

static const struct task_kind *find_kind(const struct task_runner *runner, const char *kind)
{
	for (const struct task_kind *k = runner->conf.kinds; k->kind; k++)
		if (strcmp(k->kind, kind) == 0)
			return k;
	return NULL;
}

static enum task_end run_kind(
	struct slot *slot, struct task *task, const char *params, cJSON **ret_params, struct err *e)
{
	const struct task_kind *kind = find_kind(slot->runner, task->kind);

	if (!kind) {
		err_note(e, ENOSYS, "this program does not know the task kind %s", task->kind);
		return TASK_FAILED;
	}
	if (json_parse(params, strlen(params), &json_from_peer, ret_params, e) < 0)
		return TASK_FAILED;
	task->params = *ret_params;
	int r = kind->begin ? kind->begin(task, e) : 0;
	enum task_end end =
		r == 0 ? run_steps(slot, task, kind->steps, e) : end_by(slot_stop_request(slot));
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

static void run_task(struct slot *slot, struct task *task, const char *params)
{
	struct task_runner *runner = slot->runner;
	_cleanup_(json_freep) cJSON *parsed = NULL;
	_cleanup_(json_freep) cJSON *result = json_new_object();
	int64_t began_ms = wait_now_ms();
	struct err e;

	err_note(&e, ECANCELED, "stopped on request");
	log_event(runner, TASK_EVENT_CLAIMED, task, TASK_SUCCEEDED, 0, NULL);
	task->result = result;
	enum task_end end = run_kind(slot, task, params, &parsed, &e);
	pthread_mutex_lock(&runner->lock);
	slot->acting = false;
	pthread_mutex_unlock(&runner->lock);
	end = report(slot, task, end, &e);
	log_event(runner, TASK_EVENT_ENDED, task, end, wait_now_ms() - began_ms,
		end == TASK_FAILED ? &e : NULL);
}

// Fills the task from a row of task.claim. The time of the database counts, not this machine's.
static void take_row(struct slot *slot, const struct pg_result *rows, struct task *task)
{
	const char *host_id = db_text(rows, 0, 2);

	*task = (struct task){
		.lease = db_int(rows, 0, 3),
		.attempt = (int)db_int(rows, 0, 4),
		.deadline_ms = wait_now_ms() + db_int(rows, 0, 6),
		.db = slot->db,
		.program = slot->runner->conf.data,
		.cancel_fd = slot->cancel_fd,
	};
	bool fits = text_copy(task->id, sizeof(task->id), db_text(rows, 0, 0)) &&
		    text_copy(task->kind, sizeof(task->kind), db_text(rows, 0, 1)) &&
		    text_copy(task->host_id, sizeof(task->host_id), host_id ? host_id : "");
	assert(fits);
}

// Claims one task and works on it. 0: worked; 1: nothing to do, or not now.
static int claim_and_run(struct slot *slot)
{
	struct task_runner *runner = slot->runner;
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct wait w = wait_for(CALL_TIMEOUT_MS, pool_cancel_fd(runner->pool));
	struct db_number process = db_number(bus_identity(runner->bus)->process_id);
	struct task task;
	struct err e;
	uint64_t ignored;

	int r = db_call(slot->db,
		DB_CALL("select task_id, kind, host_id, lease, attempt, params, "
			"(extract(epoch from deadline_at - clock.now()) * 1000)::bigint, stop_requested "
			"from task.claim($1, 1, $2)",
			process.text, slot->housekeeping ? "true" : "false"),
		&w, &rows, &e);
	if (r < 0 && !db_is_away(r, &e))
		log_event(runner, TASK_EVENT_CLAIM_FAILED, NULL, TASK_FAILED, 0, &e);
	if (r != 0 || db_rows(rows) == 0)
		return 1;
	take_row(slot, rows, &task);
	pthread_mutex_lock(&runner->lock);
	slot->lease = task.lease;
	slot->acting = true;
	slot->request = STOP_NONE;
	(void)!read(slot->cancel_fd, &ignored, sizeof(ignored));
	if (db_bool(rows, 0, 7))
		slot_stop_locked(slot, STOP_CANCEL);
	if (runner->stopping)
		slot_stop_locked(slot, STOP_HAND_BACK);
	pthread_mutex_unlock(&runner->lock);
	task_runner_scan(runner); // where one was, there may be more: wake the next slot
	run_task(slot, &task, db_text(rows, 0, 5));
	pthread_mutex_lock(&runner->lock);
	slot->lease = 0;
	pthread_mutex_unlock(&runner->lock);
	return 0;
}

// Claims and runs tasks until there is none left and no scan was asked for meanwhile.
static void job_run(struct pool_job *job, struct db *db)
{
	struct slot *slot = container_of(job, struct slot, job);
	struct task_runner *runner = slot->runner;
	bool more = true;

	slot->db = db;
	pthread_mutex_lock(&runner->lock);
	slot->job_waits = false;
	while (more && !runner->stopping && !bus_is_stale(runner->bus)) {
		uint64_t scans = runner->scans;
		pthread_mutex_unlock(&runner->lock);
		int r = claim_and_run(slot);
		pthread_mutex_lock(&runner->lock);
		more = r == 0 || scans != runner->scans;
	}
	slot->job_free = true; // since the last look at `scans` the lock was held: none is missed
	runner->busy--;
	pthread_cond_signal(&runner->quiet);
	pthread_mutex_unlock(&runner->lock);
}

// Wakes one slot that serves `housekeeping`, or does not. One that has not begun will see everything; and
// with every slot busy, each looks again when it is done. The lock is held.
static void wake_one(struct task_runner *runner, bool housekeeping)
{
	struct slot *found = NULL;

	for (unsigned i = 0; i < runner->conf.slots; i++) {
		struct slot *slot = &runner->slots[i];
		if (slot->housekeeping != housekeeping)
			continue;
		if (slot->job_waits)
			return;
		if (slot->job_free && !found)
			found = slot;
	}
	if (!found || pool_submit(runner->pool, &found->job) != 0)
		return;
	found->job_free = false;
	found->job_waits = true;
	runner->busy++;
}

void task_runner_scan(struct task_runner *runner)
{
	pthread_mutex_lock(&runner->lock);
	runner->scans++;
	if (runner->bus && !runner->stopping) {
		wake_one(runner, false);
		wake_one(runner, true);
	}
	pthread_mutex_unlock(&runner->lock);
}

static void runner_free(struct task_runner *runner)
{
	for (unsigned i = 0; i < runner->conf.slots; i++)
		closep(&runner->slots[i].cancel_fd);
	pthread_mutex_destroy(&runner->lock);
	pthread_cond_destroy(&runner->quiet);
	free(runner);
}

int task_runner_new(const struct task_conf *conf, struct task_runner **ret, struct err *e)
{
	struct task_runner *runner =
		xcalloc(1, sizeof(*runner) + conf->slots * sizeof(runner->slots[0]));
	pthread_condattr_t attr;
	int r = 0;

	runner->conf = *conf;
	pthread_mutex_init(&runner->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&runner->quiet, &attr);
	pthread_condattr_destroy(&attr);
	for (unsigned i = 0; i < conf->slots; i++) {
		runner->slots[i] = (struct slot){.runner = runner,
			.job = {.run = job_run},
			.housekeeping = i >= conf->slots - conf->housekeeping_slots,
			.job_free = true,
			.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
		if (runner->slots[i].cancel_fd < 0)
			r = err_set(e, errno, "eventfd");
	}
	const struct pool_conf pool = {.name = conf->name,
		.threads = conf->slots,
		.queue = conf->slots,
		.db = {.conninfo = conf->conninfo, .name = conf->db_name}};
	if (r == 0)
		r = pool_new(&pool, &runner->pool, e);
	if (r < 0) {
		runner_free(runner);
		return -1;
	}
	*ret = runner;
	return 0;
}

void task_runner_start(struct task_runner *runner, const struct bus *bus)
{
	pthread_mutex_lock(&runner->lock);
	runner->bus = bus;
	pthread_mutex_unlock(&runner->lock);
	task_runner_scan(runner);
}

size_t task_runner_leases(struct task_runner *runner, int64_t *ret, size_t max)
{
	size_t count = 0;

	pthread_mutex_lock(&runner->lock);
	for (unsigned i = 0; i < runner->conf.slots && count < max; i++)
		if (runner->slots[i].lease != 0)
			ret[count++] = runner->slots[i].lease;
	pthread_mutex_unlock(&runner->lock);
	return count;
}

static void lease_stop(struct task_runner *runner, int64_t lease, enum stop_request request)
{
	for (unsigned i = 0; i < runner->conf.slots; i++)
		if (runner->slots[i].lease == lease)
			slot_stop_locked(&runner->slots[i], request);
}

void task_runner_beat(struct task_runner *runner, const struct bus_beat *beat)
{
	pthread_mutex_lock(&runner->lock);
	for (size_t i = 0; i < beat->drop_count; i++)
		lease_stop(runner, beat->drop[i], STOP_DROP);
	for (size_t i = 0; i < beat->stop_count; i++)
		lease_stop(runner, beat->stop[i], STOP_CANCEL);
	pthread_mutex_unlock(&runner->lock);
}

void task_runner_drop_all(struct task_runner *runner)
{
	pthread_mutex_lock(&runner->lock);
	for (unsigned i = 0; i < runner->conf.slots; i++)
		if (runner->slots[i].acting)
			slot_stop_locked(&runner->slots[i], STOP_DROP);
	pthread_mutex_unlock(&runner->lock);
}

// Waits until no slot works; the lock is held.
static void await_quiet(struct task_runner *runner, int timeout_ms)
{
	int64_t until_ms = wait_now_ms() + timeout_ms;
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

	while (runner->busy > 0)
		if (pthread_cond_timedwait(&runner->quiet, &runner->lock, &until) == ETIMEDOUT)
			break;
}

int task_runner_stop(struct task_runner *runner, int timeout_ms)
{
	if (!runner)
		return 0;
	pthread_mutex_lock(&runner->lock);
	runner->stopping = true;
	await_quiet(runner, timeout_ms);
	for (unsigned i = 0; i < runner->conf.slots; i++)
		if (runner->slots[i].acting)
			slot_stop_locked(&runner->slots[i], STOP_HAND_BACK);
	pthread_mutex_unlock(&runner->lock);
	int r = pool_stop(runner->pool, HAND_BACK_MS);
	if (r == 0)
		runner_free(runner);
	return r;
}
