// SPDX-License-Identifier: Apache-2.0
// The outbox against a real server with stand-ins for host.observe and verification.record.
// uses: agent/host/outbox.c agent/evidence.c
#include "agent/host/outbox.h"

#include "tests/unit/postgres.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "lib/db.h"
#include "lib/json.h"

static const char host[] = "0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c11";
static unsigned rings;

static void ring(void *data)
{
	(void)data;
	rings++;
}

static struct db *connection(void)
{
	return db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "unit"});
}

static void run(struct db *db, const char *sql)
{
	struct wait w = wait_for(5000, -1);
	struct err e;
	const struct db_call call = {.sql = sql};

	if (db_call(db, &call, &w, NULL, &e) != 0)
		fail_msg("%s: %s", sql, e.message);
}

static int64_t number(struct db *db, const char *sql)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct wait w = wait_for(5000, -1);
	struct err e;
	const struct db_call call = {.sql = sql};

	if (db_call(db, &call, &w, &rows, &e) != 0)
		fail_msg("%s: %s", sql, e.message);
	return db_int(rows, 0, 0);
}

static int flush(struct outbox *box, struct db *db, int timeout_ms)
{
	struct wait w = wait_for(timeout_ms, -1);
	struct err e;

	return outbox_flush(box, db, 7, &w, &e);
}

// What is told is written down in the order of its coming; the state "bad" is refused.
static int setup(void **state)
{
	if (postgres_setup(state) != 0)
		return -1;
	struct db *db = connection();
	run(db, "create schema host");
	run(db, "create schema verification");
	run(db, "create table told (id serial, process bigint, sequence bigint, state text, "
		"code text, at timestamptz, checks jsonb)");
	run(db, "create table busy (code text)"); // what everything is refused with, while it is there
	run(db, "create function host.observe(p bigint, h uuid, s bigint, state text, code text, "
		"message text, at timestamptz) returns text language plpgsql as $$ begin "
		"if exists (select from busy) then raise exception using message = 'not now', "
		"errcode = (select busy.code from busy); end if; "
		"if state = 'bad' then raise exception using errcode = 'CP404', message = 'gone'; end if; "
		"insert into told (process, sequence, state, code, at) values (p, s, state, code, at); "
		"return 'ok'; end $$");
	run(db, "create function verification.record(p bigint, h uuid, t uuid, kind text, outcome text, "
		"code text, ip inet, checks jsonb, ms int, at timestamptz) returns bigint language sql as "
		"$$ insert into told (process, state, code, at, checks) values (p, outcome, code, at, checks) "
		"returning id $$");
	run(db, "create schema node");
	run(db, "create function host.observe_ssh(p bigint, h uuid, message text, at timestamptz) "
		"returns text language sql as $$ insert into told (process, state, code, at) "
		"values (p, 'ssh', message, at) returning 'ok' $$");
	run(db, "create function node.set_troubles(p bigint, troubles jsonb) returns void "
		"language sql as $$ insert into told (process, state, checks) "
		"values (p, 'troubles', troubles) $$");
	run(db, "create function host.note_disk(p bigint, h uuid, bytes bigint, files bigint, "
		"depth int) returns void language sql as $$ insert into told (process, sequence, "
		"state) values (p, files, 'usage ' || bytes || ' ' || depth) $$");
	run(db, "create function node.set_disk(p bigint, free bigint, size bigint, "
		"free_files bigint, files bigint) returns void "
		"language sql as $$ insert into told (process, sequence, state) "
		"values (p, free, concat_ws(' ', 'disk', size, free_files, files)) $$");
	db_free(db);
	return 0;
}

static void entries_are_told_in_order_with_their_own_time(void **state)
{
	struct outbox *box = outbox_new(ring, NULL);
	struct db *db = connection();
	_cleanup_(evidence_done) struct evidence ev;

	(void)state;
	run(db, "truncate told restart identity");
	evidence_init(&ev);
	evidence_add(&ev, "exit_ip", OUTCOME_FAILED, "exit_mismatch", 1500, "another");
	rings = 0;
	assert_true(outbox_is_empty(box));
	outbox_observe(box, host, "running", NULL, NULL);
	outbox_verified(box, host, NULL, "full", &ev);
	outbox_observe(box, host, "stopped", "exit_mismatch", "left as another");
	assert_int_equal(rings, 3);
	assert_false(outbox_is_empty(box));
	run(db, "select pg_sleep(0.2)");
	assert_int_equal(flush(box, db, 3000), 0);
	assert_true(outbox_is_empty(box));
	assert_int_equal(number(db, "select count(*) from told where process = 7"), 3);
	assert_int_equal(number(db, "select count(*) from told where (id, state, sequence) in "
				    "((1, 'running', 1), (3, 'stopped', 2))"),
		2);
	assert_int_equal(
		number(db, "select count(*) from told where id = 2 and state = 'failed' and "
			   "code = 'exit_mismatch' and checks->0->>'detail' = 'another'"),
		1);
	assert_int_equal(
		number(db,
			"select count(*) from told where at > clock_timestamp() - interval '0.2 s'"),
		0);
	assert_int_equal(
		number(db,
			"select count(*) from told where at > clock_timestamp() - interval '9 s'"),
		3);
	db_free(db);
	outbox_free(box);
}

static void half_of_the_ring_is_kept_for_what_is_told_once(void **state)
{
	struct outbox *box = outbox_new(ring, NULL);

	(void)state;
	for (int i = 0; i < OUTBOX_MAX / 2; i++) {
		assert_true(outbox_has_room(box));
		outbox_disk(box, &(struct disk_room){.bytes = 1});
	}
	assert_false(outbox_has_room(box));
	outbox_free(box);
}

static void sshs_silence_and_the_machines_troubles_are_told(void **state)
{
	struct outbox *box = outbox_new(ring, NULL);
	struct db *db = connection();
	_cleanup_(json_freep) cJSON *troubles = json_new_object();

	(void)state;
	run(db, "truncate told restart identity");
	rings = 0;
	outbox_ssh(box, host, "refused");
	outbox_ssh(box, host, NULL);
	json_set_text(troubles, "disk", "is full");
	outbox_troubles(box, troubles);
	outbox_disk(box, &(struct disk_room){.free_bytes = 5,
				 .bytes = 1LL << 40,
				 .free_files = 1LL << 33,
				 .files = 1LL << 34});
	outbox_usage(box, host, 1LL << 41, 1LL << 33, 7);
	assert_int_equal(rings, 5);
	assert_int_equal(flush(box, db, 3000), 0);
	assert_int_equal(number(db, "select count(*) from told where process = 7"), 5);
	assert_int_equal(number(db, "select count(*) from told where sequence = 8589934592 and "
				    "state = 'usage 2199023255552 7'"),
		1);
	assert_int_equal(number(db, "select count(*) from told where sequence = 5 and "
				    "state = 'disk 1099511627776 8589934592 17179869184'"),
		1);
	assert_int_equal(
		number(db, "select count(*) from told where id = 1 and code = 'refused' and "
			   "at > clock_timestamp() - interval '9 s'"),
		1);
	assert_int_equal(number(db, "select count(*) from told where id = 2 and code is null"), 1);
	assert_int_equal(
		number(db, "select count(*) from told where checks = '{\"disk\": \"is full\"}'"),
		1);
	db_free(db);
	outbox_free(box);
}

static void what_sql_refuses_is_dropped_and_the_rest_goes_on(void **state)
{
	struct outbox *box = outbox_new(ring, NULL);
	struct db *db = connection();

	(void)state;
	run(db, "truncate told restart identity");
	outbox_observe(box, host, "bad", NULL, NULL);
	outbox_observe(box, "no uuid", "running", NULL, NULL);
	outbox_observe(box, host, "running", NULL, NULL);
	assert_int_equal(flush(box, db, 3000), 0);
	assert_true(outbox_is_empty(box));
	assert_int_equal(number(db, "select count(*) from told"), 1);
	db_free(db);
	outbox_free(box);
}

// A lock that is held, or statements that meet, make nothing untrue that the agent has seen.
static void what_sql_cannot_take_now_is_kept_in_its_place(void **state)
{
	static const char *const codes[] = {"55P03", "40P01", "40001", "57014", "53200", "55006"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct outbox *box = outbox_new(ring, NULL);
		struct db *db = connection();
		_cleanup_(freep) char *refuse =
			xasprintf("insert into busy values ('%s')", codes[i]);
		run(db, "truncate told restart identity");
		run(db, refuse);
		outbox_observe(box, host, "running", NULL, NULL);
		outbox_observe(box, host, "stopped", NULL, NULL);
		for (int again = 0; again < 2; again++) {
			assert_int_not_equal(flush(box, db, 3000), 0);
			assert_false(outbox_is_empty(box));
		}
		run(db, "truncate busy");
		assert_int_equal(flush(box, db, 3000), 0);
		assert_int_equal(number(db, "select count(*) from told where (id, state, sequence) "
					    "in ((1, 'running', 1), (2, 'stopped', 2))"),
			2);
		db_free(db);
		outbox_free(box);
	}
}

static void an_absent_database_keeps_everything_waiting(void **state)
{
	struct outbox *box = outbox_new(ring, NULL);
	struct db *db = connection();

	(void)state;
	run(db, "truncate told restart identity");
	assert_int_equal(postgres_stop(), 0);
	outbox_observe(box, host, "running", NULL, NULL);
	outbox_observe(box, host, "stopped", NULL, NULL);
	assert_int_not_equal(flush(box, db, 1000), 0);
	assert_false(outbox_is_empty(box));
	assert_int_equal(postgres_begin(), 0);
	assert_int_equal(flush(box, db, 3000), 0);
	assert_int_equal(number(db, "select sum(case state when 'running' then id else -id end) "
				    "from told"),
		-1);
	db_free(db);
	outbox_free(box);
}

static void a_cancelled_flush_keeps_what_it_has_not_told(void **state)
{
	struct outbox *box = outbox_new(ring, NULL);
	struct db *db = connection();
	int pair[2];
	struct wait w;
	struct err e;

	(void)state;
	run(db, "truncate told restart identity");
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(write(pair[1], "", 1), 1);
	outbox_observe(box, host, "running", NULL, NULL);
	w = wait_for(3000, pair[0]);
	assert_int_equal(outbox_flush(box, db, 7, &w, &e), WAIT_CANCELED);
	assert_false(outbox_is_empty(box));
	assert_int_equal(flush(box, db, 3000), 0);
	assert_int_equal(number(db, "select count(*) from told"), 1);
	close(pair[0]);
	close(pair[1]);
	db_free(db);
	outbox_free(box);
}

static void a_full_ring_forgets_its_oldest(void **state)
{
	struct outbox *box = outbox_new(ring, NULL);
	struct db *db = connection();

	(void)state;
	run(db, "truncate told restart identity");
	for (int i = 0; i < OUTBOX_MAX + 10; i++)
		outbox_observe(box, host, "running", NULL, NULL);
	assert_int_equal(flush(box, db, 20000), 0);
	assert_int_equal(number(db, "select count(*) from told"), OUTBOX_MAX);
	assert_int_equal(number(db, "select min(sequence) from told"), 11);
	db_free(db);
	outbox_free(box);
}

// A flush in a thread of its own, by a connection of its own.
struct sender {
	struct outbox *box;
	int timeout_ms, outcome;
	pthread_t thread;
};

static void *send_in_thread(void *data)
{
	struct sender *sender = data;
	struct db *db = connection();

	sender->outcome = flush(sender->box, db, sender->timeout_ms);
	db_free(db);
	return NULL;
}

// The one entry is on its way and stays there until `blocker` ends its transaction.
static void send_one_that_hangs(struct sender *sender, struct db *blocker)
{
	run(blocker, "truncate told restart identity");
	run(blocker, "begin");
	run(blocker, "lock table told");
	outbox_observe(sender->box, host, "running", NULL, NULL);
	assert_int_equal(pthread_create(&sender->thread, NULL, send_in_thread, sender), 0);
	while (!outbox_is_empty(sender->box))
		sched_yield();
}

static void what_goes_back_into_a_full_ring_does_not_make_it_longer(void **state)
{
	struct sender sender = {.box = outbox_new(ring, NULL), .timeout_ms = 500};
	struct db *db = connection();

	(void)state;
	send_one_that_hangs(&sender, db);
	for (int i = 0; i < OUTBOX_MAX; i++)
		outbox_observe(sender.box, host, "running", NULL, NULL);
	pthread_join(sender.thread, NULL);
	assert_int_not_equal(sender.outcome, 0);
	for (int i = 0; i < 10; i++)
		outbox_observe(sender.box, host, "running", NULL, NULL);
	run(db, "rollback");
	assert_int_equal(flush(sender.box, db, 20000), 0);
	assert_int_equal(number(db, "select count(*) from told"), OUTBOX_MAX);
	db_free(db);
	outbox_free(sender.box);
}

static void a_sender_that_hangs_costs_others_no_more_than_their_time(void **state)
{
	struct sender sender = {.box = outbox_new(ring, NULL), .timeout_ms = 20000};
	struct db *db = connection(), *other = connection();
	int64_t begun;

	(void)state;
	send_one_that_hangs(&sender, db);
	begun = wait_now_ms();
	assert_int_equal(flush(sender.box, other, 100), WAIT_TIMEOUT);
	assert_in_range(wait_now_ms() - begun, 90, 15000);
	run(db, "rollback");
	pthread_join(sender.thread, NULL);
	assert_int_equal(sender.outcome, 0);
	assert_int_equal(number(db, "select count(*) from told"), 1);
	db_free(other);
	db_free(db);
	outbox_free(sender.box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_told_in_order_with_their_own_time),
		cmocka_unit_test(half_of_the_ring_is_kept_for_what_is_told_once),
		cmocka_unit_test(sshs_silence_and_the_machines_troubles_are_told),
		cmocka_unit_test(what_sql_refuses_is_dropped_and_the_rest_goes_on),
		cmocka_unit_test(what_sql_cannot_take_now_is_kept_in_its_place),
		cmocka_unit_test(an_absent_database_keeps_everything_waiting),
		cmocka_unit_test(a_cancelled_flush_keeps_what_it_has_not_told),
		cmocka_unit_test(a_full_ring_forgets_its_oldest),
		cmocka_unit_test(what_goes_back_into_a_full_ring_does_not_make_it_longer),
		cmocka_unit_test(a_sender_that_hangs_costs_others_no_more_than_their_time),
	};

	return cmocka_run_group_tests(tests, setup, postgres_teardown);
}
