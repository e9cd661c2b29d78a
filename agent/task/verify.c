// SPDX-License-Identifier: Apache-2.0
// host.verify: a full verification now, as a task.
#include "agent/task/verify.h"

#include <errno.h>

#include "agent/agent.h"
#include "agent/host/guard.h"
#include "agent/task/host_task.h"
#include "lib/err.h"
#include "lib/json.h"

enum { CHECK_MS = 15000 };

// An agent that has just started may be asked before its first inspection: what runs is adopted.
static int verify_adopt(struct host_task *ht, const struct wait *w, struct err *e)
{
	struct agent *a = ht->agent;
	struct docker_container c = {0};
	char name[CONTAINER_NAME_SIZE];

	container_name(&a->owner, ht->host->id, name);
	int r = docker_inspect(ht->docker, name, w, &c, e);
	if (r == DOCKER_ABSENT || (r == 0 && !c.running))
		return err_say(e, ENOTCONN, "nothing of the host runs");
	const struct run_found found = {
		.store = &a->store, .spec = ht->host->spec, .container = &c};
	struct run run;
	if (r == 0)
		r = run_adopt(&found, w, &run, e);
	if (r != 0)
		return r;
	host_set_run(a->hosts, ht->host, &run);
	return guards_begin(a->guards, ht->host, e);
}

int verify_exit(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wait w = task_wait(task, CHECK_MS);
	int r = ht->host->run.number == 0 ? verify_adopt(ht, &w, e) : 0;

	if (r == WAIT_CANCELED)
		return r;
	if (r != 0) {
		ht->ended = true;
		return host_task_fail(task, "inventory", e);
	}
	if (run_check(&ht->host->run, ht->host->spec, VERIFY_FULL, &w, &ht->ev, e) == WAIT_CANCELED)
		return WAIT_CANCELED;
	json_set_text(task->result, "exit_ip", ht->ev.observed_ip);
	json_set(task->result, "checks", cJSON_Duplicate(ht->ev.checks, true));
	if (guard_judge(ht->agent, ht->host, ht->docker, "task", task->id, &ht->ev)) {
		host_task_flush_reports(task);
		return 0;
	}
	host_task_flush_reports(task);
	return host_task_fail_evidence(task, &ht->ev, e);
}
