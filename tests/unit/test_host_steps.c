// SPDX-License-Identifier: Apache-2.0
// The steps of all host tasks but the start's own: what each does and how it fails.
// uses: agent/task/steps.c agent/task/create.c agent/task/rebuild.c agent/task/delete.c
// uses: agent/task/verify.c agent/evidence.c
#include "tests/unit/agent_fakes.h"
#include "tests/unit/db_fakes.h"

#include <stdlib.h>

#include "agent/agent.h"
#include "agent/container/image.h"
#include "agent/host/guard.h"
#include "agent/store/keys.h"
#include "agent/store/layer.h"
#include "agent/store/trash.h"
#include "agent/task/create.h"
#include "agent/task/delete.h"
#include "agent/task/host_task.h"
#include "agent/task/rebuild.h"
#include "agent/task/start.h"
#include "agent/task/steps.h"
#include "agent/task/verify.h"
#include "lib/db.h"
#include "lib/mem.h"

static struct {
	int remove, image, pin; // steps
	int open, keys, home; // create
	int trash, remove_system, wish, prepare; // rebuild
	int probe, unmount, remove_keys; // delete
	int inspect, adopt, guard, check, layer; // verify
	enum outcome checked;
	bool holds;
} answers;

static bool is_running = true; // the container
static struct agent agent;
static struct host host;
static struct host_spec spec;
static struct host_task ht;
static struct task task;

struct wait task_wait(const struct task *t, int timeout_ms)
{
	(void)t;
	return wait_for(timeout_ms, -1);
}

int task_fail(struct task *t, const char *error_code, enum task_retry retry)
{
	(void)t;
	did("fail %s%s", error_code, retry == TASK_RETRY_NO ? " for good" : "");
	return -1;
}

int host_task_fail(struct task *t, const char *code, struct err *e)
{
	(void)t;
	did("fail %s: %s", code, e->message);
	return -1;
}

int host_task_fail_files(struct task *t, struct err *e)
{
	return host_task_fail(t, "files", e);
}

int host_task_fail_evidence(struct task *t, const struct evidence *ev, struct err *e)
{
	(void)t;
	(void)ev;
	(void)e;
	did("judged");
	return -1;
}

int host_task_docker(struct task *t, int r, struct err *e)
{
	return r == 0 || r == WAIT_CANCELED ? r : host_task_fail(t, "docker", e);
}

int host_task_home(struct task *t, struct err *e)
{
	(void)t;
	did("home");
	return result(answers.home, "no home", e);
}

void host_task_flush_reports(struct task *t)
{
	(void)t;
	did("flush");
}

int host_task_spec(struct task *t, struct err *e)
{
	(void)t;
	did("spec");
	return result(answers.wish, "no spec", e);
}

int start_prepare(struct task *t, struct err *e)
{
	(void)t;
	did("prepare");
	return result(answers.prepare, "not prepared", e);
}

void container_name(const struct container_owner *owner, const char *host_id,
	char ret[static CONTAINER_NAME_SIZE])
{
	(void)owner;
	snprintf(ret, CONTAINER_NAME_SIZE, "%s", host_id);
}

int docker_remove(struct docker *d, const char *id, const struct wait *w, struct err *e)
{
	(void)d;
	(void)w;
	did("remove %s", id);
	return result(answers.remove, "not removed", e);
}

int docker_inspect(struct docker *d, const char *id, const struct wait *w,
	struct docker_container *ret, struct err *e)
{
	(void)d;
	(void)w;
	did("inspect %s", id);
	ret->running = is_running;
	strcpy(ret->upper, "/o/diff");
	return result(answers.inspect, "not inspected", e);
}

int layer_empty(const char *path, const struct wait *w, struct err *e)
{
	(void)w;
	did("empty %s", path);
	return result(answers.layer, "not emptied", e);
}

int image_check(const struct image_request *request, struct docker *d, const struct wait *w,
	char ret_id[static DOCKER_IMAGE_SIZE], struct err *e)
{
	(void)d;
	(void)w;
	did("image %s", request->image);
	strcpy(ret_id, "sha256:id");
	return result(answers.image, "no image", e);
}

int image_probe_remove(const struct container_owner *owner, const char *host_id, struct docker *d,
	const struct wait *w, struct err *e)
{
	(void)owner;
	(void)host_id;
	(void)d;
	(void)w;
	did("remove probe");
	return result(answers.probe, "no probe", e);
}

int task_call(struct task *t, const struct db_call *call, struct pg_result **ret, struct err *e)
{
	(void)t;
	(void)ret;
	did("pin %s", call->params[2]);
	return result(answers.pin, "no database", e);
}

int home_open(
	const struct store *store, const char *host_id, bool make, struct home *ret, struct err *e)
{
	(void)store;
	(void)host_id;
	(void)ret;
	assert_true(make);
	did("open");
	return result(answers.open, "no directory", e);
}

int keys_make(int dir_fd, int etc_fd, struct keys_public *ret, struct err *e)
{
	(void)dir_fd;
	(void)etc_fd;
	strcpy(ret->wireguard, "public");
	strcpy(ret->ssh_host, "ssh");
	did("keys");
	return result(answers.keys, "no keys", e);
}

int home_trash(const struct store *store, const char *host_id, struct err *e)
{
	(void)store;
	(void)host_id;
	did("trash");
	return result(answers.trash, "not moved", e);
}

int home_remove_system(const struct store *store, const char *host_id, struct err *e)
{
	(void)store;
	(void)host_id;
	did("remove system");
	return result(answers.remove_system, "system stays", e);
}

int home_unmount(const struct store *store, const char *host_id, struct err *e)
{
	(void)store;
	(void)host_id;
	did("unmount");
	return result(answers.unmount, "not unmounted", e);
}

int home_remove_keys(const struct store *store, const char *host_id, struct err *e)
{
	(void)store;
	(void)host_id;
	did("remove keys");
	return result(answers.remove_keys, "keys stay", e);
}

void trash_sweep(struct pool *pool, const struct store *store)
{
	(void)pool;
	(void)store;
	did("sweep");
}

void host_forget(struct hosts *hosts, struct host *h)
{
	(void)hosts;
	(void)h;
	did("forget");
}

int run_adopt(const struct run_found *found, const struct wait *w, struct run *ret, struct err *e)
{
	(void)found;
	(void)w;
	*ret = RUN_INIT;
	did("adopt");
	return result(answers.adopt, "not whole", e);
}

void host_set_run(struct hosts *hosts, struct host *h, const struct run *run)
{
	(void)hosts;
	(void)h;
	(void)run;
	did("set run");
}

int guards_begin(struct guards *guards, const struct host *h, struct err *e)
{
	(void)guards;
	(void)h;
	did("guard");
	return result(answers.guard, "no watch", e);
}

#include "tests/unit/verify_fakes.h"

static int start(void **state)
{
	(void)state;
	memset(&answers, 0, sizeof(answers));
	sql.text = "ok";
	answers.holds = true;
	end_result = 0;
	end_exists = true;
	spec = (struct host_spec){.image = "name:tag", .wanted = "running"};
	host = (struct host){.id = "h", .spec = &spec};
	ht = (struct host_task){.agent = &agent, .host = &host};
	evidence_init(&ht.ev);
	task = (struct task){
		.id = "t", .host_id = "h", .state = &ht, .result = cJSON_CreateObject()};
	task.params = cJSON_CreateObject();
	trace[0] = '\0';
	return 0;
}

static int stop(void **state)
{
	(void)state;
	evidence_done(&ht.ev);
	cJSON_Delete(task.result);
	cJSON_Delete((cJSON *)(uintptr_t)task.params);
	return 0;
}

static void again(void)
{
	stop(NULL);
	start(NULL);
}

struct row {
	int *place;
	int answer;
	int result;
	const char *done;
};

// Runs the step once per row, with this one answer changed.
static void try_rows(int (*step)(struct task *, struct err *), const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct err e = {0};
		again();
		if (rows[i].place)
			*rows[i].place = rows[i].answer;
		int r = step(&task, &e);
		if (r != rows[i].result)
			fail_msg("row %zu: %d, expected %d", i, r, rows[i].result);
		assert_did(rows[i].done);
	}
}

static void an_end_is_observed_by_whether_there_is_a_container(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, "end; observe stopped (); "},
		{&end_result, -1, -1, "end; fail docker_failed: no end; "},
	};
	struct err e;
	(void)state;
	try_rows(step_end, rows, ARRAY_SIZE(rows));
	assert_true(ht.ended); // before it was tried
	again();
	end_exists = false;
	assert_int_equal(step_end(&task, &e), 0);
	assert_did("end; observe absent (); ");
}

// What users changed of the image goes first.
static void a_removal_is_observed(void **state)
{
#define EMPTIED "inspect h; empty /o/diff; "
	const struct row rows[] = {
		{NULL, 0, 0, EMPTIED "remove h; observe absent (); "},
		{&answers.inspect, DOCKER_ABSENT, 0, "inspect h; remove h; observe absent (); "},
		{&answers.inspect, -1, -1, "inspect h; fail docker: not inspected; "},
		{&answers.layer, -1, -1, EMPTIED "fail docker: not emptied; "},
		{&answers.layer, WAIT_CANCELED, WAIT_CANCELED, EMPTIED},
		{&answers.remove, WAIT_CANCELED, WAIT_CANCELED, EMPTIED "remove h; "},
		{&answers.remove, -1, -1, EMPTIED "remove h; fail docker: not removed; "},
	};
	(void)state;
	is_running = false;
	try_rows(step_remove, rows, ARRAY_SIZE(rows));
	is_running = true;
}

static void an_image_is_looked_through_and_pinned(void **state)
{
	const struct row image[] = {
		{&answers.image, IMAGE_UNFIT, -1, "image name:tag; fail image_missing for good; "},
		{&answers.image, WAIT_CANCELED, WAIT_CANCELED, "image name:tag; "},
		{&answers.image, -1, -1, "image name:tag; fail docker: no image; "},
		{NULL, 0, 0, "image name:tag; "},
	};
	const struct row pin[] = {
		{NULL, 0, 0, "pin ; "},
		{&answers.pin, -1, -1, "pin ; "},
		{&answers.pin, WAIT_CANCELED, WAIT_CANCELED, "pin ; "},
	};
	struct err e;
	(void)state;
	try_rows(step_image, image, ARRAY_SIZE(image));
	assert_string_equal(spec.image_id, "sha256:id");
	assert_string_equal(cJSON_GetObjectItem(task.result, "image_id")->valuestring, "sha256:id");
	try_rows(step_pin_image, pin, ARRAY_SIZE(pin));
	again();
	sql.text = "stale";
	assert_int_equal(step_pin_image(&task, &e), -1);
	assert_int_equal(e.code, ESTALE);
}

static void a_new_host_gets_keys_and_a_home(void **state)
{
	const struct row rows[] = {
		{&answers.open, -1, -1, "open; fail files: no directory; "},
		{&answers.keys, -1, -1, "open; keys; fail files: no keys; "},
		{&answers.home, -1, -1, "open; keys; home; "},
		{&answers.home, WAIT_CANCELED, WAIT_CANCELED, "open; keys; home; "},
		{NULL, 0, 0, "open; keys; home; "},
	};
	(void)state;
	try_rows(create_keys, rows, ARRAY_SIZE(rows));
	assert_string_equal(
		cJSON_GetObjectItem(task.result, "wg_public_key")->valuestring, "public");
	assert_string_equal(cJSON_GetObjectItem(task.result, "ssh_host_key")->valuestring, "ssh");
}

static void param(const char *name, cJSON *value)
{
	cJSON_AddItemToObject((cJSON *)(uintptr_t)task.params, name, value);
}

static void a_rebuild_keeps_or_wipes_the_home(void **state)
{
	struct err e;
	(void)state;
	assert_int_equal(rebuild_home(&task, &e), 0);
	assert_did("remove system; sweep; home; ");
	again();
	param("mode", cJSON_CreateString("keep"));
	assert_int_equal(rebuild_home(&task, &e), 0);
	assert_did("remove system; sweep; home; ");
	again();
	param("mode", cJSON_CreateString("wipe"));
	assert_int_equal(rebuild_home(&task, &e), 0);
	assert_did("trash; remove system; sweep; home; ");
	again();
	param("mode", cJSON_CreateString("wipe"));
	answers.trash = -1;
	assert_int_equal(rebuild_home(&task, &e), -1);
	assert_did("trash; ");
	again();
	answers.remove_system = -1;
	assert_int_equal(rebuild_home(&task, &e), -1);
	assert_did("remove system; ");
	again();
	param("mode", cJSON_CreateNumber(1));
	assert_int_equal(rebuild_home(&task, &e), -1);
	assert_did("");
}

static void a_rebuilt_host_starts_when_it_is_wanted(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, "spec; prepare; "},
		{&answers.wish, -1, -1, "spec; "},
		{&answers.wish, WAIT_CANCELED, WAIT_CANCELED, "spec; "},
		{&answers.prepare, -1, -1, "spec; prepare; "},
	};
	struct err e;
	(void)state;
	try_rows(rebuild_start, rows, ARRAY_SIZE(rows));
	again();
	strcpy(spec.wanted, "stopped");
	assert_int_equal(rebuild_start(&task, &e), TASK_DONE);
	assert_did("spec; ");
}

static void a_deleted_host_leaves_no_container(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, "inspect h; remove h; observe absent (); remove probe; "},
		{&answers.remove, -1, -1, "inspect h; remove h; fail docker: not removed; "},
		{&answers.probe, -1, -1,
			"inspect h; remove h; observe absent (); remove probe; fail docker: no probe; "},
	};
	(void)state;
	try_rows(delete_containers, rows, ARRAY_SIZE(rows));
}

static void a_deletion_wipes_the_home_when_it_is_told_to(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, "remove system; unmount; remove keys; sweep; forget; "},
		{&answers.remove_system, -1, -1, "remove system; "},
		{&answers.unmount, -1, -1, "remove system; unmount; "},
		{&answers.remove_keys, -1, -1, "remove system; unmount; remove keys; "},
	};
	cJSON *const wipes[] = {cJSON_CreateTrue(), cJSON_CreateString("true")};
	cJSON *const keeps[] = {cJSON_CreateFalse(), cJSON_CreateString("false"),
		cJSON_CreateNumber(1), cJSON_CreateNull()};
	struct err e;
	(void)state;
	try_rows(delete_files, rows, ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(keeps); i++) {
		again();
		param("wipe", keeps[i]);
		assert_int_equal(delete_files(&task, &e), 0);
		assert_did("remove system; unmount; remove keys; sweep; forget; ");
	}
	for (size_t i = 0; i < ARRAY_SIZE(wipes); i++) {
		again();
		param("wipe", wipes[i]);
		answers.trash = i == 0 ? 0 : -1;
		assert_int_equal(delete_files(&task, &e), i == 0 ? 0 : -1);
		assert_did(i == 0 ? "remove system; unmount; trash; remove keys; sweep; forget; "
				  : "remove system; unmount; trash; ");
	}
}

#define ADOPTED "inspect h; adopt; set run; guard; "

static void a_verification_adopts_what_the_agent_does_not_know_yet(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, ADOPTED "check; judge task t; flush; "},
		{&answers.inspect, DOCKER_ABSENT, -1,
			"inspect h; fail inventory: nothing of the host runs; "},
		{&answers.inspect, WAIT_TIMEOUT, -1, "inspect h; fail docker: not inspected; "},
		{&answers.inspect, WAIT_CANCELED, WAIT_CANCELED, "inspect h; "},
		{&answers.adopt, -1, -1, "inspect h; adopt; fail inventory: not whole; "},
		{&answers.adopt, WAIT_CANCELED, WAIT_CANCELED, "inspect h; adopt; "},
		{&answers.guard, -1, -1, ADOPTED "fail inventory: no watch; "},
	};
	struct err e;
	(void)state;
	try_rows(verify_exit, rows, ARRAY_SIZE(rows));
	assert_true(ht.ended); // so that nothing of it is left
	again();
	is_running = false;
	assert_int_equal(verify_exit(&task, &e), -1);
	assert_did("inspect h; fail inventory: nothing of the host runs; ");
	is_running = true;
}

static void a_verification_of_what_runs_is_judged(void **state)
{
	static const struct {
		int check;
		enum outcome checked;
		bool holds;
		int result;
		const char *done;
	} rows[] = {
		{0, OUTCOME_PASSED, true, 0, "check; judge task t; flush; "},
		{0, OUTCOME_INCONCLUSIVE, true, -1,
			"check; judge task t; flush; check 7 soon; judged; "},
		{0, OUTCOME_INCONCLUSIVE, false, -1, "check; judge task t; flush; judged; "},
		{0, OUTCOME_FAILED, false, -1, "check; judge task t; flush; judged; "},
		{-1, OUTCOME_INCONCLUSIVE, true, -1,
			"check; judge task t; flush; check 7 soon; judged; "},
		{WAIT_CANCELED, OUTCOME_PASSED, true, WAIT_CANCELED, "check; "},
	};
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		host.run.number = 7;
		answers.check = rows[i].check;
		answers.checked = rows[i].checked;
		answers.holds = rows[i].holds;
		assert_int_equal(verify_exit(&task, &e), rows[i].result);
		assert_did(rows[i].done);
		assert_false(ht.ended);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_end_is_observed_by_whether_there_is_a_container),
		TEST(a_removal_is_observed),
		TEST(an_image_is_looked_through_and_pinned),
		TEST(a_new_host_gets_keys_and_a_home),
		TEST(a_rebuild_keeps_or_wipes_the_home),
		TEST(a_rebuilt_host_starts_when_it_is_wanted),
		TEST(a_deleted_host_leaves_no_container),
		TEST(a_deletion_wipes_the_home_when_it_is_told_to),
		TEST(a_verification_adopts_what_the_agent_does_not_know_yet),
		TEST(a_verification_of_what_runs_is_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
