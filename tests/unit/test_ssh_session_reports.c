// SPDX-License-Identifier: Apache-2.0
// What the ssh proxy's monitor asks about its sessions, against a real server.
// uses: sshproxy/session_reports.c
#include "sshproxy/session_reports.h"

#include "tests/unit/postgres.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/db.h"
#include "lib/loop.h"
#include "lib/pool.h"

#define FIRST "00000000-0000-0000-0000-000000000001"
#define SECOND "00000000-0000-0000-0000-000000000002"
#define SESSIONS "{" FIRST "," SECOND "}"

struct fixture {
	struct loop *loop;
	struct pool *pool;
	struct session_reports *reports;
	int ended, told;
	bool one_is_silent;
	struct db *db; // the test's own
	const char *wanted; // in `received`; then the loop ends
	int ticks;
};

static int functions_make(void **state)
{
	if (postgres_setup(state) != 0)
		return -1;
	struct db *db =
		db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "unit"});
	struct wait w = wait_for(10000, -1);
	struct err e;
	static const char sql[] =
		"do $do$ begin create schema session; create schema ssh;"
		" create function session.check(bigint, ids uuid[], silent_s integer[])"
		" returns table (session_id uuid, sentence text, ends boolean)"
		" language sql as $$select a.id, case when a.s < 60 then 'over' else 'a word' end, a.s < 60"
		" from unnest(ids, silent_s) as a (id, s)$$;"
		" create function ssh.set_host_key(bigint, text) returns void"
		" language sql as $$select$$;"
		" create table received (id serial, line text);"
		" create function session.end(process bigint, id uuid, reason text,"
		" up bigint, down bigint) returns void language plpgsql as $$begin"
		" if reason = 'unknown' then raise 'unknown reason'; end if;"
		" insert into received (line)"
		" values (concat_ws(' ', process, right(id::text, 1), reason, up, down));"
		" end$$;"
		" create function ssh.abandon(process bigint, address text, name text,"
		" reason text) returns void language sql as $$insert into received (line)"
		" values (concat_ws(' ', process, address, name, reason))$$;"
		" end $do$";
	int r = db_call(db, DB_CALL(sql), &w, NULL, &e);
	db_free(db);
	return r;
}

static void sessions(void *data, char **ret_ids, char **ret_silent_s)
{
	const struct fixture *f = data;
	*ret_ids = xstrdup(SESSIONS);
	*ret_silent_s = xstrdup(f->one_is_silent ? "{60,59}" : "{0,0}");
}

static atomic_bool answered;

static void answered_run(struct pool_job *job, struct db *db)
{
	(void)job;
	(void)db;
	atomic_store(&answered, true);
}

// Waits until the pool's one thread has done what was submitted before.
static void await_answer(struct pool *pool)
{
	static struct pool_job last = {.run = answered_run};
	assert_int_equal(pool_submit(pool, &last), 0);
	while (!atomic_load(&answered))
		sched_yield();
}

// What ends may bring on the next check; here it is even answered before the second session ends.
static void on_end(void *data, const char *session_id, const char *sentence)
{
	struct fixture *f = data;
	assert_string_equal(sentence, "over");
	if (f->wanted)
		return;
	assert_int_equal(session_id[35], f->ended % 2 == 0 ? '1' : '2');
	f->ended++;
	if (f->ended == 1) {
		session_reports_check(f->reports);
		await_answer(f->pool);
	}
	if (f->ended == 4)
		loop_stop(f->loop, 0);
}

static void on_say(void *data, const char *session_id, const char *sentence)
{
	struct fixture *f = data;
	assert_true(f->one_is_silent);
	assert_string_equal(session_id, FIRST);
	assert_string_equal(sentence, "a word");
	f->told++;
}

static void on_one_ended(void *data, const char *session_id, const char *sentence)
{
	struct fixture *f = data;
	assert_string_equal(session_id, SECOND);
	assert_string_equal(sentence, "over");
	f->ended++;
	loop_stop(f->loop, 0);
}

static void on_late(void *data)
{
	loop_stop(((struct fixture *)data)->loop, 1);
}

static void fixture_begin(struct fixture *f)
{
	struct loop_source *late;
	struct err e;
	assert_int_equal(loop_new(&f->loop, &e), 0);
	const struct pool_conf conf = {.name = "db",
		.threads = 1,
		.queue = 8,
		.loop = f->loop,
		.db = {.conninfo = postgres_conninfo, .name = "unit"}};
	assert_int_equal(pool_new(&conf, &f->pool, &e), 0);
	assert_int_equal(loop_timer(f->loop, on_late, f, &late, &e), 0);
	loop_timer_set(late, 60000, 0);
	f->reports = session_reports_new(&(const struct session_reports_conf){.pool = f->pool,
		.host_key = "ssh-ed25519 AAAA",
		.sessions = sessions,
		.say = on_say,
		.end = f->one_is_silent ? on_one_ended : on_end,
		.data = f});
}

static void fixture_run(struct fixture *f)
{
	struct err e;
	assert_int_equal(loop_run(f->loop, &e), 0);
	assert_int_equal(pool_stop(f->pool, 5000), 0);
	loop_free(f->loop);
}

static void a_check_that_begins_while_sessions_end_is_acted_on_as_well(void **state)
{
	static struct fixture f; // what it has stays reachable
	(void)state;
	fixture_begin(&f);
	session_reports_registered(f.reports, 1);
	session_reports_check(f.reports);
	fixture_run(&f);
	assert_int_equal(f.ended, 4);
}

static void what_does_not_end_is_told_and_goes_on(void **state)
{
	static struct fixture f = {.one_is_silent = true};
	(void)state;
	fixture_begin(&f);
	session_reports_registered(f.reports, 1);
	session_reports_check(f.reports);
	fixture_run(&f);
	assert_int_equal(f.told, 1);
	assert_int_equal(f.ended, 1);
}

// "line, line": what the functions were called with. "" while the server is away.
static char *received(struct db *db)
{
	struct wait w = wait_for(10000, -1);
	struct err e;
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	if (db_call(db,
		    DB_CALL("select coalesce(string_agg(line, ', ' order by id), '') from received"),
		    &w, &rows, &e) != 0)
		return xstrdup("");
	return xstrdup(db_text(rows, 0, 0));
}

static bool postgres_is_away;

static char *wanted_lines(int count)
{
	struct str lines = STR_INIT(8192);
	for (int i = 0; i < count; i++)
		str_addf(
			&lines, "%s7 %d closed %d 0", i == 0 ? "" : ", ", i < count - 1 ? 1 : 2, i);
	return str_take(&lines);
}

// As the program does, but more often. In the third turn the server is begun, if it is away.
static void on_tick(void *data)
{
	struct fixture *f = data;
	if (++f->ticks == 3 && postgres_is_away) {
		assert_int_equal(postgres_begin(), 0);
		postgres_is_away = false;
	}
	session_reports_scan(f->reports);
	_cleanup_(freep) char *lines = received(f->db);
	if (strcmp(lines, f->wanted) == 0)
		loop_stop(f->loop, 0);
}

static void received_wait(struct fixture *f, const char *wanted)
{
	struct loop_source *tick;
	struct err e;
	f->wanted = wanted;
	assert_int_equal(loop_timer(f->loop, on_tick, f, &tick, &e), 0);
	loop_timer_set(tick, 20, 20);
	fixture_run(f);
	struct wait w = wait_for(10000, -1);
	assert_int_equal(db_call(f->db, DB_CALL("delete from received"), &w, NULL, &e), 0);
	db_free(f->db);
}

static void reports_are_sent_in_order_and_one_that_is_refused_is_dropped(void **state)
{
	static struct fixture f = {.wanted = ""};
	(void)state;
	fixture_begin(&f);
	f.db = db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "test"});
	session_reports_add_ended(f.reports, FIRST, "closed", 1, 2);
	session_reports_add_ended(f.reports, SECOND, "unknown", 3, 4);
	session_reports_add_abandoned(f.reports, "192.0.2.1", "-", "crash");
	session_reports_registered(f.reports, 7);
	received_wait(&f, "7 1 closed 1 2, 7 192.0.2.1 - crash");
}

static void reports_wait_for_a_database_that_is_away(void **state)
{
	static struct fixture f = {.wanted = ""};
	(void)state;
	fixture_begin(&f);
	f.db = db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "test"});
	session_reports_registered(f.reports, 7);
	assert_int_equal(postgres_stop(), 0);
	postgres_is_away = true;
	for (int i = 0; i < 70; i++) // more than a batch
		session_reports_add_ended(
			f.reports, i < 69 ? FIRST : SECOND, "closed", (uint64_t)i, 0);
	_cleanup_(freep) char *wanted = wanted_lines(70);
	received_wait(&f, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_are_sent_in_order_and_one_that_is_refused_is_dropped),
		cmocka_unit_test(reports_wait_for_a_database_that_is_away),
		cmocka_unit_test(a_check_that_begins_while_sessions_end_is_acted_on_as_well),
		cmocka_unit_test(what_does_not_end_is_told_and_goes_on),
	};
	return cmocka_run_group_tests(tests, functions_make, postgres_teardown);
}
