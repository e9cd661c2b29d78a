// SPDX-License-Identifier: Apache-2.0
// What every task on a host begins, ends and fails with, and the steps that kinds share.
#include "agent/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/check.h"
#include "agent/image.h"
#include "agent/live.h"
#include "agent/outbox.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"

enum { DOCKER_MS = 20000, TELL_MS = 3000, TAKE_MS = 25000, HOME_MS = 30000 };

static const char *const codes[] = {"image_missing", "docker_failed", "tunnel_no_handshake",
	"exit_mismatch", "dns_failed", "leak", "inventory", "inconclusive", "sshd_silent",
	"gate_failed", "deadline", "egress_binding_missing", "settings_incomplete", "disk_full"};

const char *agent_error_code(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (strcmp(word, codes[i]) == 0)
			return codes[i];
	}
	return "internal";
}

static int spec_fetch(struct task *task, struct host *host, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct host_spec *spec = NULL;
	int r = task_call(task, DB_CALL("select host.spec($1)", task->host_id), &rows, e);

	if (r != 0)
		return r;
	if (db_rows(rows) != 1 || !db_text(rows, 0, 0))
		return err_say(e, ENOENT, "the database does not know this host");
	if (host_spec_read(db_text(rows, 0, 0), &spec, e) < 0)
		return task_fail(task, "settings_incomplete", TASK_RETRY_NO);
	check_learn(task->program, host, spec);
	return 0;
}

int work_begin(struct task *task, struct err *e)
{
	struct work *work = xnew(struct work);
	struct wait w = task_wait(task, TAKE_MS);
	bool must_read =
		strcmp(task->kind, "host.stop") != 0 && strcmp(task->kind, "host.delete") != 0;
	int r;

	task->state = work;
	work->agent = task->program;
	work->home = HOME_INIT;
	work->live = LIVE_INIT;
	work->gate_fd = -1;
	evidence_init(&work->ev);
	work->docker = docker_new(work->agent->docker_socket);
	if (!str_is_uuid(task->host_id))
		return err_say(e, EINVAL, "the task has no host");
	r = host_take(work->agent->hosts, task->host_id, &w, &work->host, e);
	if (r != 0)
		return r;
	// What ends a host must not depend on its settings being readable.
	return must_read ? spec_fetch(task, work->host, e) : 0;
}

static void live_drop(struct live *live)
{
	wall_done(&live->wall);
	engine_done(&live->engine);
	closep(&live->process_fd);
	closep(&live->ns_fd);
}

void work_end(struct task *task)
{
	struct work *work = task->state;

	if (!work)
		return;
	closep(&work->gate_fd);
	live_drop(&work->live);
	home_done(&work->home);
	docker_free(work->docker);
	evidence_done(&work->ev);
	if (work->host)
		host_release(work->agent->hosts, work->host);
	free(work);
	task->state = NULL;
}

void work_tell(struct task *task)
{
	struct work *work = task->state;
	struct wait w = wait_for(TELL_MS, -1);
	struct err e;

	(void)!outbox_flush(work->agent->outbox, task->db, work->agent->process_id, &w, &e);
}

int work_fail(struct task *task, const char *code, struct err *e)
{
	struct work *work = task->state;

	if (work->ev.outcome == OUTCOME_PASSED)
		evidence_add(&work->ev, code, OUTCOME_FAILED, code, 0, "%s", e->message);
	return task_fail(task, code, TASK_RETRY_AS_ERR);
}

int work_fail_files(struct task *task, struct err *e)
{
	return work_fail(task, e->code == ENOSPC ? "disk_full" : "internal", e);
}

int work_docker(struct task *task, int r, struct err *e)
{
	return r == 0 || r == WAIT_CANCELED ? r : work_fail(task, "docker_failed", e);
}

int work_home(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct wait w = task_wait(task, HOME_MS);
	int r = home_make(work->agent, work->host->id, work->host->spec->disk_limit_gb, &w, e);

	if (r < 0 && e->code == ERANGE) {
		(void)!work_fail(task, "settings_incomplete", e);
		return task_fail(task, "settings_incomplete", TASK_RETRY_NO);
	}
	return r == 0 || r == WAIT_CANCELED ? r : work_fail_files(task, e);
}

void work_undo(struct task *task, enum task_end why)
{
	struct work *work = task->state;
	struct agent *a = work->agent;
	struct err e;

	if (!work->host || !work->ended)
		return;
	if (work->live.ns_fd >= 0) // first of all, and whatever the rest does
		(void)!wall_close(&work->live.wall, &e);
	if (live_end(a, work->host, work->docker, NULL, &e) < 0)
		log_error("ending a host failed", log_text("host", work->host->id), log_err(&e));
	if (why == TASK_FAILED && work->ev.outcome != OUTCOME_PASSED && !work->ev_stored)
		outbox_verified(a->outbox, work->host->id, task->id, "start", &work->ev);
	outbox_observe(a->outbox, work->host->id, "stopped",
		why == TASK_FAILED ? task->error_code : NULL, NULL);
	work_tell(task);
}

int step_end(struct task *task, struct err *e)
{
	struct work *work = task->state;
	bool exists = false;

	work->ended = true;
	if (live_end(work->agent, work->host, work->docker, &exists, e) < 0)
		return work_fail(task, "docker_failed", e);
	outbox_observe(
		work->agent->outbox, work->host->id, exists ? "stopped" : "absent", NULL, NULL);
	return 0;
}

int step_remove(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct wait w = task_wait(task, DOCKER_MS);
	char name[CONTAINER_NAME_SIZE];
	int r;

	live_name(work->agent, task->host_id, name);
	r = docker_remove(work->docker, name, &w, e);
	if (r == 0)
		outbox_observe(work->agent->outbox, task->host_id, "absent", NULL, NULL);
	return work_docker(task, r, e);
}

int step_image(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct wait w = task_wait(task, DOCKER_MS);
	char id[DOCKER_IMAGE_SIZE];
	int r = image_check(work->agent, work->docker, work->host->spec, &w, id, e);

	if (r == IMAGE_UNFIT)
		return task_fail(task, "image_missing", TASK_RETRY_NO);
	if (r != 0)
		return work_docker(task, r, e);
	strcpy(work->host->spec->image_id, id);
	json_set_text(task->result, "image_id", id);
	return 0;
}
