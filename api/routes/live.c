// SPDX-License-Identifier: Apache-2.0
// What changes, as it changes.
#include "api/routes/table.h"

// clang-format off
const struct route live_routes[] = {
	{GET, "/v1/user/sse", USER, 200, "own_live_open", NULL, "What changes of what is mine, as Server-Sent Events.",
		&work_own_live, .fields = FIELDS(
		{"topics", "api.own_live_topic[]", QUERY, FIELD_LOCAL, "All when absent."})},
	{GET, "/v1/admin/sse", ADMIN, 200, "live_open", NULL, "What changes, as Server-Sent Events.",
		&work_live, .fields = FIELDS(
		{"topics", "api.live_topic[]", QUERY, FIELD_LOCAL, "All when absent."})},
	{0},
};
// clang-format on
