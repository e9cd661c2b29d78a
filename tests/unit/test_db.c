// SPDX-License-Identifier: Apache-2.0
// db_call against a real server: values, errors, deadlines, repetition, lost connections.
#include "lib/db.h"

#include "tests/unit/postgres.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct db *connect_db(int timeout_ms)
{
	return db_new(&(const struct db_conf){
		.conninfo = postgres_conninfo, .name = "unit", .timeout_ms = timeout_ms});
}

static int call(struct db *db, const struct db_call *c, struct pg_result **ret, struct err *e)
{
	struct wait w = wait_for(10000, -1);

	return db_call(db, c, &w, ret, e);
}

static void run(struct db *db, const char *sql)
{
	struct err e;

	if (call(db, DB_CALL(sql), NULL, &e) != 0)
		fail_msg("%s: %s", sql, e.message);
}

static int64_t number(struct db *db, const char *sql)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct err e;

	if (call(db, DB_CALL(sql), &rows, &e) != 0)
		fail_msg("%s: %s", sql, e.message);
	return db_int(rows, 0, 0);
}

static void parameters_go_in_and_values_come_out(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	_cleanup_(freep) int64_t *list = NULL;
	_cleanup_(freep) char *sent = db_int_array_text((const int64_t[]){1, -2, INT64_MAX}, 3);
	struct db_number big = db_number(INT64_MIN);
	struct err e;

	(void)state;
	int r = call(db,
		DB_CALL("select $1::text as word, $2::bigint, $3::boolean, $4::text, $5::bigint[], '{}'::bigint[]",
			"it's", big.text, "t", NULL, sent),
		&rows, &e);
	assert_int_equal(r, 0);
	assert_int_equal(db_rows(rows), 1);
	assert_string_equal(db_text(rows, 0, 0), "it's");
	assert_true(db_int(rows, 0, 1) == INT64_MIN);
	assert_true(db_bool(rows, 0, 2));
	assert_null(db_text(rows, 0, 3));
	assert_int_equal(db_int_array(rows, 0, 4, &list), 3);
	assert_true(list[0] == 1 && list[1] == -2 && list[2] == INT64_MAX);
	int64_t *empty;
	assert_int_equal(db_int_array(rows, 0, 5, &empty), 0);
}

static void what_sql_refuses_comes_with_detail_and_hint_and_never_with_parameters(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	struct err e;

	(void)state;
	run(db, "create or replace function refuse(p text) returns int language plpgsql as $$ begin raise "
		"exception using errcode = 'CP404', message = 'no such host', detail = '{\"a\":1}', hint = 'look'; end $$");
	assert_int_equal(call(db, DB_CALL("select refuse($1)", "secret"), NULL, &e), -1);
	assert_string_equal(e.sqlstate, "CP404");
	assert_string_equal(e.message, "no such host");
	assert_string_equal(e.detail, "{\"a\":1}");
	assert_string_equal(e.hint, "look");
	assert_int_equal(call(db, DB_CALL("select $1::int", "secret-7"), NULL, &e), -1);
	assert_string_equal(e.sqlstate, "22P02");
	assert_int_equal(number(db, "select 5"), 5); // the connection is fine
}

static void a_slow_answer_ends_by_deadline_and_the_next_call_connects_anew(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(150);
	struct err e;

	(void)state;
	int64_t first = number(db, "select pg_backend_pid()"), began = wait_now_ms();
	assert_int_equal(call(db, DB_CALL("select pg_sleep(20)"), NULL, &e), WAIT_TIMEOUT);
	assert_true(wait_now_ms() - began < 15000);
	assert_true(db_is_away(WAIT_TIMEOUT, &e));
	assert_true(number(db, "select pg_backend_pid()") != first);
}

static void a_cancel_ends_a_call(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	_cleanup_(closep) int cancel = eventfd(1, EFD_CLOEXEC);
	struct wait w = wait_for(10000, cancel);
	struct err e;

	(void)state;
	assert_int_equal(db_call(db, DB_CALL("select pg_sleep(20)"), &w, NULL, &e), WAIT_CANCELED);
	assert_int_equal(number(db, "select 1"), 1);
}

static void a_frozen_backend_ends_by_deadline(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(3000);
	struct err e;

	(void)state;
	pid_t pid = (pid_t)number(db, "select pg_backend_pid()");
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(call(db, DB_CALL("select 1"), NULL, &e), WAIT_TIMEOUT);
	assert_int_equal(number(db, "select 2"), 2);
	assert_int_equal(kill(pid, SIGCONT), 0);
}

static void a_backend_that_thaws_does_not_do_what_nobody_waits_for_any_more(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(3000);
	_cleanup_(db_freep) struct db *other = connect_db(0);
	struct err e;

	(void)state;
	run(other, "create sequence thawed");
	assert_int_equal(number(db, "select 1 + 0 * nextval('thawed')"),
		1); // prepared: one message is a call
	pid_t pid = (pid_t)number(db, "select pg_backend_pid()");
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(
		call(db, DB_CALL("select 1 + 0 * nextval('thawed')"), NULL, &e), WAIT_TIMEOUT);
	assert_int_equal(kill(pid, SIGCONT), 0);
	_cleanup_(freep) char *lives =
		xasprintf("select count(*) from pg_stat_activity where pid = %d", (int)pid);
	struct wait limit = wait_for(30000, -1);
	while (number(other, lives) > 0)
		assert_int_equal(wait_pause(&limit, 10, &e), 0);
	assert_int_equal(number(other, "select last_value from thawed"), 1);
}

static void serialization_failures_are_tried_again_with_the_same_arguments(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	struct err e;

	(void)state;
	run(db, "create sequence tries");
	run(db, "create or replace function flaky(p_fails int) returns bigint language plpgsql as $$ declare n bigint "
		":= nextval('tries'); begin if n <= p_fails then raise exception using errcode = '40001', message = "
		"'again'; end if; return n; end $$");
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	assert_int_equal(call(db, DB_CALL("select flaky($1)", "3"), &rows, &e), 0);
	assert_int_equal(db_int(rows, 0, 0), 4);
	assert_int_equal(call(db, DB_CALL("select flaky($1)", "1000"), NULL, &e), -1);
	assert_string_equal(e.sqlstate, "40001");
	assert_int_equal(number(db, "select last_value from tries"), 4 + 6);
}

static void a_replaced_function_is_not_noticed_by_callers(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	_cleanup_(db_freep) struct db *other = connect_db(0);

	(void)state;
	run(other, "create function shape() returns table (a int) language sql as 'select 1'");
	assert_int_equal(number(db, "select * from shape()"), 1);
	run(other, "drop function shape()");
	run(other,
		"create function shape() returns table (a int, b int) language sql as 'select 2, 3'");
	assert_int_equal(number(db, "select * from shape()"), 2);
}

static void any_number_of_statements_fits(void **state)
{
	static const char often[] = "select -1";
	static const char count[] = "select count(*) from pg_prepared_statements";
	_cleanup_(db_freep) struct db *db = connect_db(0);

	(void)state;
	for (int i = 0; i < DB_STATEMENTS_MAX; i++) {
		_cleanup_(freep) char *sql = xasprintf("select %d", i);
		assert_int_equal(number(db, sql), i);
		assert_int_equal(number(db, often), -1);
	}
	assert_in_range(number(db, count), 1, 4); // the last ones: all before were forgotten
	assert_int_equal(number(db, "select 3"), 3);
}

static int pipeline(struct db *db, const struct db_call *calls, size_t count,
	struct pg_result **rets, struct err *e)
{
	struct wait w = wait_for(10000, -1);

	return db_pipeline(db, calls, count, &w, rets, e);
}

static void free_all(struct pg_result **rets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		db_result_freep(&rets[i]);
}

static void assert_all_null(struct pg_result **rets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_null(rets[i]);
}

static void a_pipeline_is_one_transaction(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	struct pg_result *rets[3];
	struct err e;

	(void)state;
	run(db, "create table piped (n int unique deferrable initially deferred, inside xid8 default pg_current_xact_id())");
	const struct db_call calls[] = {*DB_CALL("insert into piped values ($1) returning n", "1"),
		*DB_CALL("insert into piped values ($1) returning n", "2"),
		*DB_CALL("select count(*) from piped where n < $1", "9")};
	assert_int_equal(pipeline(db, calls, 3, rets, &e), 0);
	assert_int_equal(db_int(rets[0], 0, 0), 1);
	assert_int_equal(db_int(rets[1], 0, 0), 2);
	assert_int_equal(db_int(rets[2], 0, 0), 2);
	free_all(rets, 3);
	assert_int_equal(number(db, "select count(distinct inside) from piped"), 1);
}

static void of_a_pipeline_that_is_refused_nothing_has_happened(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	struct pg_result *rets[3];
	struct err e;

	(void)state;
	const struct db_call refused[] = {*DB_CALL("insert into piped values ($1)", "3"),
		*DB_CALL("select 1 / $1::int", "0"),
		*DB_CALL("insert into piped values ($1)", "x")};
	assert_int_equal(pipeline(db, refused, 3, rets, &e), -1);
	assert_string_equal(e.sqlstate, "22012");
	assert_all_null(rets, 3);
	const struct db_call at_commit[] = {*DB_CALL("insert into piped values ($1)", "3"),
		*DB_CALL("insert into piped values ($1)", "1")};
	assert_int_equal(pipeline(db, at_commit, 2, rets, &e), -1);
	assert_string_equal(e.sqlstate, "23505");
	assert_all_null(rets, 2);
	assert_int_equal(number(db, "select count(*) from piped"), 2);
}

static void a_pipeline_is_tried_again_as_a_call_is(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	_cleanup_(db_freep) struct db *other = connect_db(0);
	struct pg_result *rets[2];
	struct err e;

	(void)state;
	run(db, "alter sequence tries restart");
	const struct db_call calls[] = {
		*DB_CALL("select flaky($1)", "3"), *DB_CALL("select * from shape()")};
	assert_int_equal(pipeline(db, calls, 2, rets, &e), 0);
	assert_int_equal(db_int(rets[0], 0, 0), 4);
	free_all(rets, 2);
	run(other, "drop function shape()");
	run(other, "create function shape() returns table (a int) language sql as 'select 5'");
	assert_int_equal(pipeline(db, calls, 2, rets, &e), 0);
	assert_int_equal(db_int(rets[1], 0, 0), 5);
	free_all(rets, 2);
}

static void a_pipeline_ends_by_deadline_and_by_loss(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(200);
	struct pg_result *rets[2];
	struct err e;

	(void)state;
	const struct db_call slow[] = {*DB_CALL("select 1"), *DB_CALL("select pg_sleep(60)")};
	assert_int_equal(pipeline(db, slow, 2, rets, &e), WAIT_TIMEOUT);
	assert_all_null(rets, 2);
	assert_int_equal(number(db, "select 6"), 6);
	const struct db_call deadly[] = {
		*DB_CALL("select 1"), *DB_CALL("select pg_terminate_backend(pg_backend_pid())")};
	assert_int_equal(pipeline(db, deadly, 2, rets, &e), DB_LOST);
	assert_all_null(rets, 2);
	assert_int_equal(number(db, "select 7"), 7);
}

static void any_number_of_pipelines_fits(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	struct pg_result *rets[3];
	struct err e;

	(void)state;
	for (int i = 0; i < DB_STATEMENTS_MAX; i += 2) {
		_cleanup_(freep) char *even = xasprintf("select %d", i);
		_cleanup_(freep) char *odd = xasprintf("select %d", i + 1);
		const struct db_call calls[] = {
			*DB_CALL("select -1"), *DB_CALL(even), *DB_CALL(odd)};
		assert_int_equal(pipeline(db, calls, 3, rets, &e), 0);
		assert_int_equal(db_int(rets[2], 0, 0), i + 1);
		free_all(rets, 3);
	}
}

static void a_connection_that_died_idle_is_made_again_before_the_call(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	_cleanup_(db_freep) struct db *other = connect_db(0);
	struct err e;
	struct db_number pid = db_number(number(db, "select pg_backend_pid()"));

	(void)state;
	assert_int_equal(
		call(other, DB_CALL("select pg_terminate_backend($1, 5000)", pid.text), NULL, &e),
		0);
	assert_int_equal(number(db, "select 3"), 3);
}

static void a_connection_that_dies_in_a_call_is_named_lost(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	struct err e;

	(void)state;
	assert_int_equal(call(db, DB_CALL("select pg_terminate_backend(pg_backend_pid())"), NULL,
				 &e) == DB_LOST ||
				 strcmp(e.sqlstate, "57P01") == 0,
		1);
	assert_int_equal(number(db, "select 4"), 4);
}

static void an_absent_server_answers_soon_and_its_return_is_noticed(void **state)
{
	_cleanup_(db_freep) struct db *db = connect_db(0);
	struct err e;

	(void)state;
	run(db, "select 1");
	assert_int_equal(postgres_stop(), 0);
	int64_t began = wait_now_ms();
	for (int i = 0; i < 50; i++)
		assert_int_equal(call(db, DB_CALL("select 1"), NULL, &e), DB_LOST);
	assert_int_equal(e.code, ENOTCONN);
	assert_true(wait_now_ms() - began < 15000);
	assert_int_equal(postgres_begin(), 0);
	struct wait limit = wait_for(30000, -1);
	while (call(db, DB_CALL("select 1"), NULL, &e) != 0)
		assert_int_equal(wait_pause(&limit, 20, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_go_in_and_values_come_out),
		cmocka_unit_test(
			what_sql_refuses_comes_with_detail_and_hint_and_never_with_parameters),
		cmocka_unit_test(a_slow_answer_ends_by_deadline_and_the_next_call_connects_anew),
		cmocka_unit_test(a_cancel_ends_a_call),
		cmocka_unit_test(a_frozen_backend_ends_by_deadline),
		cmocka_unit_test(a_backend_that_thaws_does_not_do_what_nobody_waits_for_any_more),
		cmocka_unit_test(serialization_failures_are_tried_again_with_the_same_arguments),
		cmocka_unit_test(a_replaced_function_is_not_noticed_by_callers),
		cmocka_unit_test(any_number_of_statements_fits),
		cmocka_unit_test(a_pipeline_is_one_transaction),
		cmocka_unit_test(of_a_pipeline_that_is_refused_nothing_has_happened),
		cmocka_unit_test(a_pipeline_is_tried_again_as_a_call_is),
		cmocka_unit_test(a_pipeline_ends_by_deadline_and_by_loss),
		cmocka_unit_test(any_number_of_pipelines_fits),
		cmocka_unit_test(a_connection_that_died_idle_is_made_again_before_the_call),
		cmocka_unit_test(a_connection_that_dies_in_a_call_is_named_lost),
		cmocka_unit_test(an_absent_server_answers_soon_and_its_return_is_noticed),
	};

	return cmocka_run_group_tests(tests, postgres_setup, postgres_teardown);
}
