// SPDX-License-Identifier: Apache-2.0
// events.retain: deletes what is past its retention, a bounded piece at a time.
#include "workers/kinds.h"

#include <string.h>

#include "lib/db.h"
#include "lib/err.h"

enum {
	CALL_TIMEOUT_MS = 3000,
	RESERVE_MS = 10000, // of the task's time; what is left by then is the next task's
};

// One piece: its counts are added to the task's result, its yes and no are those of the last piece.
static int retain_piece(struct task *task, bool *ret_more, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	_cleanup_(json_freep) cJSON *piece = NULL;
	struct wait w = task_wait(task, CALL_TIMEOUT_MS);

	if (db_call(task->db, DB_CALL("select event.retain()"), &w, &rows, e) != 0)
		return -1;
	const char *text = db_text(rows, 0, 0);
	if (json_parse(text, strlen(text), &json_from_peer, &piece, e) < 0)
		return -1;
	for (const cJSON *member = piece->child; member; member = member->next) {
		const cJSON *sum = cJSON_GetObjectItemCaseSensitive(task->result, member->string);
		if (cJSON_IsNumber(member))
			json_set_number(task->result, member->string,
				member->valuedouble + (sum ? sum->valuedouble : 0));
		else if (cJSON_IsBool(member))
			json_set_bool(task->result, member->string, cJSON_IsTrue(member));
	}
	return json_get_bool(piece, "more", ret_more, e);
}

static int retain(struct task *task, struct err *e)
{
	bool more = true;

	while (more && wait_now_ms() < task->deadline_ms - RESERVE_MS) {
		if (retain_piece(task, &more, e) < 0)
			return -1;
	}
	return 0;
}

const struct task_step retain_steps[] = {
	{.name = "retain",
		.stage = "retaining",
		.progress = 10,
		.sentence = "Deleting what is past its retention",
		.run = retain},
	{0},
};
