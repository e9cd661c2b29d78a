// SPDX-License-Identifier: Apache-2.0
// user.delete: SQL asks the user's hosts to go, and lets the user go when none is left.
#include "workers/kinds.h"

#include <errno.h>

#include "lib/db.h"
#include "lib/err.h"

enum { CALL_TIMEOUT_MS = 5000 };

// While hosts are left the task is to be tried again, which SQL does as soon as one is gone.
static int delete_user(struct task *task, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	const char *user_id;
	const char *wipe = "false";
	struct wait w = task_wait(task, CALL_TIMEOUT_MS);

	if (json_get_text(task->params, "user_id", &user_id, e) < 0 ||
		json_opt_text(task->params, "wipe", &wipe, e) < 0)
		return task_fail(task, "bad_params", TASK_RETRY_NO);
	if (db_call(task->db,
		    DB_CALL("select account.delete_step($1::uuid, $2::boolean)", user_id, wipe), &w,
		    &rows, e) != 0)
		return -1;
	int left = (int)db_int(rows, 0, 0);
	if (left == 0)
		return 0;
	err_note(e, EAGAIN, "%d hosts of the user are still there", left);
	return task_fail(task, "hosts_remain", TASK_RETRY_YES);
}

const struct task_step delete_user_steps[] = {
	{.name = "delete",
		.stage = "deleting",
		.progress = 10,
		.sentence = "Deleting the user's hosts, then the user",
		.run = delete_user},
	{0},
};
