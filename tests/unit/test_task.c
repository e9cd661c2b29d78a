// SPDX-License-Identifier: Apache-2.0
// The task runner against a real server, with stand-ins for the functions of SQL and for the bus.
#include "lib/task.h"

#include "tests/unit/postgres.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/bus.h"
#include "lib/db.h"

enum { SLOTS = 3, LIMIT_MS = 30000 };

static struct task_runner *runner;
static struct db *db;
static atomic_bool stale, held;
static atomic_int undone, ended;

// The bus is a stand-in: it is never connected.
const struct bus_identity *bus_identity(const struct bus *bus)
{
	static const struct bus_identity identity = {.process_id = 7};
	(void)bus;
	return &identity;
}

bool bus_is_stale(const struct bus *bus)
{
	(void)bus;
	return atomic_load(&stale);
}

static int64_t number(const char *sql)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct wait w = wait_for(LIMIT_MS, -1);
	struct err e;

	if (db_call(db, DB_CALL(sql), &w, &rows, &e) != 0)
		fail_msg("%s: %s", sql, e.message);
	return db_rows(rows) > 0 ? db_int(rows, 0, 0) : 0;
}

// Waits until the query says so many.
static void await(const char *sql, int64_t expected)
{
	struct wait limit = wait_for(LIMIT_MS, -1);
	struct err e;

	while (number(sql) != expected)
		if (wait_pause(&limit, 5, &e) != 0)
			fail_msg("%s: %lld instead of %lld", sql, (long long)number(sql),
				(long long)expected);
}

static pthread_barrier_t all_slots;

static int meet(struct task *task, struct err *e)
{
	(void)e;
	pthread_barrier_wait(&all_slots);
	json_set_text(task->result, "met", "yes");
	return 0;
}

static int hold(struct task *task, struct err *e)
{
	struct wait w = task_wait(task, LIMIT_MS);
	return wait_pause(&w, LIMIT_MS, e);
}

// Until the test lets go.
static int wait_for_test(struct task *task, struct err *e)
{
	int r = 0;

	while (r == 0 && atomic_load(&held)) {
		struct wait w = task_wait(task, LIMIT_MS);
		r = wait_pause(&w, 5, e);
	}
	return r;
}

static int break_down(struct task *task, struct err *e)
{
	err_note(e, EIO, "it is broken");
	return task_fail(task, "broken", TASK_RETRY_NO);
}

static int skip_rest(struct task *task, struct err *e)
{
	(void)task;
	(void)e;
	return TASK_DONE;
}

static void undo(struct task *task, enum task_end why)
{
	(void)task;
	assert_int_not_equal(why, TASK_SUCCEEDED);
	atomic_fetch_add(&undone, 1);
}

static void end(struct task *task)
{
	task->left = strcmp(task->kind, "meet") == 0 ? NULL : "stopped";
	task->left_sequence = 7;
	atomic_fetch_add(&ended, 1);
}

static const struct task_step meet_steps[] = {{.name = "meet", .run = meet}, {0}};
static const struct task_step hold_steps[] = {
	{.name = "hold", .stage = "holding", .sentence = "Holding", .run = hold}, {0}};
static const struct task_step done_steps[] = {
	{.name = "skip", .run = skip_rest}, {.name = "break", .run = break_down}, {0}};
static const struct task_step held_steps[] = {{.name = "wait", .run = wait_for_test}, {0}};
static const struct task_step broken_steps[] = {{.name = "break", .run = break_down}, {0}};
static const struct task_kind kinds[] = {
	{.kind = "meet", .steps = meet_steps, .undo = undo, .end = end},
	{.kind = "hold", .steps = hold_steps, .undo = undo, .end = end},
	{.kind = "take", .begin = hold, .steps = done_steps, .undo = undo, .end = end},
	{.kind = "done", .steps = done_steps, .undo = undo, .end = end},
	{.kind = "held", .steps = held_steps, .undo = undo, .end = end},
	{.kind = "house", .steps = done_steps, .undo = undo, .end = end},
	{.kind = "broken", .steps = broken_steps, .undo = undo, .end = end},
	{0},
};

static const char *const functions[] = {
	"create schema task",
	"create schema clock",
	"create table task.list (id uuid default gen_random_uuid(), kind text, status text default "
	"'queued', host_id uuid, lease bigint, word text default 'ok', said text, remains text, "
	"claimed_in xid8, reported_in xid8, reported_by text)",
	"create sequence task.leases",
	"create function clock.now() returns timestamptz language sql as 'select clock_timestamp()'",
	"create function task.claim(bigint, int, boolean) returns table (task_id uuid, kind text, host_id uuid, "
	"lease bigint, attempt int, params jsonb, deadline_at timestamptz, stop_requested boolean, waited interval) "
	"language sql as $$update task.list as t set status = 'running', lease = nextval('task.leases'), "
	"claimed_in = pg_current_xact_id() "
	"where ctid = any (array(select ctid from task.list where status = 'queued' and (kind = 'house') = $3 "
	"limit $2 for update skip locked)) returning t.id, t.kind, t.host_id, t.lease, 1, '{}'::jsonb, "
	"now() + interval '1 minute', t.word = 'stop', interval '1 second'$$",
	"create function task.report(uuid, bigint, text, text, text default null, bigint default null) "
	"returns text language sql as $$update task.list set status = $3, said = $4, "
	"remains = concat($5, ' ', $6), reported_in = pg_current_xact_id(), "
	"reported_by = current_setting('application_name') where id = $1 and lease = $2 returning word$$",
	"create function task.progress(uuid, bigint, text, int, text) returns text language sql as $$"
	"select task.report($1, $2, $3, $5)$$",
	"create function task.succeed(uuid, bigint, jsonb, text, bigint) returns text language sql as $$"
	"select 1 / (word <> 'refuse')::int from task.list where id = $1; "
	"select task.report($1, $2, 'succeeded', $3::text, $4, $5)$$",
	"create function task.fail(uuid, bigint, text, text, boolean, text, bigint) returns text "
	"language sql as $$select task.report($1, $2, 'failed', concat($3, ': ', $4, ' ', $5), $6, $7)$$",
	"create function task.canceled(uuid, bigint, text, text, bigint) returns text language sql as $$"
	"select task.report($1, $2, 'canceled', $3, $4, $5)$$",
	"create function task.hand_back(uuid, bigint, text, bigint) returns text language sql as $$"
	"select task.report($1, $2, 'handed back', null, $3, $4)$$",
};

static int group_setup(void **state)
{
	if (postgres_setup(state) != 0)
		return -1;
	db = db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "unit"});
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		number(functions[i]);
	return pthread_barrier_init(&all_slots, NULL, SLOTS);
}

static int group_teardown(void **state)
{
	db_free(db);
	pthread_barrier_destroy(&all_slots);
	return postgres_teardown(state);
}

static int setup(unsigned housekeeping_slots)
{
	const struct task_conf conf = {.name = "task",
		.slots = SLOTS,
		.housekeeping_slots = housekeeping_slots,
		.conninfo = postgres_conninfo,
		.db_name = "unit/task",
		.kinds = kinds};
	struct err e;

	number("delete from task.list");
	atomic_store(&stale, false);
	atomic_store(&held, true);
	atomic_store(&undone, 0);
	atomic_store(&ended, 0);
	return task_runner_new(&conf, &runner, &e);
}

static int runner_setup(void **state)
{
	(void)state;
	return setup(0);
}

static int housekeeping_setup(void **state)
{
	(void)state;
	return setup(1);
}

// Registered: from now on tasks are claimed.
static void begin(void)
{
	static const char never_looked_into;
	task_runner_start(runner, (const void *)&never_looked_into);
}

static int runner_teardown(void **state)
{
	(void)state;
	return task_runner_stop(runner, LIMIT_MS);
}

static void add(const char *kind, int count)
{
	_cleanup_(freep) char *sql =
		xasprintf("insert into task.list (kind) select '%s' from generate_series(1, %d)",
			kind, count);
	number(sql);
}

static void every_slot_works_and_all_tasks_end(void **state)
{
	(void)state;
	add("meet", 10 * SLOTS); // three of them only go on together
	begin();
	await("select count(*) from task.list where status = 'succeeded' and said::jsonb @> '{\"met\": "
	      "\"yes\"}' and said::jsonb #> '{timings,meet}' is not null and remains = ' '",
		10 * SLOTS);
	assert_int_equal(undone, 0);
	assert_int_equal(ended, 10 * SLOTS);
}

// Besides the first claim, which has nothing to go with.
static void a_claim_goes_with_the_reports_before_it(void **state)
{
	(void)state;
	add("meet", 10 * SLOTS);
	begin();
	await("select count(*) from task.list where status = 'succeeded'", 10 * SLOTS);
	assert_int_equal(number("select count(distinct claimed_in) from task.list "
				"where claimed_in not in (select reported_in from task.list)"),
		1);
	assert_int_equal(
		number("select count(*) from task.list where reported_by <> 'unit/task/dispatch/1'"),
		0);
}

// A report locks its host, and a transaction locks one host at most.
static void a_task_of_a_host_is_reported_by_itself(void **state)
{
	(void)state;
	add("meet", SLOTS);
	number("update task.list set host_id = gen_random_uuid()");
	begin();
	await("select count(distinct reported_in) from task.list where status = 'succeeded' and "
	      "reported_by ~ '^unit/task/[0-9]$'",
		SLOTS);
}

static void a_report_that_is_refused_holds_up_no_other(void **state)
{
	(void)state;
	add("meet", 10 * SLOTS);
	number("update task.list set word = 'refuse' where ctid in (select ctid from task.list limit 4)");
	begin();
	await("select count(*) from task.list where status = 'succeeded'", 10 * SLOTS - 4);
	await("select count(*) from task.list where status = 'failed' and said like 'internal: division by zero%'",
		4);
}

static void a_report_that_waits_for_a_lock_holds_up_no_other(void **state)
{
	(void)state;
	add("held", 1);
	begin();
	await("select count(*) from task.list where status = 'running'", 1);
	number("begin");
	number("select count(*) from (select from task.list for update) as l");
	atomic_store(&held, false);
	_cleanup_(db_freep) struct db *other = db_new(
		&(const struct db_conf){.conninfo = postgres_conninfo, .name = "unit/other"});
	struct wait w = wait_for(LIMIT_MS, -1);
	struct err e;
	assert_int_equal(
		db_call(other,
			DB_CALL("insert into task.list (kind) select 'done' from generate_series(1, 9)"),
			&w, NULL, &e),
		0);
	task_runner_scan(runner);
	await("select count(*) from task.list where kind = 'done' and status = 'succeeded'", 9);
	assert_int_equal(number("select count(*) from task.list where status = 'running'"), 1);
	number("commit");
	await("select count(*) from task.list where kind = 'held' and status = 'succeeded'", 1);
}

static void a_step_may_reach_the_goal_early(void **state)
{
	(void)state;
	begin();
	add("done", 1);
	task_runner_scan(runner);
	await("select count(*) from task.list where status = 'succeeded' and remains = 'stopped 7'",
		1);
}

static void housekeeping_has_a_slot_that_nothing_else_takes(void **state)
{
	(void)state;
	add("hold", SLOTS);
	begin();
	await("select count(*) from task.list where status = 'holding'", SLOTS - 1);
	add("house", 2);
	task_runner_scan(runner);
	await("select count(*) from task.list where kind = 'house' and status = 'succeeded'", 2);
	assert_int_equal(number("select count(*) from task.list where status = 'queued'"), 1);
	task_runner_drop_all(runner);
}

static void a_failure_is_undone_and_reported_with_its_code(void **state)
{
	(void)state;
	add("broken", 1);
	add("unheard of", 1);
	begin();
	await("select count(*) from task.list where status = 'failed' and said = 'broken: it is broken f' and "
	      "remains = 'stopped 7'",
		1);
	await("select count(*) from task.list where status = 'failed' and said like 'internal: %unheard of%'",
		1);
	assert_int_equal(undone, 1);
}

static void a_beat_stops_one_task_and_drops_another(void **state)
{
	int64_t leases[SLOTS];

	(void)state;
	add("hold", SLOTS);
	begin();
	await("select count(*) from task.list where status = 'holding'", SLOTS);
	assert_int_equal(task_runner_leases(runner, leases, SLOTS), SLOTS);
	task_runner_beat(runner, &(const struct bus_beat){.alive = true,
					 .stop = &leases[0],
					 .stop_count = 1,
					 .drop = &leases[1],
					 .drop_count = 1});
	await("select count(*) from task.list where status = 'canceled' and remains = 'stopped 7'",
		1);
	struct wait limit = wait_for(LIMIT_MS, -1);
	struct err e;
	while (task_runner_leases(runner, leases, SLOTS) != 1)
		assert_int_equal(wait_pause(&limit, 5, &e), 0);
	assert_int_equal(number("select count(*) from task.list where status = 'holding'"), 2);
	assert_int_equal(undone, 2);
	task_runner_drop_all(runner);
}

// Such as one whose host another task has: it has not failed.
static void a_task_that_is_stopped_as_it_begins_is_canceled(void **state)
{
	int64_t lease;
	struct wait limit = wait_for(LIMIT_MS, -1);
	struct err e;

	(void)state;
	add("take", 1);
	begin();
	while (task_runner_leases(runner, &lease, 1) != 1)
		assert_int_equal(wait_pause(&limit, 5, &e), 0);
	task_runner_beat(
		runner, &(const struct bus_beat){.alive = true, .stop = &lease, .stop_count = 1});
	await("select count(*) from task.list where status = 'canceled' and remains = 'stopped 7'",
		1);
	assert_int_equal(undone, 1);
}

static void a_word_of_progress_stops_a_task(void **state)
{
	(void)state;
	add("hold", 1);
	number("update task.list set word = 'stale'");
	begin();
	struct wait limit = wait_for(LIMIT_MS, -1);
	struct err e;
	while (ended == 0)
		assert_int_equal(wait_pause(&limit, 5, &e), 0);
	assert_int_equal(number("select count(*) from task.list where status = 'holding'"), 1);
}

static void a_stale_program_claims_nothing(void **state)
{
	(void)state;
	atomic_store(&stale, true);
	add("done", 1);
	begin();
	assert_int_equal(task_runner_stop(runner, LIMIT_MS), 0);
	runner = NULL;
	assert_int_equal(number("select count(*) from task.list where status = 'queued'"), 1);
}

static void a_program_that_stops_hands_back_what_runs(void **state)
{
	(void)state;
	add("hold", 2);
	begin();
	await("select count(*) from task.list where status = 'holding'", 2);
	assert_int_equal(task_runner_stop(runner, 0), 0);
	runner = NULL;
	assert_int_equal(number("select count(*) from task.list where status = 'handed back' and "
				"remains = 'stopped 7'"),
		2);
	assert_int_equal(undone, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_slot_works_and_all_tasks_end, runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(
			a_claim_goes_with_the_reports_before_it, runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(
			a_task_of_a_host_is_reported_by_itself, runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(
			a_report_that_is_refused_holds_up_no_other, runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(a_report_that_waits_for_a_lock_holds_up_no_other,
			runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(
			a_step_may_reach_the_goal_early, runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(housekeeping_has_a_slot_that_nothing_else_takes,
			housekeeping_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(a_failure_is_undone_and_reported_with_its_code,
			runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(
			a_beat_stops_one_task_and_drops_another, runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(a_task_that_is_stopped_as_it_begins_is_canceled,
			runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(
			a_word_of_progress_stops_a_task, runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(
			a_stale_program_claims_nothing, runner_setup, runner_teardown),
		cmocka_unit_test_setup_teardown(
			a_program_that_stops_hands_back_what_runs, runner_setup, runner_teardown),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
