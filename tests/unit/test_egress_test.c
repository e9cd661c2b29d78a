// SPDX-License-Identifier: Apache-2.0
// The steps of a test of an exit: what each does, what is a verdict and what is a failure, and what is given back.
// uses: agent/task/egress_test.c agent/evidence.c
#include "tests/unit/egress_test_fakes.h"

#define EXIT(label, endpoint) \
	"{\"label\":\"" label "\",\"wireguard_engine\":\"" label "\",\"endpoint\":\"" endpoint "\"}"
#define SPEC(more) "{\"exit\":" EXIT("x1", "e") ",\"tunnel\":{},\"verify\":{}" more "}"
#define OWNED "{\"exit\":{\"own_public_key\":\"k\"},\"tunnel\":{},\"verify\":{},\"host_id\":\"h\"}"
#define BOUND SPEC(",\"host_id\":\"h\"")

static int start(void **state)
{
	(void)state;
	fds_before = lowest_free_fd();
	memset(&answers, 0, sizeof(answers));
	sql.rows = 1;
	sql.text = SPEC(",\"host_id\":null,\"refusal\":null");
	agent.process_id = 7;
	exits_kind = &kind;
	hosts_exit = cJSON_Parse(EXIT("renamed", "e"));
	host = (struct host){.id = "h", .run = RUN_INIT, .yield_fd = eventfd(0, EFD_CLOEXEC)};
	host.run.exit.json = hosts_exit;
	params = cJSON_Parse("{\"egress_ip_id\":\"id\"}");
	task = (struct task){.id = "12",
		.program = &agent,
		.params = params,
		.result = cJSON_CreateObject(),
		.cancel_fd = eventfd(0, EFD_CLOEXEC)};
	err = (struct err){0};
	trace[0] = '\0';
	return 0;
}

static int stop(void **state)
{
	(void)state;
	egress_test_end(&task);
	assert_null(task.state);
	trace[0] = '\0';
	cJSON_Delete(params);
	cJSON_Delete(task.result);
	cJSON_Delete(hosts_exit);
	close(task.cancel_fd);
	close(host.yield_fd);
	assert_int_equal(lowest_free_fd(), fds_before);
	return 0;
}

static void again(void)
{
	stop(NULL);
	start(NULL);
}

static void begins(void)
{
	assert_int_equal(egress_test_begin(&task, &err), 0);
	assert_did("call id; ");
}

static char *told(void)
{
	cJSON_DeleteItemFromObject(task.result, "duration_ms");
	cJSON_DeleteItemFromObject(task.result, "checks");
	return json_print(task.result);
}

#define assert_told(expected) \
	do { \
		assert_true(cJSON_HasObjectItem(task.result, "duration_ms")); \
		assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(task.result, "checks")) > 0); \
		_cleanup_(freep) char *text = told(); \
		assert_string_equal(text, expected); \
	} while (0)

struct row {
	int *place;
	int answer;
	int result;
	const char *done;
};

static void a_test_begins_with_what_sql_says_of_the_exit(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, "call id; "},
		{&answers.call, -1, -1, "call id; "},
		{&answers.call, WAIT_CANCELED, WAIT_CANCELED, "call id; "},
		{&sql.rows, 0, -1,
			"call id; fail egress_ip_not_found for good: the exit has been deleted; "},
		{&answers.exit, -1, -1, "call id; fail settings_incomplete for good: unreadable; "},
		{&answers.budget, -1, -1,
			"call id; fail settings_incomplete for good: no budget; "},
		{&answers.settings, -1, -1,
			"call id; fail settings_incomplete for good: no settings; "},
		{&answers.whole, -1, -1, "call id; fail settings_incomplete for good: no zone; "},
	};
	static const char *const unusable[] = {"not JSON", "{}", "{\"exit\":{}}",
		"{\"exit\":{},\"tunnel\":{}}",
		"{\"exit\":{},\"tunnel\":{},\"verify\":{},\"host_id\":1}"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		if (rows[i].place)
			*rows[i].place = rows[i].answer;
		assert_int_equal(egress_test_begin(&task, &err), rows[i].result);
		assert_did(rows[i].done);
	}
	again();
	sql.text = NULL;
	assert_int_equal(egress_test_begin(&task, &err), -1);
	assert_did("call id; fail egress_ip_not_found for good: the exit has been deleted; ");
	for (size_t i = 0; i < ARRAY_SIZE(unusable); i++) {
		again();
		sql.text = unusable[i];
		assert_int_equal(egress_test_begin(&task, &err), -1);
		assert_non_null(strstr(trace, "call id; fail settings_incomplete for good: "));
	}
	again();
	cJSON_DeleteItemFromObject(params, "egress_ip_id");
	assert_int_equal(egress_test_begin(&task, &err), -1);
	assert_did("");
	again();
	sql.text = SPEC(",\"refusal\":\"accounts have the tests' ids\"");
	assert_int_equal(egress_test_begin(&task, &err), -1);
	assert_did("call id; fail machine_unfit for good: accounts have the tests' ids; ");
}

#define BUSY(why) "take h; fail host_busy and try again: " why "; "

static void a_test_needs_no_host_but_for_its_key_and_that_one_must_be_free(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, "take h; "},
		{&answers.take, WAIT_TIMEOUT, -1,
			BUSY("another task of the exit's host is under way")},
		{&answers.take, WAIT_CANCELED, WAIT_CANCELED, "take h; "},
		{&answers.take, -1, -1, "take h; "},
	};
	(void)state;
	begins();
	assert_int_equal(egress_test_host(&task, &err), 0);
	assert_did("");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		sql.text = BOUND;
		begins();
		host.seen = true;
		if (rows[i].place)
			*rows[i].place = rows[i].answer;
		assert_int_equal(egress_test_host(&task, &err), rows[i].result);
		assert_did(rows[i].done);
	}
	again();
	sql.text = BOUND;
	begins();
	assert_int_equal(egress_test_host(&task, &err), -1);
	assert_did("take h; have h inspected; fail host_busy and try again: "
		   "the exit's host has not been looked at yet; ");
	egress_test_end(&task);
	assert_did("close the tunnel; close the run; release; ");
}

// Of an exit whose host runs through it; returns what the step did.
static int asks_the_host(void)
{
	sql.text = BOUND;
	begins();
	host.run.number = 5;
	return egress_test_host(&task, &err);
}

static void the_tunnel_of_a_host_that_runs_is_checked_and_nothing_is_done_to_it(void **state)
{
	(void)state;
	assert_int_equal(asks_the_host(), TASK_DONE);
	assert_did("take h; check; ");
	assert_told("{\"outcome\":\"passed\",\"host_id\":\"h\"}");
	again();
	answers.checked = OUTCOME_FAILED;
	assert_int_equal(asks_the_host(), TASK_DONE);
	assert_did("take h; check; check run 5 soon; ");
	assert_told("{\"outcome\":\"failed\",\"error_code\":\"exit_mismatch\","
		    "\"message\":\"seen\",\"host_id\":\"h\"}");
	again();
	answers.check = -1;
	assert_int_equal(asks_the_host(), -1);
	assert_did("take h; check; fail internal: not checked; ");
	egress_test_end(&task);
	assert_did("close the tunnel; close the run; release; ");
}

static void a_host_that_leaves_through_what_the_exit_was_shows_nothing_of_it(void **state)
{
	(void)state;
	cJSON_ReplaceItemInObject(hosts_exit, "endpoint", cJSON_CreateString("another"));
	assert_int_equal(asks_the_host(), -1);
	assert_did(BUSY("the exit's host does not leave through what the exit is now: "
			"ask again when it has been moved"));
}

static void a_host_that_is_wanted_is_given_back_and_a_task_that_is_canceled_ends(void **state)
{
	(void)state;
	answers.is_wanted = true;
	assert_int_equal(asks_the_host(), -1);
	assert_did("take h; check; fail host_busy and try again: "
		   "another task of the exit's host came in between; ");
	again();
	answers.is_canceled = true;
	assert_int_equal(asks_the_host(), WAIT_CANCELED);
	assert_did("take h; check; ");
}

static void the_wall_is_loaded_in_a_namespace_of_its_own(void **state)
{
	(void)state;
	begins();
	assert_int_equal(egress_test_wall(&task, &err), 0);
	assert_did("new namespace; wall; ");
	again();
	answers.netns = -1;
	begins();
	assert_int_equal(egress_test_wall(&task, &err), -1);
	assert_did("new namespace; ");
	again();
	answers.wall = -1;
	begins();
	assert_int_equal(egress_test_wall(&task, &err), -1);
	assert_did("new namespace; wall; ");
}

#define OPENED "open h; tunnel t12 of user 0 with /data/hosts/h/wireguard.key; "
#define OWN "tunnel t12 of user 0 with no key; "

// Of an exit whose host, if it has one, does not run.
static int tunnel_of_host(const char *spec)
{
	sql.text = spec;
	begins();
	host.seen = true;
	assert_int_equal(egress_test_host(&task, &err), 0);
	trace[0] = '\0';
	return egress_test_tunnel(&task, &err);
}

static void the_tunnel_has_the_hosts_key_or_the_exits_own(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, OPENED},
		{&answers.open, -1, -1,
			"open h; fail tunnel_no_handshake: read the key of the exit's host: no directory; "},
		{&answers.keys, -1, -1,
			"open h; fail tunnel_no_handshake: read the key of the exit's host: no keys; "},
		{&answers.key, -1, -1,
			"open h; fail tunnel_no_handshake: read the key of the exit's host: no private key; "},
		{&answers.name, -1, -1,
			"open h; fail tunnel_no_handshake: \"12\" is not a task's id; "},
		{&answers.tunnel, -1, -1, OPENED "fail tunnel_no_handshake: no tunnel; "},
		{&answers.tunnel, TUNNEL_UNUSABLE, -1,
			OPENED "fail settings_incomplete for good: no tunnel; "},
		{&answers.tunnel, TUNNEL_UNFIT, -1,
			OPENED "fail machine_unfit for good: no tunnel; "},
		// It was never started.
		{&answers.tunnel, TUNNEL_ABSENT, -1,
			OPENED "fail tunnel_no_handshake: no tunnel; "},
		{&answers.tunnel, TUNNEL_UNANSWERED, -1,
			OPENED "fail tunnel_no_handshake: no tunnel; "},
	};
	(void)state;
	begins();
	assert_int_equal(egress_test_tunnel(&task, &err), 0);
	assert_did(OWN);
	again();
	assert_int_equal(tunnel_of_host(OWNED), 0);
	assert_did(OWN);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		if (rows[i].place)
			*rows[i].place = rows[i].answer;
		assert_int_equal(tunnel_of_host(BOUND), rows[i].result);
		assert_did(rows[i].done);
	}
	again();
	answers.is_begun = true;
	answers.tunnel = -1; // of our own, not the exit's
	begins();
	assert_int_equal(egress_test_tunnel(&task, &err), -1);
	assert_did(OWN "fail tunnel_no_handshake: no tunnel; ");
	again();
	answers.is_wanted = true;
	assert_int_equal(tunnel_of_host(BOUND), -1);
	assert_did(OPENED "fail host_busy and try again: "
			  "another task of the exit's host came in between; ");
	again();
	answers.is_canceled = true;
	begins();
	assert_int_equal(egress_test_tunnel(&task, &err), WAIT_CANCELED);
	assert_did(OWN);
}

static void an_exit_that_does_not_answer_is_a_verdict_and_nothing_else_is_asked(void **state)
{
	static const struct {
		const struct tunnel_kind *kind;
		int tunnel;
		const char *spec, *told;
	} rows[] = {
		{&kind, TUNNEL_UNANSWERED, BOUND,
			"\"tunnel_no_handshake\",\"message\":\"silence: register public key\""},
		{&kind, TUNNEL_UNANSWERED, OWNED,
			"\"tunnel_no_handshake\",\"message\":\"silence: register k\""},
		{&deaf_kind, TUNNEL_UNANSWERED, SPEC(""),
			"\"proxy_unreachable\",\"message\":\"silence: register nothing\""},
		{&deaf_kind, TUNNEL_ABSENT, SPEC(""),
			"\"proxy_unreachable\",\"message\":\"no tunnel\""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		exits_kind = rows[i].kind;
		answers.tunnel = rows[i].tunnel;
		answers.is_begun = true;
		assert_int_equal(tunnel_of_host(rows[i].spec), 0);
		trace[0] = '\0';
		assert_int_equal(egress_test_examine(&task, &err), 0);
		assert_int_equal(egress_test_verify(&task, &err), 0);
		assert_did("");
		assert_int_equal(egress_test_finish(&task, &err), 0);
		const cJSON *check = cJSON_GetObjectItem(task.result, "checks")->child;
		assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(check, "name")),
			rows[i].kind->reach ? "handshake" : "reach");
		_cleanup_(freep) char *expected =
			xasprintf("{\"outcome\":\"failed\",\"error_code\":%s}", rows[i].told);
		assert_told(expected);
	}
}

static void what_the_exit_shows_is_the_verdict(void **state)
{
	static const struct {
		enum outcome examined, verified;
		const char *done, *told;
	} rows[] = {
		{OUTCOME_PASSED, OUTCOME_PASSED, "examine; verify; ",
			"{\"outcome\":\"passed\",\"exit_ip\":\"198.51.100.7\"}"},
		{OUTCOME_PASSED, OUTCOME_FAILED, "examine; verify; ",
			"{\"outcome\":\"failed\",\"error_code\":\"exit_mismatch\","
			"\"message\":\"verified\",\"exit_ip\":\"198.51.100.7\"}"},
		{OUTCOME_INCONCLUSIVE, OUTCOME_PASSED, "examine; ",
			"{\"outcome\":\"inconclusive\",\"error_code\":\"inventory\","
			"\"message\":\"examined\"}"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		answers.examined = rows[i].examined;
		answers.verified = rows[i].verified;
		begins();
		assert_int_equal(egress_test_tunnel(&task, &err), 0);
		trace[0] = '\0';
		assert_int_equal(egress_test_examine(&task, &err), 0);
		assert_int_equal(egress_test_verify(&task, &err), 0);
		assert_did(rows[i].done);
		assert_int_equal(egress_test_finish(&task, &err), 0);
		assert_told(rows[i].told);
	}
	again();
	answers.examine = -1;
	begins();
	assert_int_equal(egress_test_tunnel(&task, &err), 0);
	assert_int_equal(egress_test_examine(&task, &err), -1);
	again();
	answers.verify = -1;
	begins();
	assert_int_equal(egress_test_tunnel(&task, &err), 0);
	assert_int_equal(egress_test_verify(&task, &err), -1);
}

static void a_verification_gives_way_to_the_host_too(void **state)
{
	(void)state;
	assert_int_equal(tunnel_of_host(BOUND), 0);
	assert_did(OPENED);
	answers.is_wanted = true;
	assert_int_equal(egress_test_verify(&task, &err), -1);
	assert_did("verify; fail host_busy and try again: "
		   "another task of the exit's host came in between; ");
}

static void everything_ends_in_reverse_and_once(void **state)
{
	(void)state;
	assert_int_equal(tunnel_of_host(BOUND), 0);
	assert_did(OPENED);
	assert_int_equal(egress_test_finish(&task, &err), 0);
	assert_did("close the tunnel; end t12; close the run; release; ");
	struct task next = task;
	assert_int_equal(egress_test_begin(&next, &err), 0);
	assert_int_equal(egress_test_tunnel(&next, &err), 0);
	trace[0] = '\0';
	egress_test_end(&task);
	assert_did("close the tunnel; close the run; ");
	assert_int_equal(lowest_free_fd(), fds_before + 2); // task.cancel_fd, host.yield_fd
	struct task third = next;
	assert_int_equal(egress_test_begin(&third, &err), 0);
	trace[0] = '\0';
	assert_int_equal(egress_test_tunnel(&third, &err), 0);
	assert_non_null(strstr(trace, "of user 1 ")); // the first is the next one's now
	egress_test_end(&third);
	egress_test_end(&next);
	trace[0] = '\0';
	egress_test_end(&task);
	assert_did("");
}

static void each_test_has_a_user_of_its_own_and_there_are_8(void **state)
{
	struct task others[USERS];
	char expected[64];
	(void)state;
	for (int i = 0; i < USERS; i++) {
		others[i] = task;
		assert_int_equal(egress_test_begin(&others[i], &err), 0);
		trace[0] = '\0';
		assert_int_equal(egress_test_tunnel(&others[i], &err), 0);
		snprintf(expected, sizeof(expected), "tunnel t12 of user %d with no key; ", i);
		assert_did(expected);
	}
	begins();
	assert_int_equal(egress_test_tunnel(&task, &err), -1);
	assert_did("fail tunnel_no_handshake: as many exits are being tested as can be at once; ");
	egress_test_end(&others[3]);
	trace[0] = '\0';
	assert_int_equal(egress_test_tunnel(&task, &err), 0);
	assert_did("tunnel t12 of user 3 with no key; ");
	for (int i = 0; i < USERS; i++)
		egress_test_end(&others[i]);
}

// Which may still run as that user. The last of all tests: no agent has its user again.
static void a_tunnel_that_does_not_end_keeps_its_user(void **state)
{
	(void)state;
	begins();
	assert_int_equal(egress_test_tunnel(&task, &err), 0);
	answers.end = -1;
	trace[0] = '\0';
	egress_test_end(&task);
	assert_did("close the tunnel; end t12; log the tunnel of a test could not be ended; "
		   "close the run; ");
	again();
	begins();
	assert_int_equal(egress_test_tunnel(&task, &err), 0);
	assert_did("tunnel t12 of user 1 with no key; ");
}

static void what_a_dead_agents_tests_have_left_is_ended_at_the_start(void **state)
{
	static const char *const names[] = {"t1", "c2", "t3", NULL};
	(void)state;
	listed = names;
	egress_test_sweep(&agent);
	assert_did("end t1; end t3; ");
	answers.end = -1;
	egress_test_sweep(&agent);
	assert_did("end t1; log the tunnel of a test could not be ended; "
		   "end t3; log the tunnel of a test could not be ended; ");
	listed = NULL;
	egress_test_sweep(&agent);
	assert_did("log the tunnels that tests have left are not known; ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_test_begins_with_what_sql_says_of_the_exit),
		TEST(a_test_needs_no_host_but_for_its_key_and_that_one_must_be_free),
		TEST(the_tunnel_of_a_host_that_runs_is_checked_and_nothing_is_done_to_it),
		TEST(a_host_that_leaves_through_what_the_exit_was_shows_nothing_of_it),
		TEST(a_host_that_is_wanted_is_given_back_and_a_task_that_is_canceled_ends),
		TEST(the_wall_is_loaded_in_a_namespace_of_its_own),
		TEST(the_tunnel_has_the_hosts_key_or_the_exits_own),
		TEST(an_exit_that_does_not_answer_is_a_verdict_and_nothing_else_is_asked),
		TEST(what_the_exit_shows_is_the_verdict),
		TEST(a_verification_gives_way_to_the_host_too),
		TEST(everything_ends_in_reverse_and_once),
		TEST(each_test_has_a_user_of_its_own_and_there_are_8),
		TEST(what_a_dead_agents_tests_have_left_is_ended_at_the_start),
		TEST(a_tunnel_that_does_not_end_keeps_its_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
