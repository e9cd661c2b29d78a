// SPDX-License-Identifier: Apache-2.0
// What the ssh proxy's monitor asks about its sessions, against a real server.
// uses: sshproxy/session_reports.c
#include "sshproxy/session_reports.h"

#include "tests/unit/postgres.h"

#include <sched.h>
#include <stdatomic.h>

#include "lib/db.h"
#include "lib/loop.h"
#include "lib/pool.h"

#define SESSIONS "{00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000002}"

struct fixture {
	struct loop *loop;
	struct pool *pool;
	struct session_reports *reports;
	int ended;
};

static void functions_make(void)
{
	struct db *db =
		db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "unit"});
	struct wait w = wait_for(10000, -1);
	struct err e;
	static const char sql[] = "do $do$ begin create schema session; create schema ssh;"
				  " create function session.check(bigint, ids uuid[])"
				  " returns table (session_id uuid, sentence text)"
				  " language sql as $$select unnest(ids), 'over'$$;"
				  " create function ssh.set_host_key(bigint, text) returns void"
				  " language sql as $$select$$; end $do$";
	assert_int_equal(db_call(db, DB_CALL(sql), &w, NULL, &e), 0);
	db_free(db);
}

static char *sessions(void *data)
{
	(void)data;
	return xasprintf("%s", SESSIONS);
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
	assert_int_equal(session_id[35], f->ended % 2 == 0 ? '1' : '2');
	f->ended++;
	if (f->ended == 1) {
		session_reports_check(f->reports);
		await_answer(f->pool);
	}
	if (f->ended == 4)
		loop_stop(f->loop, 0);
}

static void on_late(void *data)
{
	loop_stop(((struct fixture *)data)->loop, 1);
}

static void a_check_that_begins_while_sessions_end_is_acted_on_as_well(void **state)
{
	static struct fixture f; // what it has stays reachable
	struct loop_source *late;
	struct err e;
	(void)state;
	functions_make();
	assert_int_equal(loop_new(&f.loop, &e), 0);
	const struct pool_conf conf = {.name = "db",
		.threads = 1,
		.queue = 8,
		.loop = f.loop,
		.db = {.conninfo = postgres_conninfo, .name = "unit"}};
	assert_int_equal(pool_new(&conf, &f.pool, &e), 0);
	assert_int_equal(loop_timer(f.loop, on_late, &f, &late, &e), 0);
	loop_timer_set(late, 20000, 0);
	f.reports = session_reports_new(&(const struct session_reports_conf){.pool = f.pool,
		.host_key = "ssh-ed25519 AAAA",
		.sessions = sessions,
		.end = on_end,
		.data = &f});
	session_reports_registered(f.reports, 1);
	session_reports_check(f.reports);
	assert_int_equal(loop_run(f.loop, &e), 0);
	assert_int_equal(f.ended, 4);
	assert_int_equal(pool_stop(f.pool, 5000), 0);
	loop_free(f.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_that_begins_while_sessions_end_is_acted_on_as_well),
	};
	return cmocka_run_group_tests(tests, postgres_setup, postgres_teardown);
}
