// SPDX-License-Identifier: Apache-2.0
// The tables of all task kinds, and the small kinds themselves.
#include "agent/kinds.h"

#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/check.h"
#include "agent/image.h"
#include "agent/keys.h"
#include "agent/live.h"
#include "agent/outbox.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { CHECK_MS = 15000, REMOVE_MS = 20000 };

// Told as soon as nothing of the former image is left: whatever happens to the task from here on,
// the next container is of this one.
static int pin_image(struct task *task, struct err *e)
{
	const struct work *work = task->state;
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct db_number lease = db_number(task->lease);
	int r = task_call(task,
		DB_CALL("select host.pin_image($1, $2, $3)", task->id, lease.text,
			work->host->spec->image_id),
		&rows, e);

	if (r == 0 && strcmp(db_text(rows, 0, 0), "ok") != 0)
		return err_say(e, ESTALE, "the task is not ours any more");
	return r;
}

// host.create: keys and home. The public halves are what the database gets.
static int create_keys(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct keys_public keys;
	int r;

	if (home_open(work->agent, task->host_id, true, &work->home, e) < 0 ||
		keys_make(work->home.dir_fd, work->home.etc_fd, &keys, e) < 0)
		return work_fail_files(task, e);
	r = work_home(task, e);
	if (r != 0)
		return r;
	json_set_text(task->result, "wg_public_key", keys.wireguard);
	json_set_text(task->result, "ssh_host_key", keys.ssh_host);
	return 0;
}

static const struct task_step create_steps[] = {
	{"image", NULL, 0, NULL, step_image},
	{"pin", NULL, 0, NULL, pin_image},
	{"keys", "image_ready", 50, "Making the host's keys and home", create_keys},
	{0},
};

static const struct task_step start_steps[] = {
	{"prepare", "host_starting", 5, "Preparing the host", start_prepare},
	START_STEPS,
	{0},
};

static const struct task_step stop_steps[] = {
	{"end", NULL, 0, NULL, step_end},
	{0},
};

static int rebuild_home(struct task *task, struct err *e)
{
	struct work *work = task->state;
	const char *mode = "keep";

	if (json_opt_text(task->params, "mode", &mode, e) < 0)
		return -1;
	if (strcmp(mode, "wipe") == 0 && home_trash(work->agent, task->host_id, e) < 0)
		return -1;
	check_empty_trash(work->agent);
	return work_home(task, e);
}

// A host that nobody wants to run is done here.
static int rebuild_start(struct task *task, struct err *e)
{
	const struct work *work = task->state;

	if (strcmp(work->host->spec->wanted, "running") != 0)
		return TASK_DONE;
	return start_prepare(task, e);
}

static const struct task_step rebuild_steps[] = {
	{"end", "host_starting", 5, "Ending the host", step_end},
	{"image", NULL, 0, NULL, step_image},
	{"remove", NULL, 0, NULL, step_remove},
	{"pin", NULL, 0, NULL, pin_image},
	{"home", NULL, 0, NULL, rebuild_home},
	{"prepare", NULL, 0, NULL, rebuild_start},
	START_STEPS,
	{0},
};

// An agent that has just started may be asked before its own first look: what runs is adopted.
static int verify_adopt(struct work *work, const struct wait *w, struct err *e)
{
	struct agent *a = work->agent;
	struct docker_container c = {0};
	char name[CONTAINER_NAME_SIZE];
	int r;

	live_name(a, work->host->id, name);
	r = docker_inspect(work->docker, name, w, &c, e);
	if (r == DOCKER_ABSENT || (r == 0 && !c.running))
		return err_say(e, ENOTCONN, "nothing of the host runs");
	if (r == 0)
		r = live_adopt(a, work->host, &c, w, e);
	return r == 0 ? checks_begin(a->guards, work->host, e) : r;
}

static int verify_now(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct wait w = task_wait(task, CHECK_MS);
	int r = work->host->live.run == 0 ? verify_adopt(work, &w, e) : 0;

	if (r == WAIT_CANCELED)
		return r;
	if (r != 0) {
		work->ended = true;
		return work_fail(task, "inventory", e);
	}
	if (live_check(work->host, &work->host->live.wall, VERIFY_FULL, &w, &work->ev, e) ==
		WAIT_CANCELED)
		return WAIT_CANCELED;
	json_set_text(task->result, "exit_ip", work->ev.observed_ip);
	json_set(task->result, "checks", cJSON_Duplicate(work->ev.checks, true));
	if (check_judge(work->agent, work->host, work->docker, "task", task->id, &work->ev)) {
		work_tell(task);
		return 0;
	}
	work_tell(task);
	err_note(e, EACCES, "%s", work->ev.sentence);
	return task_fail(task, agent_error_code(work->ev.code), TASK_RETRY_NO);
}

static const struct task_step verify_steps[] = {
	{"verify", "verifying", 10, "Proving the exit from inside", verify_now},
	{0},
};

// Parameters come as JSON booleans or, from psql, as text.
static bool delete_wipes(const struct task *task)
{
	const cJSON *wipe = cJSON_GetObjectItemCaseSensitive(task->params, "wipe");

	return cJSON_IsTrue(wipe) ||
	       (cJSON_IsString(wipe) && strcmp(wipe->valuestring, "true") == 0);
}

static int delete_containers(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct wait w = task_wait(task, REMOVE_MS);
	int r = step_remove(task, e);

	if (r == 0)
		r = work_docker(task,
			image_probe_remove(work->agent, work->docker, task->host_id, &w, e), e);
	return r;
}

static int delete_files(struct task *task, struct err *e)
{
	struct work *work = task->state;

	if (home_unmount(work->agent, task->host_id, e) < 0 ||
		(delete_wipes(task) && home_trash(work->agent, task->host_id, e) < 0))
		return -1;
	if (home_remove_keys(work->agent, task->host_id, e) < 0)
		return -1;
	check_empty_trash(work->agent);
	host_forget(work->agent->hosts, work->host);
	return 0;
}

static const struct task_step delete_steps[] = {
	{"end", NULL, 0, NULL, step_end},
	{"remove", NULL, 0, NULL, delete_containers},
	{"files", NULL, 0, NULL, delete_files},
	{0},
};

#define KIND(name, table) \
	{ \
		.kind = name, .steps = table, .begin = work_begin, .undo = work_undo, \
		.end = work_end \
	}

const struct task_kind agent_kinds[] = {
	KIND("host.create", create_steps),
	KIND("host.start", start_steps),
	KIND("host.stop", stop_steps),
	KIND("host.rebuild", rebuild_steps),
	KIND("host.verify", verify_steps),
	KIND("host.delete", delete_steps),
	{0},
};
