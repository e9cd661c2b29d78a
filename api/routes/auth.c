// SPDX-License-Identifier: Apache-2.0
// Logins: begun, renewed, ended.
#include "api/routes/table.h"

// clang-format off
#define LOGIN \
	CREDENTIALS, \
	{"cookie", "boolean", BODY, FIELD_LOCAL, \
		"For pages of this server: the login is renewed by a cookie that scripts cannot read, and its tokens are short."}

const struct route auth_routes[] = {
	{POST, "/v1/auth/login",   PUBLIC, 200, "login",   "login", "Log in.", &work_login, ADDRESS, FIELDS(LOGIN)},
	{POST, "/v1/admin/login",  PUBLIC, 200, "login",   "login", "Log in.", &work_login, ADDRESS, FIELDS(LOGIN), .name = "admin_login"},
	{POST, "/v1/auth/refresh", USER,   200, "refresh", "login",
		"Get a new token. By token: the old one becomes invalid. By cookie: so does the cookie, and another comes with the answer.",
		&work_refresh},
	{POST, "/v1/auth/logout",  USER,   204, "logout",  NULL,    "End this login.", &work_logout},
	{0},
};
// clang-format on
