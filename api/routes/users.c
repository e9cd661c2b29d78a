// SPDX-License-Identifier: Apache-2.0
// Users.
#include "api/routes/table.h"

// clang-format off
const struct route user_routes[] = {
	{GET, "/v1/user/me", USER, 200, "own_user_get", "user", "Who I am.", &work_call},
	{POST, "/v1/user/change-password", USER, 200, "own_password_change", "password_change",
		"Change my password; my other logins end.", &work_change_password, ADDRESS | IDEMPOTENT, FIELDS(
		{"old_password", "password_tried", BODY, REQUIRED | FIELD_LOCAL},
		{"new_password", "password",       BODY, REQUIRED | FIELD_HASHED})},

	{GET, "/v1/admin/users", ADMIN, 200, "user_list", "user_page", "Users.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"),
		{"status",         "ccp.user_state[]",         QUERY},
		{"role",           "ccp.role",                 QUERY},
		{"expires_before", "timestamp with time zone", QUERY, 0, "Those who expire, or have expired, before this."},
		{"username",       "api.filter",               QUERY, 0, "Names that begin with this."},
		{"q",              "api.filter",               QUERY, 0, "Names or short ids that begin with this."})},
	{POST, "/v1/admin/users", ADMIN, 201, "user_create", "new_user", "Make a user.", &work_password, IDEMPOTENT | ETAG, FIELDS(
		{"username",   "ccp.username",             BODY, REQUIRED},
		{"password",   "password",                 BODY, FIELD_HASHED, "Made and shown once when absent."},
		{"role",       "ccp.role",                 BODY},
		{"expires_at", "timestamp with time zone", BODY, NULLABLE})},
	{GET, "/v1/admin/users/{id}", ADMIN, 200, "user_get", "user", "One user.", &work_call, ETAG, FIELDS(ID)},
	{PATCH, "/v1/admin/users/{id}", ADMIN, 200, "user_update", "user", "Change a user.", &work_call, ETAG | IF_MATCH | NULLS, FIELDS(
		ID,
		{"status",     "ccp.activation",           BODY},
		{"role",       "ccp.role",                 BODY},
		IDLE_STOP("the setting"),
		{"expires_at", "timestamp with time zone", BODY, NULLABLE})},
	{PUT, "/v1/admin/users/{id}/expiry", ADMIN, 200, "user_set_expiry", "user", "Set when a user expires; null: never.",
		&work_call, ETAG | IF_MATCH, FIELDS(
		ID,
		{"expires_at", "timestamp with time zone", BODY, REQUIRED | NULLABLE})},
	{DELETE, "/v1/admin/users/{id}", ADMIN, 202, "user_delete", "task_ref",
		"Delete a user: out at once, hosts first, the user last. Canceling the task keeps a user who is not deleted yet, disabled.",
		&work_call, .fields = FIELDS(
		ID,
		{"wipe", "boolean", QUERY, 0, "Remove the homes too."})},
	{POST, "/v1/admin/users/{id}/rotate-password", ADMIN, 200, "user_rotate_password", "new_password",
		"Give a user a new password, shown once; all logins of that user end.", &work_rotate_password, IDEMPOTENT, FIELDS(ID)},
	{DELETE, "/v1/admin/users/{id}/sessions", ADMIN, 200, "user_end_sessions", "ended",
		"End all sessions and logins of a user.", &work_call, .fields = FIELDS(ID)},
	{0},
};
// clang-format on
