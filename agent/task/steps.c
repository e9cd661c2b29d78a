// SPDX-License-Identifier: Apache-2.0
// The steps that several kinds have in common.
#include "agent/task/steps.h"

#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/container/image.h"
#include "agent/host/end.h"
#include "agent/host/outbox.h"
#include "agent/store/layer.h"
#include "agent/task/host_task.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/json.h"

enum { DOCKER_MS = 20000, FILES_MS = 60000 };

int step_end(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	bool exists = false;

	ht->ended = true;
	if (host_end(ht->agent, ht->host, ht->docker, &exists, e) < 0)
		return host_task_fail(task, "docker_failed", e);
	ht->down = true;
	outbox_observe(ht->agent->outbox, ht->host->id, exists ? "stopped" : "absent", NULL, NULL);
	return 0;
}

// What its users have changed goes first: see layer.h.
static int layer_remove(struct task *task, const char *name, struct err *e)
{
	struct host_task *ht = task->state;
	struct docker_container c = {0};
	struct wait asking = task_wait(task, DOCKER_MS), emptying = task_wait(task, FILES_MS);
	int r = docker_inspect(ht->docker, name, &asking, &c, e);

	if (r == DOCKER_ABSENT || (r == 0 && (c.running || c.upper[0] == '\0')))
		return 0;
	return r != 0 ? r : layer_empty(c.upper, &emptying, e);
}

int step_remove(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	char name[CONTAINER_NAME_SIZE];

	container_name(&ht->agent->owner, task->host_id, name);
	int r = layer_remove(task, name, e);
	struct wait w = task_wait(task, DOCKER_MS);
	if (r == 0)
		r = docker_remove(ht->docker, name, &w, e);
	if (r == 0)
		outbox_observe(ht->agent->outbox, task->host_id, "absent", NULL, NULL);
	return host_task_docker(task, r, e);
}

int step_image(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wait w = task_wait(task, DOCKER_MS);
	char id[DOCKER_IMAGE_SIZE];
	const struct image_request request = {.owner = &ht->agent->owner,
		.host_id = ht->host->id,
		.image = ht->host->spec->image};
	int r = image_check(&request, ht->docker, &w, id, e);

	if (r == IMAGE_UNFIT)
		return task_fail(task, "image_missing", TASK_RETRY_NO);
	if (r != 0)
		return host_task_docker(task, r, e);
	strcpy(ht->host->spec->image_id, id);
	json_set_text(task->result, "image_id", id);
	return 0;
}

int step_pin_image(struct task *task, struct err *e)
{
	const struct host_task *ht = task->state;
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct db_number lease = db_number(task->lease);
	int r = task_call(task,
		DB_CALL("select host.pin_image($1, $2, $3)", task->id, lease.text,
			ht->host->spec->image_id),
		&rows, e);

	if (r == 0 && strcmp(db_text(rows, 0, 0), "ok") != 0)
		return err_say(e, ESTALE, "the task is not ours any more");
	return r;
}
