// SPDX-License-Identifier: Apache-2.0
// Runs claimed tasks: each kind is a table of steps, each slot a thread with its own database
// connection, which is made when a step first needs it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/json.h"
#include "lib/outcome.h"
#include "lib/wait.h"

struct bus;
struct bus_beat;
struct db;
struct db_call;
struct pg_result;
struct err;
struct task_runner;

enum task_retry { TASK_RETRY_AS_ERR, TASK_RETRY_YES, TASK_RETRY_NO };

// SQL decides which task runs when (task.claim), whether it must stop (beat and progress) and what
// its end means. The dispatcher claims as many tasks as slots are free; a slot walks the table of the
// kind; the end is reported together with others' and the next claim, or by the slot (task.c). Every
// report carries the lease; when SQL answers `stale` the task is another process's and is dropped without a report.
// Reports are sent until they are answered, across an absent database: the same report twice is
// safe.
struct task {
	char id[37];
	char kind[32];
	char host_id[37]; // "" when the kind has no host
	int64_t lease;
	int attempt; // counts from 1
	int64_t deadline_ms; // on wait_now_ms()
	const cJSON *params; // always an object
	cJSON *result; // an object for task.succeed; steps add members, the runner adds "timings"
	struct db *db; // the slot's connection
	void *program; // task_conf.data
	void *state; // the task's own, made and freed by the kind's begin and end

	// What a failing step may say besides its error; defaults: "internal" ("deadline" for
	// WAIT_TIMEOUT of the task's own deadline), and err_is_retryable().
	const char *error_code; // a constant
	enum task_retry retry;

	// What the try leaves of its subject, a word of SQL's ccp.seen_state, and the place of that
	// among the program's observations; NULL: not known, or there is no subject. The kind's end
	// says it, and every report carries it: SQL decides from that what the subject is.
	const char *left;
	int64_t left_sequence;

	int cancel_fd; // readable when the task must stop
};

// The wait for one blocking call of a step: not longer than timeout_ms nor than the task's
// deadline, ended by a stop request.
struct wait task_wait(const struct task *task, int timeout_ms);

// Names the failure: `return task_fail(task, "image_missing", TASK_RETRY_NO);` after `e` was
// filled. Always returns -1.
_must_check_ int task_fail(struct task *task, const char *error_code, enum task_retry retry);

// Asks SQL what may be asked twice: again and again while the database is away, until the task must
// end. Otherwise like db_call.
_must_check_ int task_call(
	struct task *task, const struct db_call *call, struct pg_result **ret, struct err *e);

enum task_outcome {
	TASK_DONE = OUTCOMES_TASK, // a step's answer: the goal is reached, skip the remaining steps
};

// A step returns 0 (next), TASK_DONE, WAIT_CANCELED (after a stop request; anything it returns
// after one counts as that unless it is 0 and the last step), WAIT_TIMEOUT or -1 (failed, `e` says
// why to the user).
struct task_step {
	const char *name; // for timings, logs and failpoints
	// task_rows.stage, reported before the step with progress and sentence; NULL: not reported
	const char *stage;
	int progress; // percent
	const char *sentence; // for people: "Checking the exit IP from inside"
	int (*run)(struct task *task, struct err *e);
};

enum task_end {
	TASK_SUCCEEDED,
	TASK_FAILED, // also when it will be retried
	TASK_CANCELED, // asked to stop, or the deadline
	TASK_HANDED_BACK, // the program stops; another process begins again
	TASK_DROPPED, // the lease is not ours any more
};

struct task_kind {
	const char *kind; // NULL ends the table
	const struct task_step *steps; // ended by a step without a name
	int (*begin)(struct task *task, struct err *e); // makes task->state; may be NULL
	// before the report, for every end but success; may be NULL
	void (*undo)(struct task *task, enum task_end why);
	void (*end)(struct task *task); // frees task->state, always; may be NULL
};

enum task_event {
	TASK_EVENT_CLAIMED,
	TASK_EVENT_ENDED, // `end` says how; `e` for a failure
	TASK_EVENT_REPORT_WAITS, // the database does not take the report; sent again until it does
	TASK_EVENT_CLAIM_FAILED, // `e`
};

struct task_conf {
	const char *name; // of the threads
	unsigned slots;
	// of these, places that are kept for kinds of housekeeping (ccp.task_kinds)
	unsigned housekeeping_slots;
	const char *conninfo;
	const char *db_name; // application_name of the slots' connections
	const struct task_kind *kinds;
	void *data;
	// For the log; called in the slot's thread.
	void (*event)(void *data, enum task_event event, const struct task *task, enum task_end end,
		int64_t took_ms, const struct err *e);
};

_must_check_ int task_runner_new(
	const struct task_conf *conf, struct task_runner **ret, struct err *e);

// From the program's bus hooks, on the loop. Registered: claims from now on, except while the bus
// is stale.
void task_runner_start(struct task_runner *runner, const struct bus *bus);
// A doorbell or a scan: claims as many tasks as slots are free.
void task_runner_scan(struct task_runner *runner);
// The leases of the running tasks; returns their count.
size_t task_runner_leases(struct task_runner *runner, int64_t *ret, size_t max);
// Drops and stops the tasks that the beat lists.
void task_runner_beat(struct task_runner *runner, const struct bus_beat *beat);
// The bus is stale: running tasks are abandoned. Reports that wait go on being sent, for SQL checks
// their lease.
void task_runner_drop_all(struct task_runner *runner);

// Claims no more, gives running tasks until timeout_ms, then makes them hand back; then ends the
// threads and frees everything. 0, or POOL_LATE when a step ignored its cancel descriptor: exit the
// process.
_must_check_ int task_runner_stop(struct task_runner *runner, int timeout_ms);
