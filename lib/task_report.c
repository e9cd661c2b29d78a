// SPDX-License-Identifier: Apache-2.0
// The report of a task's end as a statement.
#include "lib/task_report.h"

#include <assert.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

// By the task's end.
static const struct {
	const char *sql;
	int params;
} statements[] = {
	[TASK_SUCCEEDED] = {"select task.succeed($1, $2, $3, $4, $5)", 5},
	[TASK_FAILED] = {"select task.fail($1, $2, $3, $4, $5, $6, $7)", 7},
	[TASK_CANCELED] = {"select task.canceled($1, $2, $3, $4, $5)", 5},
	[TASK_HANDED_BACK] = {"select task.hand_back($1, $2, $3, $4)", 4},
};

static const char *failure_code(const struct task *task)
{
	if (task->error_code)
		return task->error_code;
	return wait_now_ms() >= task->deadline_ms ? "deadline" : "internal";
}

static bool failure_is_retryable(const struct task *task, const struct err *failure)
{
	return task->retry == TASK_RETRY_AS_ERR ? err_is_retryable(failure)
						: task->retry == TASK_RETRY_YES;
}

void task_report_make(struct task_report *report, const struct task *task, enum task_end end,
	const struct err *failure)
{
	assert((size_t)end < ARRAY_SIZE(statements));
	*report = (struct task_report){
		.lease = db_number(task->lease), .sequence = db_number(task->left_sequence)};
	const char **next = report->params;
	*next++ = task->id;
	*next++ = report->lease.text;
	if (end == TASK_SUCCEEDED)
		*next++ = report->result = json_print(task->result);
	if (end == TASK_FAILED) {
		*next++ = failure_code(task);
		*next++ = failure->message;
		*next++ = failure_is_retryable(task, failure) ? "true" : "false";
	}
	if (end == TASK_CANCELED)
		*next++ = "stopped on request";
	*next++ = task->left;
	*next++ = task->left ? report->sequence.text : NULL;
	assert(next - report->params == statements[end].params);
	report->call = (struct db_call){.sql = statements[end].sql,
		.params = report->params,
		.params_count = statements[end].params};
}

void task_report_done(struct task_report *report)
{
	freep(&report->result);
}

bool task_report_is_stale(const struct pg_result *rows)
{
	const char *word = db_text(rows, 0, 0);

	return word && strcmp(word, "stale") == 0;
}
