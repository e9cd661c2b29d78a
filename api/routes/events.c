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
		{"actor",   "api.filter",               QUERY, 0, "Who did it: a user's name, or the role of a program or of a session of the database."},
		{"q",       "api.filter",               QUERY, 0, "About hosts or users whose short id, label or name begins with this."},
		{"since",   "timestamp with time zone", QUERY},
		{"until",   "timestamp with time zone", QUERY})},
	{GET, "/v1/admin/events/export", ADMIN, 200, "event_export", "event_chunk",
		"The same as a stream: an object a line, or CSV.", &work_export, .fields = FIELDS(
		{"format",  "api.export_format",        QUERY, FIELD_LOCAL, "What Accept asks for when absent: text/csv, or else ndjson."},
		{"cursor",  "api.cursor",               QUERY, FIELD_LOCAL, "The cursor of the last line that came: goes on behind it."},
		{"sort",    "api.by_time",              QUERY, 0, "Oldest first, which is the default, or newest first (-)."},
		{"type",    "ccp.event_type[]",         QUERY},
		{"user_id", "uuid",                     QUERY},
		{"host_id", "uuid",                     QUERY},
		{"task_id", "uuid",                     QUERY},
		{"level",   "ccp.event_level[]",        QUERY},
		{"actor",   "api.filter",               QUERY, 0, "Who did it: a user's name, or the role of a program or of a session of the database."},
		{"q",       "api.filter",               QUERY},
		{"since",   "timestamp with time zone", QUERY},
		{"until",   "timestamp with time zone", QUERY})},
	{0},
};
// clang-format on
