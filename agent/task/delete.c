// SPDX-License-Identifier: Apache-2.0
// host.delete: containers, keys and home go, and with them the agent's record of the host.
#include "agent/task/delete.h"

#include <stdbool.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/container/image.h"
#include "agent/store/trash.h"
#include "agent/task/host_task.h"
#include "agent/task/steps.h"
#include "lib/json.h"

enum { REMOVE_MS = 20000 };

// Parameters come as JSON booleans or, from psql, as text.
static bool delete_wipes(const struct task *task)
{
	const cJSON *wipe = cJSON_GetObjectItemCaseSensitive(task->params, "wipe");

	return cJSON_IsTrue(wipe) ||
	       (cJSON_IsString(wipe) && strcmp(wipe->valuestring, "true") == 0);
}

int delete_containers(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wait w = task_wait(task, REMOVE_MS);
	int r = step_remove(task, e);

	if (r == 0)
		r = host_task_docker(task,
			image_probe_remove(&ht->agent->owner, task->host_id, ht->docker, &w, e), e);
	return r;
}

int delete_files(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;

	if (home_remove_system(&ht->agent->store, task->host_id, e) < 0 ||
		home_unmount(&ht->agent->store, task->host_id, e) < 0 ||
		(delete_wipes(task) && home_trash(&ht->agent->store, task->host_id, e) < 0))
		return -1;
	if (home_remove_keys(&ht->agent->store, task->host_id, e) < 0)
		return -1;
	trash_sweep(ht->agent->check_pool, &ht->agent->store);
	host_forget(ht->agent->hosts, ht->host);
	return 0;
}
