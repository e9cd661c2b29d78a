// SPDX-License-Identifier: Apache-2.0
// Logins: begun, renewed, ended.
#include "api/routes/table.h"

// clang-format off
const struct route auth_routes[] = {
	{POST, "/v1/auth/login",   PUBLIC, 200, "login",   "login", "Log in.", &work_login, ADDRESS, FIELDS(CREDENTIALS)},
	{POST, "/v1/admin/login",  PUBLIC, 200, "login",   "login", "Log in.", &work_login, ADDRESS, FIELDS(CREDENTIALS), .name = "admin_login"},
	{POST, "/v1/auth/refresh", USER,   200, "refresh", "login", "Get a new token; the old one becomes invalid.", &work_refresh},
	{POST, "/v1/auth/logout",  USER,   204, "logout",  NULL,    "End this login.", &work_call},
	{0},
};
// clang-format on
