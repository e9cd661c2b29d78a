// SPDX-License-Identifier: Apache-2.0
// The audit log.
#include "api/routes/table.h"

// clang-format off
const struct route event_routes[] = {
	{GET, "/v1/admin/events", ADMIN, 200, "event_list", "event_page", "What happened.", &work_call, .fields = FIELDS(
		PAGE("api.by_time"),
		{"type",    "ccp.event_type[]",         QUERY},
		{"user_id", "uuid",                     QUERY},
		{"host_id", "uuid",                     QUERY},
		{"task_id", "uuid",                     QUERY},
		{"level",   "ccp.event_level[]",        QUERY},
		{"q",       "api.filter",               QUERY, 0, "About hosts or users whose short id, label or name begins with this."},
		{"since",   "timestamp with time zone", QUERY},
		{"until",   "timestamp with time zone", QUERY})},
	{0},
};
// clang-format on
