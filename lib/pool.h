// SPDX-License-Identifier: Apache-2.0
// Threads for what blocks: a bounded queue in front, results back on the loop.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/db.h"
#include "lib/loop.h"
#include "lib/outcome.h"
#include "lib/turns.h"

struct err;
struct pool;

// A job is embedded in the caller's struct. It belongs to the pool from a successful pool_submit
// until `done` is called (exactly once, also for jobs that never ran because the pool was stopped
// or the queue was full: `ran` and `made_room` tell). Without a `done` it is the caller's again as
// soon as `run` has begun.
struct pool_job {
	// in a thread of the pool, with that thread's connection (NULL without pool_conf.db)
	void (*run)(struct pool_job *job, struct db *db);
	// on the loop, or in the thread when the pool has no loop; may free the job; may be NULL
	void (*done)(struct pool_job *job);
	bool ran;
	bool made_room; // not `ran`: it was dropped from a full queue for another's job
	int64_t queued_us; // the pool's
	struct turns_item turn; // `turn.who`: for whom; all zero is one line of its own
	struct loop_post post;
};

struct pool_conf {
	const char *name; // thread name, at most 12 bytes
	unsigned threads; // 1..64
	unsigned queue; // jobs that may wait, besides those that run
	struct loop *loop; // where `done` runs; NULL: in the thread
	// With a conninfo each thread has a connection of its own, called NAME/1, NAME/2 and so on.
	// It connects when it is first used. The texts must outlive the pool.
	struct db_conf db;
};

// Of each thread. The thread sanitizer keeps much of its own state in there.
#ifdef __SANITIZE_THREAD__
enum { POOL_STACK_BYTES = 1024 * 1024 };
#else
enum { POOL_STACK_BYTES = 256 * 1024 };
#endif

_must_check_ int pool_new(const struct pool_conf *conf, struct pool **ret, struct err *e);

// From any thread; never blocks. Those for whom jobs are take turns (turns.h). When the queue is
// full a job of the longest line is dropped. That is mostly this one, and then an answer: 503, or
// "later".
enum pool_outcome {
	POOL_FULL = OUTCOMES_POOL, // the job stays the caller's
	POOL_STOPPED, // the same
	POOL_LATE, // pool_stop: a thread did not end
};
_must_check_ int pool_submit(struct pool *pool, struct pool_job *job);

// The same before all that waits, and also when the queue is full: for the few jobs that a program
// has for itself, which must not wait behind what others ask. Those go in their order.
_must_check_ int pool_submit_first(struct pool *pool, struct pool_job *job);

// Becomes readable when the pool gives up waiting in pool_stop: pass it as the cancel descriptor of
// what jobs wait for.
int pool_cancel_fd(const struct pool *pool);

// Takes no more jobs, lets those that run or wait finish until timeout_ms, then raises the cancel
// descriptor, drops the waiting ones (done with ran == false) and gives the running ones one more
// second. Returns 0 when every thread has ended and all is freed (call the loop once more, or
// ignore, for `done` calls posted to it); POOL_LATE when one hangs: everything is left allocated,
// exit the process.
_must_check_ int pool_stop(struct pool *pool, int timeout_ms);

// The same in two halves, for a pool to which other threads may still submit: after pool_end it
// answers them POOL_STOPPED until pool_free.
_must_check_ int pool_end(struct pool *pool, int timeout_ms);
void pool_free(struct pool *pool);
