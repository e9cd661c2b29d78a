// SPDX-License-Identifier: Apache-2.0
// host.rebuild: the home kept or emptied, and a start if the host is wanted.
#include "agent/task/rebuild.h"

#include <string.h>

#include "agent/agent.h"
#include "agent/store/trash.h"
#include "agent/task/host_task.h"
#include "agent/task/start.h"
#include "lib/json.h"

int rebuild_home(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	const char *mode = "keep";

	if (json_opt_text(task->params, "mode", &mode, e) < 0)
		return -1;
	if (strcmp(mode, "wipe") == 0 && home_trash(&ht->agent->store, task->host_id, e) < 0)
		return -1;
	if (home_remove_system(&ht->agent->store, task->host_id, e) < 0)
		return -1;
	trash_sweep(ht->agent->check_pool, &ht->agent->store);
	return host_task_home(task, e);
}

int rebuild_start(struct task *task, struct err *e)
{
	const struct host_task *ht = task->state;
	int r = host_task_spec(task, e);

	if (r != 0)
		return r;
	if (strcmp(ht->host->spec->wanted, "running") != 0)
		return TASK_DONE;
	return start_prepare(task, e);
}
