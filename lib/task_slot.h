// SPDX-License-Identifier: Apache-2.0
// A place for one task: a thread walks its steps there, until it is reported. A part of task.c.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/pool.h"
#include "lib/task.h"
#include "lib/task_report.h"

struct db;

// Why a running task is to stop. A stronger request replaces a weaker one.
enum task_stop { STOP_NONE, STOP_HAND_BACK, STOP_CANCEL, STOP_DROP };

//     FREE --claimed--> ACTS --ended--> WAITS --> CARRIED --answered--> FREE
//                        |                           | refused or away
//                        +-----ended-----> REPORTS <-+
//                                             +------answered--------> FREE
enum task_slot_phase {
	SLOT_FREE,
	SLOT_ACTS, // a thread walks the steps, or undoes them
	SLOT_WAITS, // its report may be sent with others, by the dispatcher
	SLOT_CARRIED, // the dispatcher is sending it
	SLOT_REPORTS, // a thread reports by itself until it is answered
};

struct task_slot {
	struct task_runner *runner;
	const struct task_conf *conf;
	struct pool_job job;
	bool housekeeping; // for tasks of housekeeping only
	int cancel_fd; // readable when the task must stop
	int give_up_fd; // readable when the program waits no longer

	// The present task; of the thread that works on it, in CARRIED of the dispatcher.
	struct task task;
	char *params; // as SQL gave them
	int64_t began_ms;
	enum task_end end;
	struct err failure;
	struct task_report report;

	pthread_mutex_t *lock; // the runner's; of all below
	enum task_slot_phase phase;
	enum task_stop request;
	bool is_new; // claimed by the last round
};

// The lock is held.
void task_slot_stop_locked(struct task_slot *slot, enum task_stop request);

// Puts a row of SELECT_CLAIMED into a free slot; the lock is held.
#define SELECT_CLAIMED \
	"select task_id, kind, host_id, lease, attempt, params, " \
	"(extract(epoch from deadline_at - clock.now()) * 1000)::bigint, stop_requested, " \
	"(extract(epoch from waited) * 1000000)::bigint "
void task_slot_take_locked(struct task_slot *slot, const struct pg_result *rows, int row);

// Walks the steps of the task's kind; then slot->end says how it ended.
void task_slot_act(struct task_slot *slot, struct db *db);

// Reports the end until SQL answers or the program gives up; then slot->end says what counts.
void task_slot_report(struct task_slot *slot, struct db *db);

// Logs the end and forgets the task. The slot is free when the caller says so.
void task_slot_finish(struct task_slot *slot);

void task_slot_log(const struct task_slot *slot, enum task_event event, const struct err *e);
