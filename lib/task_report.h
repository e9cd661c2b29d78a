// SPDX-License-Identifier: Apache-2.0
// What is said to SQL of the end of a task: one statement, which may be sent alone or with others.
#pragma once

#include <stdbool.h>

#include "lib/db.h"
#include "lib/task.h"

struct err;

// Points into itself: it stays where it was made.
struct task_report {
	struct db_call call; // answers one word
	const char *params[7];
	struct db_number lease, sequence;
	char *result;
};

// Of any end but TASK_DROPPED. `failure` says why a task has failed. Task and failure must outlive the
// report.
void task_report_make(struct task_report *report, const struct task *task, enum task_end end,
	const struct err *failure);
void task_report_done(struct task_report *report);

// Does SQL's answer say that the lease is not ours any more?
bool task_report_is_stale(const struct pg_result *rows);
