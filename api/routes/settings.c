// SPDX-License-Identifier: Apache-2.0
// Settings.
#include "api/routes/table.h"

// clang-format off
const struct route setting_routes[] = {
	{GET, "/v1/admin/settings", ADMIN, 200, "setting_list", "setting_page", "All settings.", &work_call},
	{GET, "/v1/admin/settings/{name}", ADMIN, 200, "setting_get", "setting", "One setting.", &work_call, ETAG, FIELDS(
		{"name", "ccp.setting_name", PATH, REQUIRED})},
	{PUT, "/v1/admin/settings/{name}", ADMIN, 200, "setting_put", "setting", "Change a setting; it works at the next use.",
		&work_call, ETAG | IF_MATCH, FIELDS(
		{"name",  "ccp.setting_name", PATH, REQUIRED},
		{"value", "api.json",         BODY, REQUIRED | NULLABLE, "Its type and bounds are the setting's own."})},
	{0},
};
// clang-format on
