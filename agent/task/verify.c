// SPDX-License-Identifier: Apache-2.0
// host.verify: a full verification now, as a task.
#include "agent/task/verify.h"

#include <errno.h>

#include "agent/agent.h"
#include "agent/evidence.h"
#include "agent/host/guard.h"
#include "agent/task/host_task.h"
#include "lib/err.h"
#include "lib/json.h"

enum { ADOPT_MS = 3000 };

static int adopt_whole(
	struct host_task *ht, const struct docker_container *c, const struct wait *w, struct err *e)
{
	struct agent *a = ht->agent;
	const struct run_found found = {
		.tunnels = &a->tunnels, .store = &a->store, .spec = ht->host->spec, .container = c};
	struct run run;
	int r = run_adopt(&found, w, &run, e);

	if (r != 0)
		return r;
	host_set_run(a->hosts, ht->host, &run);
	return guards_begin(a->guards, ht->host, e);
}

int verify_adopt(struct task *task, const struct wait *w, struct err *e)
{
	struct host_task *ht = task->state;
	struct docker_container c = {0};
	char name[CONTAINER_NAME_SIZE];

	container_name(&ht->agent->owner, ht->host->id, name);
	int r = docker_inspect(ht->docker, name, w, &c, e);
	if (r != 0 && r != DOCKER_ABSENT)
		return host_task_docker(task, r, e);
	if (r == DOCKER_ABSENT || !c.running)
		r = err_say(e, ENOTCONN, "nothing of the host runs");
	else
		r = adopt_whole(ht, &c, w, e);
	ht->ended = r < 0;
	return r < 0 ? host_task_fail(task, "inventory", e) : r;
}

int verify_exit(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wait w = task_wait(task, ADOPT_MS + RUN_CHECK_MS);
	int r = ht->host->run.number == 0 ? verify_adopt(task, &w, e) : 0;

	if (r != 0)
		return r;
	if (run_check(&ht->host->run, ht->host->spec, VERIFY_FULL, &w, &ht->ev, e) == WAIT_CANCELED)
		return WAIT_CANCELED;
	json_set_text(task->result, "exit_ip", ht->ev.observed_ip);
	json_set(task->result, "checks", cJSON_Duplicate(ht->ev.checks, true));
	bool holds = guard_judge(ht->agent, ht->host, ht->docker, "task", task->id, &ht->ev);
	host_task_flush_reports(task);
	if (ht->ev.outcome == OUTCOME_PASSED)
		return 0;
	if (holds) // it showed nothing: the host runs on with the proof that it has
		guards_check_soon(ht->agent->guards, ht->host->run.number);
	return host_task_fail_evidence(task, &ht->ev, e);
}
