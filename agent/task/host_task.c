// SPDX-License-Identifier: Apache-2.0
// Takes and releases the host, fetches its spec, turns failures into codes and evidence.
#include "agent/task/host_task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/host/end.h"
#include "agent/host/guard.h"
#include "agent/host/outbox.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"

enum { FLUSH_MS = 3000, TAKE_MS = 25000, HOME_MS = 30000 };

static const char *const codes[] = {"image_missing", "docker_failed", "tunnel_no_handshake",
	"exit_mismatch", "dns_failed", "leak", "inventory", "inconclusive", "sshd_silent",
	"gate_failed", "deadline", "egress_binding_missing", "settings_incomplete", "machine_unfit",
	"disk_full", "rebuild_needed", "proxy_unreachable", "mtu"};

// The same word as a constant, which a task keeps. "internal" for a word that is not a code.
static const char *error_code(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (strcmp(word, codes[i]) == 0)
			return codes[i];
	}
	return "internal";
}

int host_task_spec(struct task *task, struct err *e)
{
	const struct host_task *ht = task->state;
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct host_spec *spec = NULL;
	int r = task_call(task, DB_CALL("select host.spec($1)", task->host_id), &rows, e);

	if (r != 0)
		return r;
	if (db_rows(rows) != 1 || !db_text(rows, 0, 0))
		return err_say(e, ENOENT, "the database does not know this host");
	if (host_spec_read(db_text(rows, 0, 0), &spec, e) < 0)
		return task_fail(task, "settings_incomplete", TASK_RETRY_NO);
	guard_set_spec(ht->agent, ht->host, spec);
	return 0;
}

int host_task_begin(struct task *task, struct err *e)
{
	struct host_task *ht = xnew(struct host_task);
	struct wait w = task_wait(task, TAKE_MS);
	bool must_read =
		strcmp(task->kind, "host.stop") != 0 && strcmp(task->kind, "host.delete") != 0;

	task->state = ht;
	ht->agent = task->program;
	ht->home = HOME_INIT;
	ht->run = RUN_INIT;
	ht->gate_fd = -1;
	evidence_init(&ht->ev);
	ht->docker = docker_new(ht->agent->docker_socket);
	if (!str_is_uuid(task->host_id))
		return err_say(e, EINVAL, "the task has no host");
	int r = host_take(ht->agent->hosts, task->host_id, &w, &ht->host, e);
	if (r != 0)
		return r;
	// What ends a host must not depend on its settings being readable.
	return must_read ? host_task_spec(task, e) : 0;
}

// Says what the task leaves of its host, which is still taken. What is not known is looked at.
static void note_left(struct task *task, const struct host_task *ht)
{
	const struct run *run = ht->host ? &ht->host->run : NULL;

	if (run && run->number != 0 && !run_is_dead(run))
		task->left = "running";
	else if (ht->down)
		task->left = "stopped";
	else
		hosts_schedule_inspection(ht->agent->hosts, task->host_id, 0);
	if (task->left)
		task->left_sequence = outbox_sequence(ht->agent->outbox);
}

void host_task_end(struct task *task)
{
	struct host_task *ht = task->state;

	if (!ht)
		return;
	note_left(task, ht);
	closep(&ht->gate_fd);
	run_close(&ht->run);
	exit_copy_done(&ht->before);
	home_done(&ht->home);
	docker_free(ht->docker);
	evidence_done(&ht->ev);
	if (ht->host)
		host_release(ht->agent->hosts, ht->host);
	free(ht);
	task->state = NULL;
}

void host_task_flush_reports(struct task *task)
{
	struct host_task *ht = task->state;
	struct wait w = wait_for(FLUSH_MS, -1);
	struct err ignored;

	(void)!outbox_flush(ht->agent->outbox, task->db, ht->agent->process_id, &w, &ignored);
}

static void note_failure(struct host_task *ht, const char *code, const struct err *e)
{
	if (ht->ev.outcome == OUTCOME_PASSED)
		evidence_add(&ht->ev, code, OUTCOME_FAILED, code, 0, "%s", e->message);
}

int host_task_fail(struct task *task, const char *code, struct err *e)
{
	note_failure(task->state, code, e);
	return task_fail(task, code, TASK_RETRY_AS_ERR);
}

int host_task_refuse(struct task *task, const char *code, struct err *e)
{
	note_failure(task->state, code, e);
	return task_fail(task, code, TASK_RETRY_NO);
}

int host_task_fail_evidence(struct task *task, const struct evidence *ev, struct err *e)
{
	err_note(e, EACCES, "%s", ev->sentence);
	return task_fail(task, error_code(ev->code), TASK_RETRY_NO);
}

int host_task_fail_files(struct task *task, struct err *e)
{
	return host_task_fail(task, e->code == ENOSPC ? "disk_full" : "internal", e);
}

int host_task_docker(struct task *task, int r, struct err *e)
{
	return r == 0 || r == WAIT_CANCELED ? r : host_task_fail(task, "docker_failed", e);
}

int host_task_home(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wait w = task_wait(task, HOME_MS);
	int r = home_make(&ht->agent->store, ht->host->id, ht->host->spec->disk_limit_gb, &w, e);

	if (r < 0 && e->code == ERANGE)
		return host_task_refuse(task, "settings_incomplete", e);
	return r == 0 || r == WAIT_CANCELED ? r : host_task_fail_files(task, e);
}

void host_task_undo(struct task *task, enum task_end why)
{
	struct host_task *ht = task->state;
	struct agent *a = ht->agent;
	struct err e;

	if (!ht->host || !ht->ended)
		return;
	if (ht->run.ns_fd >= 0) // first of all, and whatever the rest does
		(void)!wall_close(&ht->run.wall, &e);
	ht->down = host_end(a, ht->host, ht->docker, NULL, &e) == 0;
	if (!ht->down)
		log_error("ending a host failed", log_text("host", ht->host->id), log_err(&e));
	if (why == TASK_FAILED && ht->ev.outcome != OUTCOME_PASSED && !ht->ev_stored)
		outbox_verified(a->outbox, ht->host->id, task->id, "start", &ht->ev);
	if (ht->down)
		outbox_observe(a->outbox, ht->host->id, "stopped",
			why == TASK_FAILED ? task->error_code : NULL, NULL);
	host_task_flush_reports(task);
}
