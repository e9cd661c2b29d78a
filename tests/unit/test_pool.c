// SPDX-License-Identifier: Apache-2.0
// The pool: bounded queue, connections, results on the loop, stop.
#include "lib/pool.h"

#include "tests/unit/unit.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/wait.h"

struct job {
	struct pool_job pool_job; // first: callbacks get it
	struct pool *pool;
	struct loop *loop;
	int seen; // how often it ran, or which it is
	int outcome;
};

static atomic_int ran, finished;

static void run_quick(struct pool_job *job, struct db *db)
{
	assert_null(db);
	((struct job *)(void *)job)->seen++;
	ran++;
}

static void run_until_cancel(struct pool_job *pool_job, struct db *db)
{
	struct job *job = (struct job *)(void *)pool_job;
	struct wait w = wait_for(20000, pool_cancel_fd(job->pool));
	struct err e;

	(void)db;
	ran++;
	job->outcome = wait_fd(&w, -1, 0, "the end", &e);
}

static void count_finished(struct pool_job *job)
{
	struct job *j = (struct job *)(void *)job;

	if (++finished == 10 && j->loop)
		loop_stop(j->loop, 0);
}

static struct pool *make(unsigned threads, unsigned queue, struct loop *loop)
{
	const struct pool_conf conf = {
		.name = "test", .threads = threads, .queue = queue, .loop = loop};
	struct pool *pool;
	struct err e;
	ran = finished = 0;
	assert_int_equal(pool_new(&conf, &pool, &e), 0);
	return pool;
}

static void results_come_back_on_the_loop(void **state)
{
	struct job jobs[10] = {0};
	struct loop *loop;
	struct err e;

	(void)state;
	assert_int_equal(loop_new(&loop, &e), 0);
	struct pool *pool = make(2, 10, loop);
	for (int i = 0; i < 10; i++) {
		jobs[i] = (struct job){
			.pool_job = {.run = run_quick, .done = count_finished}, .loop = loop};
		assert_int_equal(pool_submit(pool, &jobs[i].pool_job), 0);
	}
	assert_int_equal(loop_run(loop, &e), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(jobs[i].seen, 1);
	assert_int_equal(pool_stop(pool, 1000), 0);
	loop_free(loop);
}

static void a_full_queue_is_an_answer(void **state)
{
	struct job jobs[4] = {0};

	(void)state;
	struct pool *pool = make(1, 2, NULL);
	for (int i = 0; i < 4; i++) {
		jobs[i] =
			(struct job){.pool_job = {.run = run_until_cancel, .done = count_finished},
				.pool = pool};
		assert_int_equal(pool_submit(pool, &jobs[i].pool_job), i < 3 ? 0 : POOL_FULL);
		while (ran == 0)
			sched_yield();
	}
	// The running one is canceled; the waiting ones are told that they never ran.
	assert_int_equal(pool_stop(pool, 20), 0);
	assert_int_equal(finished, 3);
	int ran_count = 0;
	for (int i = 0; i < 3; i++) {
		ran_count += jobs[i].pool_job.ran;
		if (jobs[i].pool_job.ran)
			assert_int_equal(jobs[i].outcome, WAIT_CANCELED);
	}
	assert_in_range(ran_count, 1, 1);
}

static void a_stop_lets_work_that_is_in_time_finish(void **state)
{
	struct job jobs[5] = {0};

	(void)state;
	struct pool *pool = make(2, 5, NULL);
	for (int i = 0; i < 5; i++) {
		jobs[i] = (struct job){.pool_job = {.run = run_quick, .done = count_finished}};
		assert_int_equal(pool_submit(pool, &jobs[i].pool_job), 0);
	}
	assert_int_equal(pool_stop(pool, 5000), 0);
	assert_int_equal(ran, 5);
	assert_int_equal(finished, 5);
}

static void a_pool_that_has_ended_takes_no_more(void **state)
{
	struct job job = {.pool_job = {.run = run_quick, .done = count_finished}};

	(void)state;
	struct pool *pool = make(1, 1, NULL);
	assert_int_equal(pool_end(pool, 1000), 0);
	assert_int_equal(pool_submit(pool, &job.pool_job), POOL_STOPPED);
	assert_int_equal(finished, 0);
	pool_free(pool);
}

static pthread_barrier_t both_run;
static struct db *seen[2];

static void run_both(struct pool_job *job, struct db *db)
{
	seen[((struct job *)(void *)job)->seen] = db;
	pthread_barrier_wait(&both_run);
}

static void each_thread_has_a_connection_of_its_own(void **state)
{
	const struct pool_conf conf = {.name = "test",
		.threads = 2,
		.queue = 2,
		.db = {.conninfo = "host=/nowhere", .name = "unit"}};
	struct job jobs[] = {{.pool_job = {.run = run_both}, .seen = 0},
		{.pool_job = {.run = run_both}, .seen = 1}};
	struct pool *pool;
	struct err e;

	(void)state;
	pthread_barrier_init(&both_run, NULL, 2);
	assert_int_equal(pool_new(&conf, &pool, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		assert_int_equal(pool_submit(pool, &jobs[i].pool_job), 0);
	assert_int_equal(pool_stop(pool, 5000), 0);
	assert_non_null(seen[0]);
	assert_non_null(seen[1]);
	assert_ptr_not_equal(seen[0], seen[1]);
	pthread_barrier_destroy(&both_run);
}

static int gate[2], order[4], ordered;

static void run_until_gate(struct pool_job *job, struct db *db)
{
	char byte;

	(void)job;
	(void)db;
	ran++;
	assert_int_equal(read(gate[0], &byte, 1), 1);
}

static void run_in_order(struct pool_job *job, struct db *db)
{
	(void)db;
	order[ordered++] = ((struct job *)(void *)job)->seen;
}

static void the_first_go_before_a_full_queue(void **state)
{
	struct pool_job hold = {.run = run_until_gate};
	struct job jobs[5] = {0};

	(void)state;
	assert_int_equal(pipe(gate), 0);
	struct pool *pool = make(1, 2, NULL);
	for (int i = 0; i < 5; i++)
		jobs[i] = (struct job){.pool_job = {.run = run_in_order}, .seen = i};
	assert_int_equal(pool_submit(pool, &hold), 0);
	while (ran == 0)
		sched_yield();
	assert_int_equal(pool_submit(pool, &jobs[0].pool_job), 0);
	assert_int_equal(pool_submit(pool, &jobs[1].pool_job), 0);
	assert_int_equal(pool_submit(pool, &jobs[2].pool_job), POOL_FULL);
	assert_int_equal(pool_submit_first(pool, &jobs[3].pool_job), 0);
	assert_int_equal(pool_submit_first(pool, &jobs[4].pool_job), 0);
	assert_int_equal(write(gate[1], "", 1), 1);
	assert_int_equal(pool_stop(pool, 5000), 0);
	assert_int_equal(ordered, 4);
	assert_memory_equal(order, ((int[]){3, 4, 0, 1}), sizeof(order));
	close(gate[0]);
	close(gate[1]);
}

// A whole queue of one source's jobs keeps no other source out, and does not make it wait for them all.
static void a_full_queue_makes_room_for_another_source(void **state)
{
	struct pool_job hold = {.run = run_until_gate};
	struct job jobs[3] = {0};

	(void)state;
	assert_int_equal(pipe(gate), 0);
	struct pool *pool = make(1, 2, NULL);
	ordered = 0;
	for (int i = 0; i < 3; i++)
		jobs[i] = (struct job){.pool_job = {.run = run_in_order,
					       .done = count_finished,
					       .turn.who.source.network = i == 2},
			.seen = i};
	assert_int_equal(pool_submit(pool, &hold), 0);
	while (ran == 0)
		sched_yield();
	for (int i = 0; i < 3; i++)
		assert_int_equal(pool_submit(pool, &jobs[i].pool_job), 0);
	assert_int_equal(finished, 1);
	assert_true(jobs[1].pool_job.made_room);
	assert_false(jobs[1].pool_job.ran);
	assert_int_equal(write(gate[1], "", 1), 1);
	assert_int_equal(pool_stop(pool, 5000), 0);
	assert_int_equal(finished, 3);
	assert_int_equal(ordered, 2);
	assert_memory_equal(order, ((int[]){0, 2}), 2 * sizeof(*order));
	assert_false(jobs[0].pool_job.made_room);
	assert_true(jobs[0].pool_job.ran);
	close(gate[0]);
	close(gate[1]);
}

static atomic_int who_ran;

static void run_and_tell(struct pool_job *job, struct db *db)
{
	(void)job;
	(void)db;
	who_ran = (int)gettid();
	ran++;
}

// The other threads of this process: does one of them not sleep?
static bool is_busy(void)
{
	DIR *directory = opendir("/proc/self/task");
	bool busy = false;

	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char path[64], text[512] = "";
		snprintf(path, sizeof(path), "/proc/self/task/%.16s/stat", entry->d_name);
		FILE *file = fopen(path, "re");
		if (!file || atoi(entry->d_name) == (int)gettid())
			continue;
		assert_non_null(fgets(text, sizeof(text), file));
		busy = busy || strncmp(strrchr(text, ')'), ") S", 3) != 0;
		fclose(file);
	}
	closedir(directory);
	return busy;
}

static void one_after_the_other_is_done_by_the_same_thread(void **state)
{
	struct pool_job job = {.run = run_and_tell};
	struct pool *pool = make(4, 2, NULL);
	int first = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		while (ran != i || is_busy())
			sched_yield();
		assert_int_equal(pool_submit(pool, &job), 0);
		while (ran != i + 1)
			sched_yield();
		first = first ? first : who_ran;
		assert_int_equal(who_ran, first);
	}
	assert_int_equal(pool_stop(pool, 5000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_come_back_on_the_loop),
		cmocka_unit_test(a_full_queue_is_an_answer),
		cmocka_unit_test(a_stop_lets_work_that_is_in_time_finish),
		cmocka_unit_test(a_pool_that_has_ended_takes_no_more),
		cmocka_unit_test(each_thread_has_a_connection_of_its_own),
		cmocka_unit_test(the_first_go_before_a_full_queue),
		cmocka_unit_test(a_full_queue_makes_room_for_another_source),
		cmocka_unit_test(one_after_the_other_is_done_by_the_same_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
