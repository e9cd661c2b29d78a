// SPDX-License-Identifier: Apache-2.0
// A child's query about credentials, step by step, against a real server whose functions answer by the user's name.
// uses: sshproxy/auth_query.c sshproxy/message.c sshproxy/name.c
#include "sshproxy/auth_query.h"

#include "tests/unit/postgres.h"

#include <semaphore.h>
#include <string.h>

#include "lib/db.h"
#include "lib/hash.h"
#include "lib/loop.h"
#include "lib/pool.h"

#define LATER "The login service is not available: try again in a moment."
#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct loop *loop;
static struct auth_query_pools pools;
static int awaited; // queries without an answer: with the last one the loop ends
static char hash[HASH_TEXT_MAX]; // of "secret horse"

// ssh.login lets in whom the steps before have found right, and says in its sentence what it was asked.
static void functions_make(void)
{
	struct db *db =
		db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "unit"});
	struct wait w = wait_for(10000, -1);
	struct err e;
	_cleanup_(freep) char *sql = xasprintf(
		"do $do$ begin create schema ssh;"
		" create table taken (); insert into taken default values;"
		" alter role postgres set lock_timeout = '1s';"
		" create schema access; create function access.lock_holder() returns jsonb language sql as $$"
		" select '{\"pid\": 7, \"sentence\": \"Session 7 holds it.\"}'::jsonb $$;"
		" create function ssh.challenge(process bigint, address text, name text)"
		" returns table (verdict text, retry_after_s int, password_hash text) language sql as $$"
		" select case name when 'limited' then 'too_many_attempts' else 'ok' end, 7,"
		" case name when 'toolong' then repeat('x', 300) when 'nohash' then 'x' else '%s' end $$;"
		" create function ssh.key_offer(process bigint, address text, name text, sha256 text)"
		" returns table (verdict text, retry_after_s int) language sql as $$"
		" select case name when 'limited' then 'too_many_attempts' when 'userok' then 'ok' else 'auth_invalid' end, 9 $$;"
		" create function ssh.login(process bigint, address text, name text, method text,"
		" sha256 text, matched boolean, hash text)"
		" returns table (verdict text, session_id text, sentence text) language sql as $$"
		" select from taken where name = 'locked' for update;"
		" select case when name = 'refuse' then 'host_stopped' when matched then 'ok' else 'auth_invalid' end,"
		" case name when 'longid' then repeat('x', 40) else '00000000-0000-0000-0000-000000000001' end,"
		" concat_ws(' ', process, address, method, coalesce(sha256, '-'), matched, coalesce(hash, '-')) $$;"
		" end $do$",
		hash);
	assert_int_equal(db_call(db, &(const struct db_call){.sql = sql}, &w, NULL, &e), 0);
	db_free(db);
}

static int group_setup(void **state)
{
	struct err e;
	if (postgres_setup(state) != 0 || hash_make(HASH_YESCRYPT, "secret horse", hash, &e) != 0)
		return -1;
	functions_make();
	return 0;
}

// A loop runs once, so each use has its own.
static void pools_make(void)
{
	struct err e;
	assert_int_equal(loop_new(&loop, &e), 0);
	const struct pool_conf db = {.name = "db",
		.threads = 1,
		.queue = 1,
		.loop = loop,
		.db = {.conninfo = postgres_conninfo, .name = "unit"}};
	const struct pool_conf hashes = {.name = "hash", .threads = 1, .queue = 1, .loop = loop};
	pools.process_id = 5;
	assert_int_equal(pool_new(&db, &pools.db, &e), 0);
	assert_int_equal(pool_new(&hashes, &pools.hash, &e), 0);
}

static void pools_run(void)
{
	struct err e;
	assert_int_equal(loop_run(loop, &e), 0);
	assert_int_equal(pool_stop(pools.hash, 5000), 0);
	assert_int_equal(pool_stop(pools.db, 5000), 0);
	loop_free(loop);
}

static void on_done(struct auth_query *query)
{
	(void)query;
	if (--awaited == 0)
		loop_stop(loop, 0);
}

static void query_start(struct auth_query *query, const struct message *question)
{
	awaited++;
	auth_query_start(query, &pools, "192.0.2.1", question, on_done);
}

static struct message password(const char *name, const char *text)
{
	struct message m = {.kind = MESSAGE_PASSWORD};
	assert_true(text_copy(m.login.name, sizeof(m.login.name), name));
	assert_true(text_copy(m.login.password, sizeof(m.login.password), text));
	return m;
}

static struct message key(enum message_kind kind, const char *name)
{
	struct message m = {.kind = kind};
	assert_true(text_copy(m.key.name, sizeof(m.key.name), name));
	assert_true(text_copy(m.key.sha256, sizeof(m.key.sha256), SHA256));
	return m;
}

static struct auth_query answered(struct message question)
{
	struct auth_query q;
	pools_make();
	query_start(&q, &question);
	pools_run();
	static const char wiped[sizeof(q.password)];
	assert_memory_equal(q.password, wiped, sizeof(wiped));
	return q;
}

static void expect(struct auth_query q, enum message_verdict verdict, const char *sentence)
{
	assert_int_equal(q.verdict, verdict);
	assert_string_equal(q.sentence, sentence);
	assert_int_equal(q.session_id[0] != '\0', verdict == MESSAGE_YES);
}

static void a_right_password_lets_in_and_a_wrong_one_does_not(void **state)
{
	(void)state;
	expect(answered(password("userok", "secret horse")), MESSAGE_YES, "");
	expect(answered(password("userok", "wrong horse")), MESSAGE_NO, "");
	expect(answered(password("nohash", "secret horse")), MESSAGE_NO, "");
}

static void the_login_is_asked_with_what_the_steps_before_have_found(void **state)
{
	_cleanup_(freep) char *with_password = xasprintf("5 192.0.2.1 password - t %s", hash);
	(void)state;
	expect(answered(password("refuse", "secret horse")), MESSAGE_REFUSED, with_password);
	expect(answered(key(MESSAGE_KEY_LOGIN, "refuse")), MESSAGE_REFUSED,
		"5 192.0.2.1 key " SHA256 " t -");
}

static void a_key_with_a_valid_signature_lets_in(void **state)
{
	(void)state;
	struct auth_query q = answered(key(MESSAGE_KEY_LOGIN, "userok"));
	expect(q, MESSAGE_YES, "");
	assert_string_equal(q.session_id, "00000000-0000-0000-0000-000000000001");
}

static void a_key_that_is_offered_is_looked_up_only(void **state)
{
	(void)state;
	struct auth_query q = answered(key(MESSAGE_KEY_OFFER, "userok"));
	assert_int_equal(q.verdict, MESSAGE_YES);
	assert_string_equal(q.session_id, "");
	expect(answered(key(MESSAGE_KEY_OFFER, "other1")), MESSAGE_NO, "");
}

static void a_limited_address_is_told_how_long_to_wait(void **state)
{
	(void)state;
	expect(answered(password("limited", "secret horse")), MESSAGE_REFUSED,
		"Too many attempts: wait 7 seconds.");
	expect(answered(key(MESSAGE_KEY_OFFER, "limited")), MESSAGE_REFUSED,
		"Too many attempts: wait 9 seconds.");
}

static void answers_that_do_not_fit_let_nobody_in(void **state)
{
	(void)state;
	expect(answered(password("toolong", "secret horse")), MESSAGE_REFUSED, LATER);
	expect(answered(key(MESSAGE_KEY_LOGIN, "longid")), MESSAGE_REFUSED, LATER);
}

static void before_the_process_is_registered_every_query_is_put_off(void **state)
{
	struct message question = key(MESSAGE_KEY_LOGIN, "userok");
	struct auth_query q;
	(void)state;
	pools_make();
	pools.process_id = 0;
	query_start(&q, &question);
	pools_run();
	expect(q, MESSAGE_REFUSED, LATER);
}

// A thread of the pool that is busy until `released`.
static sem_t begun, released;

static void busy(struct pool_job *job, struct db *db)
{
	(void)job;
	(void)db;
	sem_post(&begun);
	sem_wait(&released);
}

static void what_waited_too_long_is_not_begun_and_a_full_queue_is_put_off_at_once(void **state)
{
	struct message question = key(MESSAGE_KEY_LOGIN, "userok");
	struct pool_job job = {.run = busy};
	struct auth_query waiting, refused;
	(void)state;
	assert_int_equal(sem_init(&begun, 0, 0), 0);
	assert_int_equal(sem_init(&released, 0, 0), 0);
	pools_make();
	assert_int_equal(pool_submit(pools.db, &job), 0);
	sem_wait(&begun);
	query_start(&waiting, &question);
	waiting.begun_ms -= 3001;
	query_start(&refused, &question);
	assert_int_equal(awaited, 1);
	expect(refused, MESSAGE_REFUSED, LATER);
	sem_post(&released);
	pools_run();
	expect(waiting, MESSAGE_REFUSED, LATER);
}

static void who_waits_for_a_lock_in_vain_is_told_who_holds_it(void **state)
{
	struct db *db =
		db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "unit"});
	struct wait w = wait_for(10000, -1);
	struct err e;
	(void)state;
	assert_int_equal(db_call(db, DB_CALL("begin"), &w, NULL, &e), 0);
	assert_int_equal(db_call(db, DB_CALL("lock table taken"), &w, NULL, &e), 0);
	expect(answered(key(MESSAGE_KEY_LOGIN, "locked")), MESSAGE_REFUSED, "Session 7 holds it.");
	expect(answered(key(MESSAGE_KEY_OFFER, "locked")), MESSAGE_NO, "");
	db_free(db);
}

static void without_a_database_a_query_is_put_off(void **state)
{
	(void)state;
	assert_int_equal(postgres_stop(), 0);
	expect(answered(key(MESSAGE_KEY_LOGIN, "userok")), MESSAGE_REFUSED, LATER);
	expect(answered(key(MESSAGE_KEY_OFFER, "userok")), MESSAGE_REFUSED, LATER);
	expect(answered(password("userok", "secret horse")), MESSAGE_REFUSED, LATER);
	assert_int_equal(postgres_begin(), 0);
	expect(answered(key(MESSAGE_KEY_LOGIN, "userok")), MESSAGE_YES, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_password_lets_in_and_a_wrong_one_does_not),
		cmocka_unit_test(the_login_is_asked_with_what_the_steps_before_have_found),
		cmocka_unit_test(a_key_with_a_valid_signature_lets_in),
		cmocka_unit_test(a_key_that_is_offered_is_looked_up_only),
		cmocka_unit_test(a_limited_address_is_told_how_long_to_wait),
		cmocka_unit_test(answers_that_do_not_fit_let_nobody_in),
		cmocka_unit_test(before_the_process_is_registered_every_query_is_put_off),
		cmocka_unit_test(
			what_waited_too_long_is_not_begun_and_a_full_queue_is_put_off_at_once),
		cmocka_unit_test(who_waits_for_a_lock_in_vain_is_told_who_holds_it),
		cmocka_unit_test(without_a_database_a_query_is_put_off),
	};
	return cmocka_run_group_tests(tests, group_setup, postgres_teardown);
}
