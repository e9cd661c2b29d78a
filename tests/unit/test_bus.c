// SPDX-License-Identifier: Apache-2.0
// The bus against a real server with stand-ins for process.*: registering, doorbells, beats, loss
// and return.
#include "lib/bus.h"

#include "tests/unit/postgres.h"

#include <string.h>
#include <unistd.h>

#include "lib/db.h"
#include "lib/loop.h"

enum { SAMPLES_BYTES = 3 * 1024 * 1024 };

struct scene {
	struct loop *loop;
	struct bus *bus;
	struct db *db;
	struct loop_source *limit;
	int ups, losses, scans, rings, beats, registrations, samples;
	int64_t lease; // reported as running
	int64_t dropped, stopped;
	bool dead;
	char health[64];
	void (*step)(
		struct scene *s); // called after every hook; ends the loop when it has seen enough
};

static void end(struct scene *s)
{
	loop_stop(s->loop, 0);
}

static void on_registered(void *data, const struct bus_identity *identity)
{
	struct scene *s = data;

	s->registrations++;
	assert_string_equal(identity->queue, "ccp_unit");
	assert_string_equal(identity->cluster, "7/unit");
}

static void on_state(void *data, enum bus_state state, const struct err *e)
{
	struct scene *s = data;

	(void)e;
	s->ups += state == BUS_UP;
	s->losses += state == BUS_LOST;
	s->step(s);
}

static void on_scan(void *data)
{
	struct scene *s = data;

	s->scans++;
	s->step(s);
}

static void on_doorbell(void *data, const char *channel)
{
	struct scene *s = data;

	assert_string_equal(channel, "ccp_unit");
	s->rings++;
	s->step(s);
}

static size_t on_leases(void *data, int64_t *ret, size_t max)
{
	struct scene *s = data;

	assert_true(max > 0);
	ret[0] = s->lease;
	return s->lease ? 1 : 0;
}

// More than any socket takes at once.
static char *on_samples(void *data)
{
	struct scene *s = data;
	char *text = xcalloc(1, SAMPLES_BYTES + sizeof("[\"\"]"));

	s->samples++;
	memset(text, 'x', SAMPLES_BYTES + sizeof("[\"\"]") - 1);
	memcpy(text, "[\"", 2);
	memcpy(text + 2 + SAMPLES_BYTES, "\"]", 2);
	return text;
}

static void on_beat(void *data, const struct bus_beat *beat)
{
	struct scene *s = data;

	s->beats++;
	s->dead = !beat->alive;
	s->dropped = beat->drop_count ? beat->drop[0] : 0;
	s->stopped = beat->stop_count ? beat->stop[0] : 0;
	snprintf(s->health, sizeof(s->health), "%s", beat->health);
	s->step(s);
}

static void too_late(void *data)
{
	struct scene *s = data;

	loop_stop(s->loop, 1);
}

static void sql(struct scene *s, const char *text)
{
	struct wait w = wait_for(5000, -1);
	struct err e;

	if (db_call(s->db, DB_CALL(text), &w, NULL, &e) != 0)
		fail_msg("%s: %s", text, e.message);
}

static void make_schema(struct scene *s)
{
	sql(s, "create schema if not exists process");
	sql(s, "create table if not exists process.brought (at serial, bytes integer)");
	sql(s, "truncate process.brought");
	sql(s, "create or replace function process.register(text, text, integer, text) returns table (process_id "
	       "bigint, node_id bigint, queue text, cluster text) language sql as $$ select 5, 6, 'ccp_unit', "
	       "'7/unit' $$");
	sql(s, "create or replace function process.beat(bigint, bigint[], jsonb) returns table (alive boolean, drop_leases "
	       "bigint[], stop_leases bigint[], health jsonb) language sql as $$ insert into process.brought (bytes) "
	       "select length($3 ->> 0) where $3 is not null; select $1 = 5, array(select x from "
	       "unnest($2) x where x = 11), array(select x from unnest($2) x where x = 12), '{\"database\": "
	       "\"ok\"}'::jsonb $$");
	sql(s, "create table if not exists process.gone (id bigint)");
	sql(s, "create or replace function process.unregister(bigint) returns void language sql as $$ insert into "
	       "process.gone values ($1) $$");
}

static void setup(struct scene *s, void (*step)(struct scene *))
{
	const struct bus_hooks hooks = {
		on_registered, on_state, on_scan, on_doorbell, on_leases, on_samples, on_beat};
	struct bus_conf conf = {.conninfo = postgres_conninfo,
		.program = "ccp-unit",
		.node = "here",
		.version = "1",
		.hooks = hooks,
		.data = s};
	struct err e;

	*s = (struct scene){.step = step};
	s->db = db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "unit"});
	make_schema(s);
	assert_int_equal(loop_new(&s->loop, &e), 0);
	conf.loop = s->loop;
	assert_int_equal(loop_timer(s->loop, too_late, s, &s->limit, &e), 0);
	loop_timer_set(s->limit, 10000, 0);
	assert_int_equal(bus_new(&conf, &s->bus, &e), 0);
}

static void finish(struct scene *s)
{
	struct err e;

	assert_int_equal(loop_run(s->loop, &e), 0);
	bus_unregister(s->bus);
	bus_free(s->bus);
	loop_free(s->loop);
	db_free(s->db);
}

static void until_first_beat(struct scene *s)
{
	if (s->beats == 1)
		end(s);
}

static void it_registers_listens_scans_and_beats_in_that_order(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, until_first_beat);
	assert_null(bus_identity(s.bus));
	assert_true(bus_is_stale(s.bus));
	finish(&s);
	assert_int_equal(s.registrations, 1);
	assert_int_equal(s.ups, 1);
	assert_int_equal(s.scans, 1);
	assert_string_equal(s.health, "{\"database\": \"ok\"}");
	assert_false(s.dead);
	struct db *db =
		db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "unit"});
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct wait w = wait_for(5000, -1);
	struct err e;
	assert_int_equal(
		db_call(db, DB_CALL("select count(*) from process.gone"), &w, &rows, &e), 0);
	assert_int_equal(db_int(rows, 0, 0), 1);
	db_free(db);
}

static void ring_three_times(struct scene *s)
{
	static bool rang;

	if (s->beats == 1 && !rang) {
		rang = true;
		sql(s, "select pg_notify('ccp_unit', x::text) from generate_series(1, 3) x");
	}
	if (s->rings == 1)
		end(s);
}

static void several_rings_come_as_one_call(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, ring_three_times);
	finish(&s);
	assert_int_equal(s.rings, 1);
}

static void beat_for_leases(struct scene *s)
{
	if (s->beats == 1) {
		s->lease = 11;
		bus_beat_soon(s->bus);
	} else if (s->beats == 2 && s->lease == 11) {
		assert_int_equal(s->dropped, 11);
		assert_int_equal(s->stopped, 0);
		s->lease = 12;
		bus_beat_soon(s->bus);
	} else if (s->beats == 3) {
		assert_int_equal(s->dropped, 0);
		assert_int_equal(s->stopped, 12);
		end(s);
	}
}

static void a_beat_asked_for_comes_soon_and_tells_what_to_drop_and_to_stop(void **state)
{
	struct scene s;
	int64_t began = wait_now_ms();

	(void)state;
	setup(&s, beat_for_leases);
	finish(&s);
	assert_true(wait_now_ms() - began < 2 * BUS_BEAT_MS); // what two ordinary beats take
}

static void cut_then_wait(struct scene *s)
{
	if (s->ups == 1 && s->losses == 0 && s->beats == 1)
		sql(s, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ccp-unit'");
	if (s->ups == 2 && s->beats == 2)
		end(s);
}

static void a_cut_connection_is_made_again_without_registering_again(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, cut_then_wait);
	finish(&s);
	assert_int_equal(s.losses, 1);
	assert_int_equal(s.registrations, 1);
	assert_true(s.scans >= 2);
}

static void beat_thrice(struct scene *s)
{
	if (s->beats == 3)
		end(s);
	else if (s->beats > 0)
		bus_beat_soon(s->bus);
}

static void what_was_counted_goes_with_a_beat_each_few_seconds_however_much_it_is(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, beat_thrice);
	finish(&s);
	assert_int_equal(s.losses, 0);
	assert_int_equal(s.samples, 1);
	struct db *db =
		db_new(&(const struct db_conf){.conninfo = postgres_conninfo, .name = "unit"});
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct wait w = wait_for(5000, -1);
	struct err e;
	assert_int_equal(db_call(db, DB_CALL("select count(*), min(bytes) from process.brought"),
				 &w, &rows, &e),
		0);
	assert_int_equal(db_int(rows, 0, 0), 1);
	assert_int_equal(db_int(rows, 0, 1), SAMPLES_BYTES);
	db_free(db);
}

static void freeze_then_wait(struct scene *s)
{
	if (s->ups == 1 && s->losses == 0 && s->beats == 1 && s->lease == 0) {
		s->lease = 1;
		sql(s, "create or replace function process.beat(bigint, bigint[], jsonb) returns table (alive boolean, drop_leases "
		       "bigint[], stop_leases bigint[], health jsonb) language plpgsql as $$ begin perform pg_sleep(20); "
		       "end $$");
		bus_beat_soon(s->bus);
	}
	if (s->losses == 1)
		end(s);
}

static void an_answer_that_does_not_come_loses_the_connection_after_two_seconds(void **state)
{
	struct scene s;
	int64_t began = wait_now_ms();

	(void)state;
	setup(&s, freeze_then_wait);
	finish(&s);
	assert_in_range(wait_now_ms() - began, BUS_TIMEOUT_MS, 15000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_registers_listens_scans_and_beats_in_that_order),
		cmocka_unit_test(several_rings_come_as_one_call),
		cmocka_unit_test(a_beat_asked_for_comes_soon_and_tells_what_to_drop_and_to_stop),
		cmocka_unit_test(
			what_was_counted_goes_with_a_beat_each_few_seconds_however_much_it_is),
		cmocka_unit_test(a_cut_connection_is_made_again_without_registering_again),
		cmocka_unit_test(
			an_answer_that_does_not_come_loses_the_connection_after_two_seconds),
	};

	return cmocka_run_group_tests(tests, postgres_setup, postgres_teardown);
}
