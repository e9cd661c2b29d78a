// SPDX-License-Identifier: Apache-2.0
// Threads with a bounded queue.
#include "lib/pool.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/metric.h"
#include "lib/proc.h"
#include "lib/wait.h"

enum { THREADS_MAX = 64, STOP_GRACE_MS = 1000 };

struct pool_thread {
	pthread_t id;
	pthread_cond_t wake; // no longer idle
	bool idle;
	struct pool_thread *next_idle;
};

// The thread that was idle for the shortest time goes first: its connection's server knows the
// statements and has their plans, and one that is not needed never connects.
struct pool {
	struct pool_conf conf;
	int cancel_fd;
	pthread_mutex_t lock; // everything below
	pthread_cond_t quiet; // a thread became idle or ended
	struct turns_item *urgent; // run next, in their order
	struct turns turns;
	unsigned waiting, running, alive;
	bool stopping; // no new jobs
	bool ending; // threads end when the queue is empty
	struct pool_thread *idle; // the latest first
	struct pool_thread threads[THREADS_MAX];
};

static const struct metric waits = {"ccp_pool_wait_seconds", METRIC_HISTOGRAM, {"pool"}};
static const struct metric refusals = {"ccp_pool_refusals_total", METRIC_COUNTER, {"pool"}};

struct thread_start {
	struct pool *pool;
	unsigned index;
};

static void done_on_loop(struct loop_post *post)
{
	struct pool_job *job = container_of(post, struct pool_job, post);

	job->done(job);
}

static void finish(const struct pool *pool, struct pool_job *job)
{
	if (!job->done)
		return;
	if (!pool->conf.loop) {
		job->done(job);
		return;
	}
	job->post.fn = done_on_loop;
	loop_post(pool->conf.loop, &job->post);
}

// The next job, or NULL when none waits. The lock is held.
static struct pool_job *unqueue(struct pool *pool)
{
	struct turns_item *next = pool->urgent;

	if (next)
		pool->urgent = next->next;
	else
		next = turns_take(&pool->turns);
	if (!next)
		return NULL;
	pool->waiting--;
	return container_of(next, struct pool_job, turn);
}

// The lock is held.
static void wake_one(struct pool *pool)
{
	struct pool_thread *thread = pool->idle;

	if (!thread)
		return;
	pool->idle = thread->next_idle;
	thread->idle = false;
	pthread_cond_signal(&thread->wake);
}

// The next job, or NULL when the pool ends. Called and left with the lock held.
static struct pool_job *take_job(struct pool *pool, struct pool_thread *self)
{
	while (pool->waiting == 0 && !pool->ending) {
		self->idle = true;
		self->next_idle = pool->idle;
		pool->idle = self;
		while (self->idle)
			pthread_cond_wait(&self->wake, &pool->lock);
	}
	struct pool_job *job = unqueue(pool);
	if (job)
		pool->running++;
	return job;
}

static struct db *connection_new(const struct db_conf *conf, unsigned number)
{
	if (!conf->conninfo)
		return NULL;
	_cleanup_(freep) char *name = xasprintf("%s/%u", conf->name, number);
	struct db_conf own = *conf;
	own.name = name;
	return db_new(&own);
}

static void *thread_main(void *argument)
{
	_cleanup_(freep) struct thread_start *start = argument;
	struct pool *pool = start->pool;
	struct pool_thread *self = &pool->threads[start->index];
	const struct pool_conf *conf = &pool->conf;
	char name[16];

	snprintf(name, sizeof(name), "%.12s/%u", conf->name, start->index % 100);
	proc_set_name(name);
	struct db *db = connection_new(&conf->db, start->index + 1);
	pthread_mutex_lock(&pool->lock);
	for (struct pool_job *job; (job = take_job(pool, self));) {
		pthread_mutex_unlock(&pool->lock);
		metric_observe(&waits, (double)(wait_now_us() - job->queued_us) / 1e6,
			METRIC_VALUES(conf->name));
		job->ran = true;
		job->run(job, db);
		finish(pool, job);
		pthread_mutex_lock(&pool->lock);
		pool->running--;
		pthread_cond_signal(&pool->quiet);
	}
	pthread_mutex_unlock(&pool->lock);
	db_free(db);
	pthread_mutex_lock(&pool->lock);
	pool->alive--;
	pthread_cond_signal(&pool->quiet);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

// Waits on pool->quiet until `deadline_ms` of wait_now_ms(); the lock is held. false when the time
// is over.
static bool wait_quiet(struct pool *pool, int64_t deadline_ms)
{
	struct timespec until = {
		.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};

	return pthread_cond_timedwait(&pool->quiet, &pool->lock, &until) != ETIMEDOUT;
}

static int start_threads(struct pool *pool, struct err *e)
{
	pthread_attr_t attr;
	int failed = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, POOL_STACK_BYTES);
	while (pool->alive < pool->conf.threads && !failed) {
		struct thread_start *start = xnew(struct thread_start);
		*start = (struct thread_start){.pool = pool, .index = pool->alive};
		struct pool_thread *thread = &pool->threads[pool->alive];
		pthread_cond_init(&thread->wake, NULL);
		failed = pthread_create(&thread->id, &attr, thread_main, start);
		if (failed)
			free(start);
		else
			pool->alive++;
	}
	pthread_attr_destroy(&attr);
	return failed ? err_set(e, failed, "start thread %u of the pool %s", pool->alive,
				pool->conf.name)
		      : 0;
}

int pool_new(const struct pool_conf *conf, struct pool **ret, struct err *e)
{
	assert(conf->threads >= 1 && conf->threads <= THREADS_MAX);
	_cleanup_(closep) int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cancel_fd < 0)
		return err_set(e, errno, "eventfd");
	struct pool *pool = xnew(struct pool);
	pool->conf = *conf;
	pool->cancel_fd = TAKE_FD(cancel_fd);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->quiet, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_lock(&pool->lock); // threads that start wait until all are counted
	int r = start_threads(pool, e);
	pool->conf.threads = pool->alive;
	pthread_mutex_unlock(&pool->lock);
	if (r < 0) {
		(void)!pool_stop(pool, 0);
		return -1;
	}
	*ret = pool;
	return 0;
}

// Puts the job last in its line. Returns the job that is then too much, or NULL. The lock is held.
static struct pool_job *queue(struct pool *pool, struct pool_job *job)
{
	unsigned idle = pool->conf.threads - pool->running;

	turns_add(&pool->turns, &job->turn);
	pool->waiting++;
	if (pool->waiting <= pool->conf.queue + idle)
		return NULL;
	pool->waiting--;
	return container_of(turns_drop(&pool->turns), struct pool_job, turn);
}

// Puts it behind the others that go first. The lock is held.
static void queue_first(struct pool *pool, struct pool_job *job)
{
	struct turns_item **end = &pool->urgent;

	while (*end)
		end = &(*end)->next;
	job->turn.next = NULL;
	*end = &job->turn;
	pool->waiting++;
}

static int submit(struct pool *pool, struct pool_job *job, bool first)
{
	struct pool_job *dropped = NULL;

	pthread_mutex_lock(&pool->lock);
	if (pool->stopping) {
		pthread_mutex_unlock(&pool->lock);
		return POOL_STOPPED;
	}
	job->ran = job->made_room = false;
	job->queued_us = wait_now_us();
	if (first) {
		queue_first(pool, job);
	} else {
		dropped = queue(pool, job);
	}
	if (dropped != job)
		wake_one(pool);
	pthread_mutex_unlock(&pool->lock);
	if (dropped)
		metric_add(&refusals, 1, METRIC_VALUES(pool->conf.name));
	if (dropped == job)
		return POOL_FULL;
	if (dropped) {
		dropped->made_room = true;
		finish(pool, dropped);
	}
	return 0;
}

int pool_submit(struct pool *pool, struct pool_job *job)
{
	return submit(pool, job, false);
}

int pool_submit_first(struct pool *pool, struct pool_job *job)
{
	return submit(pool, job, true);
}

int pool_cancel_fd(const struct pool *pool)
{
	return pool->cancel_fd;
}

// The lock is held. All are taken out at once, so that no thread runs one meanwhile.
static void drop_waiting(struct pool *pool)
{
	struct turns_item *dropped = NULL;

	for (struct pool_job *job; (job = unqueue(pool));) {
		job->turn.next = dropped;
		dropped = &job->turn;
	}
	pthread_mutex_unlock(&pool->lock);
	while (dropped) {
		struct pool_job *job = container_of(dropped, struct pool_job, turn);
		dropped = dropped->next;
		finish(pool, job);
	}
	pthread_mutex_lock(&pool->lock);
}

int pool_end(struct pool *pool, int timeout_ms)
{
	int64_t deadline_ms = wait_now_ms() + timeout_ms;
	uint64_t one = 1;

	if (!pool)
		return 0;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	while (pool->waiting + pool->running > 0)
		if (!wait_quiet(pool, deadline_ms))
			break;
	(void)!write(pool->cancel_fd, &one, sizeof(one));
	drop_waiting(pool);
	pool->ending = true;
	while (pool->idle)
		wake_one(pool);
	deadline_ms = wait_now_ms() + STOP_GRACE_MS;
	while (pool->alive > 0)
		if (!wait_quiet(pool, deadline_ms))
			break;
	bool late = pool->alive > 0;
	pthread_mutex_unlock(&pool->lock);
	if (late)
		return POOL_LATE;
	for (unsigned i = 0; i < pool->conf.threads; i++)
		pthread_join(pool->threads[i].id, NULL);
	return 0;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	close(pool->cancel_fd);
	pthread_mutex_destroy(&pool->lock);
	pthread_cond_destroy(&pool->quiet);
	free(pool);
}

int pool_stop(struct pool *pool, int timeout_ms)
{
	int r = pool_end(pool, timeout_ms);

	if (r == 0)
		pool_free(pool);
	return r;
}
