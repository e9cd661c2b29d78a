// SPDX-License-Identifier: Apache-2.0
// Claims tasks for the slots that are free, and reports the ends of tasks together.
#include "lib/task.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "lib/bus.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/task_slot.h"

enum {
	ROUND_TIMEOUT_MS = 3000,
	// What ends so soon after it was claimed is reported together. Not a setting: it is about what a
	// commit costs, so that a task alone loses nothing that can be felt and many share most commits.
	GATHER_US = 500,
	HAND_BACK_MS = 5000, // for undo and report after the stop's own time is over
};

// The dispatcher works in rounds, on a thread and a connection of its own. A round is one transaction: the
// reports that wait, then a claim for the slots that are free or become free by them. What ends during a
// round is reported in the next one, so the more there is to do, the fewer commits a task costs.
//
// Only tasks without a host are reported in rounds: a report locks its host, and a transaction locks one
// host at most. A round does not wait long for a lock. If it would, or if one statement of it is refused,
// nothing in it has happened; then each of its tasks is reported by a thread of its own, on its own connection.
struct task_runner {
	struct task_conf conf;
	struct pool *pool; // of the slots
	struct pool *dispatch_pool;
	char *dispatch_name; // application_name of its connection
	struct pool_job dispatcher;
	pthread_mutex_t lock; // of all below
	pthread_cond_t quiet; // a slot became free, or its steps ended
	const struct bus *bus; // NULL: not registered
	bool dispatching; // the dispatcher runs or is about to, and looks again before it ends
	bool look[2]; // there may be something to claim; [1]: of housekeeping
	bool stopping;
	struct task_slot slots[];
};

// What the dispatcher does in one transaction.
struct round {
	struct task_slot *reports[BUS_LEASES_MAX]; // by the ids of their tasks
	size_t report_count;
	unsigned wanted[2]; // as many tasks are to be claimed; [1]: of housekeeping
	int64_t process_id; // for whom
	struct db_call calls[BUS_LEASES_MAX + 3];
	struct pg_result *answers[BUS_LEASES_MAX + 3];
	size_t call_count;
};

// The lock is held.
static void wake_dispatcher(struct task_runner *runner)
{
	if (!runner->dispatching && !runner->stopping)
		runner->dispatching = pool_submit(runner->dispatch_pool, &runner->dispatcher) == 0;
}

// The lock is held.
static void free_slot(struct task_runner *runner, struct task_slot *slot)
{
	slot->phase = SLOT_FREE;
	pthread_cond_broadcast(&runner->quiet);
}

// A task's end is reported by the dispatcher, unless it is a host's or the program ends.
static bool report_with_others(struct task_runner *runner, struct task_slot *slot)
{
	pthread_mutex_lock(&runner->lock);
	bool with_others = slot->end != TASK_DROPPED && !slot->task.host_id[0] && !runner->stopping;
	slot->phase = with_others ? SLOT_WAITS : SLOT_REPORTS;
	pthread_cond_broadcast(&runner->quiet);
	if (with_others)
		wake_dispatcher(runner);
	pthread_mutex_unlock(&runner->lock);
	return with_others;
}

// A thread of the pool: acts and reports, or only reports what the dispatcher could not. Once the dispatcher
// reports, the slot may be another thread's.
static void slot_run(struct pool_job *job, struct db *db)
{
	struct task_slot *slot = container_of(job, struct task_slot, job);
	struct task_runner *runner = slot->runner;

	if (slot->phase == SLOT_ACTS) {
		task_slot_act(slot, db);
		if (report_with_others(runner, slot))
			return;
	}
	task_slot_report(slot, db);
	task_slot_finish(slot);
	pthread_mutex_lock(&runner->lock);
	free_slot(runner, slot);
	if (runner->look[slot->housekeeping])
		wake_dispatcher(runner);
	pthread_mutex_unlock(&runner->lock);
}

// The lock is held.
static void slot_start(struct task_runner *runner, struct task_slot *slot)
{
	int r = pool_submit(runner->pool, &slot->job);
	assert(r == 0); // it has a thread for each slot, and the dispatcher ends before it
}

static int by_task(const void *one, const void *other)
{
	const struct task_slot *const *a = one, *const *b = other;

	return strcmp((*a)->task.id, (*b)->task.id);
}

// Takes what there is to do; false: nothing. The lock is held.
static bool round_begin(struct task_runner *runner, struct round *round)
{
	bool claims = runner->bus && !runner->stopping && !bus_is_stale(runner->bus);

	*round = (struct round){.process_id = claims ? bus_identity(runner->bus)->process_id : 0};
	for (unsigned i = 0; i < runner->conf.slots; i++) {
		struct task_slot *slot = &runner->slots[i];
		if (slot->phase == SLOT_WAITS) {
			slot->phase = SLOT_CARRIED;
			round->reports[round->report_count++] = slot;
		}
		if (slot->phase == SLOT_FREE || slot->phase == SLOT_CARRIED)
			round->wanted[slot->housekeeping] +=
				claims && runner->look[slot->housekeeping];
	}
	// Others that lock several tasks do it in this order too.
	qsort(round->reports, round->report_count, sizeof(round->reports[0]), by_task);
	for (int h = 0; h < 2; h++)
		if (round->wanted[h] > 0)
			runner->look[h] = false;
	return round->report_count + round->wanted[0] + round->wanted[1] > 0;
}

static int round_ask(struct task_runner *runner, struct round *round, struct db *db, struct err *e)
{
	struct wait w = wait_for(ROUND_TIMEOUT_MS, pool_cancel_fd(runner->dispatch_pool));
	struct db_number process = db_number(round->process_id);
	struct db_number limits[2] = {db_number(round->wanted[0]), db_number(round->wanted[1])};
	const char *const params[2][3] = {
		{process.text, limits[0].text, "false"}, {process.text, limits[1].text, "true"}};

	if (round->report_count > 0)
		round->calls[round->call_count++] = (struct db_call){
			"select set_config('lock_timeout', '100ms', true)", NULL, 0};
	for (size_t i = 0; i < round->report_count; i++) {
		struct task_slot *slot = round->reports[i];
		task_report_make(&slot->report, &slot->task, slot->end, &slot->failure);
		round->calls[round->call_count++] = slot->report.call;
	}
	for (int h = 0; h < 2; h++)
		if (round->wanted[h] > 0)
			round->calls[round->call_count++] = (struct db_call){
				SELECT_CLAIMED "from task.claim($1, $2, $3)", params[h], 3};
	int r = db_pipeline(db, round->calls, round->call_count, &w, round->answers, e);
	for (size_t i = 0; i < round->report_count; i++)
		task_report_done(&round->reports[i]->report);
	return r;
}

static struct task_slot *free_slot_of(struct task_runner *runner, bool housekeeping)
{
	for (unsigned i = 0; i < runner->conf.slots; i++) {
		struct task_slot *slot = &runner->slots[i];
		if (slot->phase == SLOT_FREE && slot->housekeeping == housekeeping)
			return slot;
	}
	return NULL;
}

static void start_claimed(struct task_runner *runner, const struct pg_result *rows,
	bool housekeeping, unsigned wanted)
{
	pthread_mutex_lock(&runner->lock);
	for (int i = 0; i < db_rows(rows); i++) {
		struct task_slot *slot = free_slot_of(runner, housekeeping);
		assert(slot); // no more were asked for
		task_slot_take_locked(slot, rows, i);
		if (runner->stopping)
			task_slot_stop_locked(slot, STOP_HAND_BACK);
		slot_start(runner, slot);
	}
	if ((unsigned)db_rows(rows) == wanted)
		runner->look[housekeeping] = true; // where so many were, there may be more
	pthread_mutex_unlock(&runner->lock);
}

static void round_done(struct task_runner *runner, struct round *round)
{
	struct pg_result **answer = round->answers;

	if (round->report_count > 0)
		answer++; // to the limit for locks
	for (size_t i = 0; i < round->report_count; i++) {
		struct task_slot *slot = round->reports[i];
		if (task_report_is_stale(*answer++))
			slot->end = TASK_DROPPED;
		task_slot_finish(slot);
		pthread_mutex_lock(&runner->lock);
		free_slot(runner, slot);
		pthread_mutex_unlock(&runner->lock);
	}
	for (int h = 0; h < 2; h++)
		if (round->wanted[h] > 0)
			start_claimed(runner, *answer++, h, round->wanted[h]);
	for (size_t i = 0; i < round->call_count; i++)
		db_result_freep(&round->answers[i]);
}

// Each task is reported by itself then. A claim that came with reports is made again without them; one that came alone
// waits for the next scan.
static void round_failed(
	struct task_runner *runner, const struct round *round, int outcome, const struct err *e)
{
	pthread_mutex_lock(&runner->lock);
	for (size_t i = 0; i < round->report_count; i++) {
		round->reports[i]->phase = SLOT_REPORTS;
		slot_start(runner, round->reports[i]);
	}
	for (int h = 0; h < 2; h++)
		if (round->report_count > 0 && round->wanted[h] > 0)
			runner->look[h] = true;
	pthread_mutex_unlock(&runner->lock);
	if (round->report_count == 0 && outcome < 0 && !db_is_away(outcome, e) &&
		runner->conf.event)
		runner->conf.event(
			runner->conf.data, TASK_EVENT_CLAIM_FAILED, NULL, TASK_FAILED, 0, e);
}

// Of the tasks that the last round has claimed: does one still act?
static bool has_begun(const struct task_runner *runner)
{
	for (unsigned i = 0; i < runner->conf.slots; i++)
		if (runner->slots[i].phase == SLOT_ACTS && runner->slots[i].is_new)
			return true;
	return false;
}

// Many tasks end at once after they have begun: for those the next round waits a moment. The lock is held.
static void gather(struct task_runner *runner)
{
	int64_t until_us = wait_now_us() + GATHER_US;
	struct timespec until = {
		.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};

	while (has_begun(runner))
		if (pthread_cond_timedwait(&runner->quiet, &runner->lock, &until) == ETIMEDOUT)
			break;
	for (unsigned i = 0; i < runner->conf.slots; i++)
		runner->slots[i].is_new = false;
}

static void dispatch(struct pool_job *job, struct db *db)
{
	struct task_runner *runner = container_of(job, struct task_runner, dispatcher);
	struct round round;
	struct err e;

	pthread_mutex_lock(&runner->lock);
	while (round_begin(runner, &round)) {
		pthread_mutex_unlock(&runner->lock);
		int r = round_ask(runner, &round, db, &e);
		if (r == 0)
			round_done(runner, &round);
		else
			round_failed(runner, &round, r, &e);
		pthread_mutex_lock(&runner->lock);
		gather(runner);
	}
	runner->dispatching = false;
	pthread_mutex_unlock(&runner->lock);
}

void task_runner_scan(struct task_runner *runner)
{
	pthread_mutex_lock(&runner->lock);
	runner->look[false] = runner->look[true] = true;
	if (runner->bus)
		wake_dispatcher(runner);
	pthread_mutex_unlock(&runner->lock);
}

static void runner_free(struct task_runner *runner)
{
	for (unsigned i = 0; i < runner->conf.slots; i++)
		closep(&runner->slots[i].cancel_fd);
	pthread_mutex_destroy(&runner->lock);
	pthread_cond_destroy(&runner->quiet);
	free(runner->dispatch_name);
	free(runner);
}

static void init_lock(struct task_runner *runner)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&runner->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&runner->quiet, &attr);
	pthread_condattr_destroy(&attr);
}

static int make_slots(struct task_runner *runner, struct err *e)
{
	const struct task_conf *conf = &runner->conf;
	int r = 0;

	for (unsigned i = 0; i < conf->slots; i++) {
		runner->slots[i] = (struct task_slot){.runner = runner,
			.conf = conf,
			.job = {.run = slot_run},
			.lock = &runner->lock,
			.housekeeping = i >= conf->slots - conf->housekeeping_slots,
			.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
		if (runner->slots[i].cancel_fd < 0)
			r = err_set(e, errno, "eventfd");
	}
	return r;
}

static int make_pools(struct task_runner *runner, struct err *e)
{
	const struct task_conf *conf = &runner->conf;
	const struct pool_conf slots = {.name = conf->name,
		.threads = conf->slots,
		.queue = conf->slots,
		.db = {.conninfo = conf->conninfo, .name = conf->db_name}};
	runner->dispatch_name = xasprintf("%s/dispatch", conf->db_name);
	const struct pool_conf dispatcher = {.name = "dispatch",
		.threads = 1,
		.queue = 1,
		.db = {.conninfo = conf->conninfo, .name = runner->dispatch_name}};

	if (pool_new(&slots, &runner->pool, e) < 0)
		return -1;
	for (unsigned i = 0; i < conf->slots; i++)
		runner->slots[i].give_up_fd = pool_cancel_fd(runner->pool);
	if (pool_new(&dispatcher, &runner->dispatch_pool, e) == 0)
		return 0;
	(void)!pool_stop(runner->pool, 0);
	return -1;
}

int task_runner_new(const struct task_conf *conf, struct task_runner **ret, struct err *e)
{
	assert(conf->slots <= BUS_LEASES_MAX);
	struct task_runner *runner =
		xcalloc(1, sizeof(*runner) + conf->slots * sizeof(runner->slots[0]));

	runner->conf = *conf;
	runner->dispatcher = (struct pool_job){.run = dispatch};
	init_lock(runner);
	if (make_slots(runner, e) < 0 || make_pools(runner, e) < 0) {
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
		if (runner->slots[i].phase != SLOT_FREE)
			ret[count++] = runner->slots[i].task.lease;
	pthread_mutex_unlock(&runner->lock);
	return count;
}

static void lease_stop(struct task_runner *runner, int64_t lease, enum task_stop request)
{
	for (unsigned i = 0; i < runner->conf.slots; i++)
		if (runner->slots[i].task.lease == lease)
			task_slot_stop_locked(&runner->slots[i], request);
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

// The lock is held.
static void stop_acting(struct task_runner *runner, enum task_stop request)
{
	for (unsigned i = 0; i < runner->conf.slots; i++)
		if (runner->slots[i].phase == SLOT_ACTS)
			task_slot_stop_locked(&runner->slots[i], request);
}

void task_runner_drop_all(struct task_runner *runner)
{
	pthread_mutex_lock(&runner->lock);
	stop_acting(runner, STOP_DROP);
	pthread_mutex_unlock(&runner->lock);
}

static bool is_quiet(const struct task_runner *runner)
{
	for (unsigned i = 0; i < runner->conf.slots; i++)
		if (runner->slots[i].phase != SLOT_FREE)
			return false;
	return true;
}

// Waits until no slot works; the lock is held.
static void await_quiet(struct task_runner *runner, int timeout_ms)
{
	int64_t until_ms = wait_now_ms() + timeout_ms;
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

	while (!is_quiet(runner))
		if (pthread_cond_timedwait(&runner->quiet, &runner->lock, &until) == ETIMEDOUT)
			break;
}

// The dispatcher ends first: what it cannot report any more the threads of the slots do.
static int stop_pools(struct task_runner *runner)
{
	int r = pool_stop(runner->dispatch_pool, HAND_BACK_MS);

	return r == 0 ? pool_stop(runner->pool, HAND_BACK_MS) : r;
}

int task_runner_stop(struct task_runner *runner, int timeout_ms)
{
	if (!runner)
		return 0;
	pthread_mutex_lock(&runner->lock);
	runner->stopping = true;
	await_quiet(runner, timeout_ms);
	stop_acting(runner, STOP_HAND_BACK);
	pthread_mutex_unlock(&runner->lock);
	int r = stop_pools(runner);
	if (r == 0)
		runner_free(runner);
	return r;
}
