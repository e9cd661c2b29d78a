// SPDX-License-Identifier: Apache-2.0
// host.create: keys and home.
#include "agent/task/create.h"

#include "agent/agent.h"
#include "agent/store/keys.h"
#include "agent/task/host_task.h"
#include "lib/json.h"

int create_keys(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct keys_public keys;

	if (home_open(&ht->agent->store, task->host_id, true, &ht->home, e) < 0 ||
		keys_make(ht->home.dir_fd, ht->home.etc_fd, &keys, e) < 0)
		return host_task_fail_files(task, e);
	int r = host_task_home(task, e);
	if (r != 0)
		return r;
	json_set_text(task->result, "wg_public_key", keys.wireguard);
	json_set_text(task->result, "ssh_host_key", keys.ssh_host);
	return 0;
}
