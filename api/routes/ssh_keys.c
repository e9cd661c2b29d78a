// SPDX-License-Identifier: Apache-2.0
// SSH keys of users.
#include "api/routes/table.h"

// clang-format off
const struct route ssh_key_routes[] = {
	{GET, "/v1/user/ssh-keys", USER, 200, "own_ssh_key_list", "ssh_key_page", "My SSH keys.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"))},
	{POST, "/v1/user/ssh-keys", USER, 201, "own_ssh_key_create", "ssh_key", "Register an SSH key.", &work_call, IDEMPOTENT, FIELDS(
		{"public_key", "ccp.ssh_public_key", BODY, REQUIRED},
		{"name",       "ccp.label",          BODY})},
	{DELETE, "/v1/user/ssh-keys/{id}", USER, 204, "own_ssh_key_delete", NULL, "Remove an SSH key.", &work_call, .fields = FIELDS(ID)},

	{GET, "/v1/admin/users/{id}/ssh-keys", ADMIN, 200, "ssh_key_list", "ssh_key_page", "A user's SSH keys.", &work_call, .fields = FIELDS(
		ID,
		PAGE("api.by_creation"))},
	{POST, "/v1/admin/users/{id}/ssh-keys", ADMIN, 201, "ssh_key_create", "ssh_key", "Register an SSH key for a user.",
		&work_call, IDEMPOTENT, FIELDS(
		ID,
		{"public_key", "ccp.ssh_public_key", BODY, REQUIRED},
		{"name",       "ccp.label",          BODY})},
	{DELETE, "/v1/admin/users/{id}/ssh-keys/{key_id}", ADMIN, 204, "ssh_key_delete", NULL, "Remove a user's SSH key.",
		&work_call, .fields = FIELDS(
		ID,
		{"key_id", "uuid", PATH, REQUIRED})},
	{0},
};
// clang-format on
