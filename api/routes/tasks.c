// SPDX-License-Identifier: Apache-2.0
// Tasks.
#include "api/routes/table.h"

// clang-format off
const struct route task_routes[] = {
	{GET, "/v1/user/tasks/{id}", USER, 200, "own_task_get", "task", "A task of one of my hosts.", &work_call, .fields = FIELDS(ID)},

	{GET, "/v1/admin/tasks", ADMIN, 200, "task_list", "task_page", "Tasks.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"),
		{"status",  "ccp.task_state[]", QUERY},
		{"kind",    "api.filter[]",     QUERY},
		{"host_id", "uuid",             QUERY},
		{"user_id", "uuid",             QUERY})},
	{GET, "/v1/admin/tasks/{id}", ADMIN, 200, "task_get", "task", "One task.", &work_call, .fields = FIELDS(ID)},
	{POST, "/v1/admin/tasks/{id}/cancel", ADMIN, 200, "task_cancel", "task",
		"End a task: a queued one at once; a running one is asked to stop.", &work_call, IDEMPOTENT, FIELDS(ID)},
	{POST, "/v1/admin/tasks/{id}/retry", ADMIN, 202, "task_retry", "task_ref",
		"Ask again for what a failed or canceled task was to do.", &work_call, IDEMPOTENT, FIELDS(ID)},
	{0},
};
// clang-format on
