// SPDX-License-Identifier: Apache-2.0
// What every task on a host begins with, how it fails, and what a failure leaves behind.
// uses: agent/task/host_task.c agent/evidence.c
#include "tests/unit/agent_fakes.h"
#include "tests/unit/db_fakes.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/host/guard.h"
#include "agent/task/host_task.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/mem.h"

#define HOST_ID "0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c11"

static struct {
	int take, call, read, make;
	int make_errno;
} answers;

static struct agent agent;
static struct host host;
static struct host_spec spec;
static struct task task;

struct wait task_wait(const struct task *t, int timeout_ms)
{
	(void)t;
	return wait_for(timeout_ms, -1);
}

int task_fail(struct task *t, const char *error_code, enum task_retry retry)
{
	t->error_code = error_code;
	did("fail %s%s", error_code, retry == TASK_RETRY_NO ? " for good" : "");
	return -1;
}

int task_call(struct task *t, const struct db_call *call, struct pg_result **ret, struct err *e)
{
	(void)t;
	(void)ret;
	assert_string_equal(call->params[0], HOST_ID);
	did("call");
	return result(answers.call, "no database", e);
}

int host_spec_read(const char *json, struct host_spec **ret, struct err *e)
{
	assert_string_equal(json, "{}");
	*ret = &spec;
	return result(answers.read, "unreadable", e);
}

void guard_set_spec(struct agent *a, struct host *h, struct host_spec *s)
{
	(void)a;
	h->spec = s;
	did("set spec");
}

void docker_free(struct docker *d)
{
	(void)d;
	did("docker_free");
}

int host_take(
	struct hosts *hosts, const char *id, const struct wait *w, struct host **ret, struct err *e)
{
	(void)hosts;
	(void)id;
	(void)w;
	did("take");
	if (answers.take == 0)
		*ret = &host;
	return result(answers.take, "it is taken", e);
}

void run_close(struct run *run)
{
	(void)run;
	did("run_close");
}

void exit_copy_done(struct exit_copy *copy)
{
	(void)copy;
}

void home_done(struct home *h)
{
	(void)h;
	did("home_done");
}

int home_make(const struct store *store, const char *host_id, int64_t limit_gb,
	const struct wait *w, struct err *e)
{
	(void)store;
	(void)host_id;
	(void)w;
	assert_int_equal(limit_gb, 3);
	did("home");
	int r = result(answers.make, "no home", e);
	if (answers.make_errno)
		e->code = answers.make_errno;
	return r;
}

int outbox_flush(
	struct outbox *box, struct db *db, int64_t process_id, const struct wait *w, struct err *e)
{
	(void)box;
	(void)db;
	(void)process_id;
	(void)w;
	did("flush");
	return err_say(e, EIO, "a report that waits changes nothing");
}

int wall_close(struct wall *w, struct err *e)
{
	(void)w;
	did("wall_close");
	return err_say(e, EIO, "a wall that cannot be closed changes nothing");
}

bool run_is_dead(const struct run *run)
{
	return run->pid < 0;
}

int64_t outbox_sequence(struct outbox *box)
{
	(void)box;
	return 5;
}

void hosts_schedule_inspection(struct hosts *hosts, const char *id, int pause_ms)
{
	(void)hosts;
	assert_string_equal(id, task.host_id);
	assert_int_equal(pause_ms, 0);
	did("inspect");
}

static void task_make(const char *kind)
{
	task = (struct task){.id = "t", .host_id = HOST_ID, .program = &agent};
	snprintf(task.kind, sizeof(task.kind), "%s", kind);
}

static int start(void **state)
{
	(void)state;
	memset(&answers, 0, sizeof(answers));
	sql.rows = 1;
	sql.text = "{}";
	spec = (struct host_spec){.disk_limit_gb = 3};
	host = (struct host){.id = HOST_ID, .spec = &spec};
	task_make("host.start");
	trace[0] = '\0';
	return 0;
}

static int stop(void **state)
{
	(void)state;
	host_task_end(&task);
	return 0;
}

#define ENDED "inspect; run_close; home_done; docker_free; "

static void a_task_takes_its_host_and_reads_its_spec(void **state)
{
	struct err e;
	(void)state;
	int first_free_fd = lowest_free_fd();
	assert_int_equal(host_task_begin(&task, &e), 0);
	assert_did("take; call; set spec; ");
	struct host_task *ht = task.state;
	assert_non_null(ht->docker);
	assert_int_equal(ht->gate_fd, -1);
	ht->gate_fd = eventfd(0, EFD_CLOEXEC);
	host_task_end(&task);
	assert_int_equal(lowest_free_fd(), first_free_fd);
	assert_did(ENDED "release; ");
	host_task_end(&task);
	assert_did("");
}

static void what_ends_a_host_needs_no_spec(void **state)
{
	static const char *const kinds[] = {"host.stop", "host.delete"};
	struct err e;
	(void)state;
	answers.call = -1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		task_make(kinds[i]);
		assert_int_equal(host_task_begin(&task, &e), 0);
		assert_did("take; ");
		host_task_end(&task);
		assert_did(ENDED "release; ");
	}
}

static void a_task_that_cannot_begin_says_why(void **state)
{
	static const struct {
		int *place;
		int answer, result;
		const char *done;
	} rows[] = {
		{&answers.take, WAIT_TIMEOUT, WAIT_TIMEOUT, "take; "},
		{&answers.take, WAIT_CANCELED, WAIT_CANCELED, "take; "},
		{&answers.call, -1, -1, "take; call; "},
		{&answers.call, WAIT_CANCELED, WAIT_CANCELED, "take; call; "},
		{&sql.rows, 0, -1, "take; call; "},
		{&answers.read, -1, -1, "take; call; fail settings_incomplete for good; "},
	};
	struct err e;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(state);
		*rows[i].place = rows[i].answer;
		assert_int_equal(host_task_begin(&task, &e), rows[i].result);
		assert_did(rows[i].done);
		host_task_end(&task);
	}
	start(state);
	sql.text = NULL;
	assert_int_equal(host_task_begin(&task, &e), -1);
	assert_string_equal(e.message, "the database does not know this host");
	host_task_end(&task);
	start(state);
	task.host_id[0] = '\0';
	assert_int_equal(host_task_begin(&task, &e), -1);
	assert_did("");
}

static struct host_task *begin(void)
{
	struct err e;
	assert_int_equal(host_task_begin(&task, &e), 0);
	trace[0] = '\0';
	return task.state;
}

static void a_failure_becomes_evidence_unless_a_check_has_failed_already(void **state)
{
	struct host_task *ht = begin();
	struct err e;
	(void)state;
	err_note(&e, EIO, "first");
	assert_int_equal(host_task_fail(&task, "leak", &e), -1);
	assert_did("fail leak; ");
	assert_string_equal(ht->ev.code, "leak");
	assert_string_equal(ht->ev.sentence, "first");
	err_note(&e, EIO, "second");
	assert_int_equal(host_task_refuse(&task, "image_missing", &e), -1);
	assert_did("fail image_missing for good; ");
	assert_string_equal(ht->ev.code, "leak");
	assert_int_equal(cJSON_GetArraySize(ht->ev.checks), 1);
	host_task_end(&task);
	ht = begin();
	assert_int_equal(host_task_refuse(&task, "image_missing", &e), -1);
	assert_string_equal(ht->ev.code, "image_missing");
}

static void failed_evidence_names_the_failure_by_its_heaviest_check(void **state)
{
	static const struct {
		const char *code, *named;
	} rows[] = {{"exit_mismatch", "fail exit_mismatch for good; "},
		{"disk_full", "fail disk_full for good; "},
		{"image_missing", "fail image_missing for good; "},
		{"made_up", "fail internal for good; "}};
	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct evidence ev;
		struct err e;
		evidence_init(&ev);
		evidence_add(&ev, "x", OUTCOME_FAILED, rows[i].code, 0, "why");
		assert_int_equal(host_task_fail_evidence(&task, &ev, &e), -1);
		assert_did(rows[i].named);
		assert_string_equal(e.message, "why");
		evidence_done(&ev);
	}
}

static void a_full_disk_is_named(void **state)
{
	struct err e;
	(void)state;
	begin();
	err_note(&e, ENOSPC, "full");
	assert_int_equal(host_task_fail_files(&task, &e), -1);
	assert_did("fail disk_full; ");
	err_note(&e, EACCES, "no");
	assert_int_equal(host_task_fail_files(&task, &e), -1);
	assert_did("fail internal; ");
}

static void dockers_answers_are_passed_on_or_fail(void **state)
{
	struct err e;
	(void)state;
	begin();
	err_note(&e, EIO, "no");
	assert_int_equal(host_task_docker(&task, 0, &e), 0);
	assert_int_equal(host_task_docker(&task, WAIT_CANCELED, &e), WAIT_CANCELED);
	assert_did("");
	assert_int_equal(host_task_docker(&task, WAIT_TIMEOUT, &e), -1);
	assert_int_equal(host_task_docker(&task, -1, &e), -1);
	assert_did("fail docker_failed; fail docker_failed; ");
}

static void a_home_fails_by_its_reason(void **state)
{
	static const struct {
		int answer, code, result;
		const char *done;
	} rows[] = {
		{0, 0, 0, "home; "},
		{WAIT_CANCELED, 0, WAIT_CANCELED, "home; "},
		{-1, ERANGE, -1, "home; fail settings_incomplete for good; "},
		{-1, ENOSPC, -1, "home; fail disk_full; "},
		{-1, EIO, -1, "home; fail internal; "},
		{WAIT_TIMEOUT, ERANGE, -1, "home; fail internal; "},
	};
	struct err e;
	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		answers.make = rows[i].answer;
		answers.make_errno = rows[i].code;
		assert_int_equal(host_task_home(&task, &e), rows[i].result);
		assert_did(rows[i].done);
	}
}

// w: the wall is there; e: the evidence has failed; s: it was stored already.
static void a_failure_leaves_nothing_that_runs(void **state)
{
	static const struct {
		const char *is;
		enum task_end why;
		const char *done;
	} rows[] = {
		{"", TASK_FAILED, "end; observe stopped (leak); flush; "},
		{"w", TASK_FAILED, "wall_close; end; observe stopped (leak); flush; "},
		{"e", TASK_FAILED,
			"end; verified start of t failed; observe stopped (leak); flush; "},
		{"es", TASK_FAILED, "end; observe stopped (leak); flush; "},
		{"we", TASK_CANCELED, "wall_close; end; observe stopped (); flush; "},
		{"", TASK_HANDED_BACK, "end; observe stopped (); flush; "},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(state);
		struct host_task *ht = begin();
		ht->ended = true;
		ht->run.ns_fd = strchr(rows[i].is, 'w') ? 0 : -1;
		ht->ev_stored = strchr(rows[i].is, 's');
		if (strchr(rows[i].is, 'e'))
			evidence_add(&ht->ev, "x", OUTCOME_FAILED, "leak", 0, "why");
		task.error_code = "leak";
		host_task_undo(&task, rows[i].why);
		assert_did(rows[i].done);
		host_task_end(&task);
	}
}

static void an_end_that_fails_is_logged(void **state)
{
	struct host_task *ht = begin();
	(void)state;
	ht->ended = true;
	end_result = -1;
	host_task_undo(&task, TASK_CANCELED);
	end_result = 0;
	assert_did("end; log ending a host failed; flush; ");
	assert_false(ht->down);
}

// What runs, what this task has ended: everything else is not known and looked at.
static void a_task_says_what_it_leaves(void **state)
{
	static const struct {
		unsigned number;
		pid_t pid; // dead: below 0
		bool down;
		const char *left;
	} rows[] = {
		{0, 0, false, NULL},
		{0, 0, true, "stopped"},
		{7, 1, false, "running"},
		{7, 1, true, "running"},
		{7, -1, false, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(state);
		struct host_task *ht = begin();
		host.run.number = rows[i].number;
		host.run.pid = rows[i].pid;
		ht->down = rows[i].down;
		host_task_end(&task);
		if (rows[i].left) {
			assert_string_equal(task.left, rows[i].left);
			assert_int_equal(task.left_sequence, 5);
			assert_did("run_close; home_done; docker_free; release; ");
		} else {
			assert_null(task.left);
			assert_did(ENDED "release; ");
		}
	}
	start(state);
	struct host_task *ht = begin();
	ht->ended = true;
	host_task_undo(&task, TASK_CANCELED);
	host_task_end(&task);
	assert_string_equal(task.left, "stopped");
}

static void the_spec_is_asked_for_again(void **state)
{
	struct err e;
	(void)state;
	begin();
	assert_int_equal(host_task_spec(&task, &e), 0);
	assert_did("call; set spec; ");
	answers.call = WAIT_CANCELED;
	assert_int_equal(host_task_spec(&task, &e), WAIT_CANCELED);
	assert_did("call; ");
}

static void what_the_task_has_not_touched_stays(void **state)
{
	struct err e;
	(void)state;
	begin();
	host_task_undo(&task, TASK_FAILED);
	assert_did("");
	host_task_end(&task);
	answers.take = WAIT_TIMEOUT;
	assert_int_equal(host_task_begin(&task, &e), WAIT_TIMEOUT);
	((struct host_task *)task.state)->ended = true;
	trace[0] = '\0';
	host_task_undo(&task, TASK_FAILED);
	assert_did("");
	host_task_end(&task);
	assert_did(ENDED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_task_takes_its_host_and_reads_its_spec),
		TEST(what_ends_a_host_needs_no_spec),
		TEST(a_task_that_cannot_begin_says_why),
		TEST(a_failure_becomes_evidence_unless_a_check_has_failed_already),
		TEST(failed_evidence_names_the_failure_by_its_heaviest_check),
		TEST(a_full_disk_is_named),
		TEST(dockers_answers_are_passed_on_or_fail),
		TEST(a_home_fails_by_its_reason),
		TEST(a_failure_leaves_nothing_that_runs),
		TEST(an_end_that_fails_is_logged),
		TEST(a_task_says_what_it_leaves),
		TEST(the_spec_is_asked_for_again),
		TEST(what_the_task_has_not_touched_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
