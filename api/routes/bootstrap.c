// SPDX-License-Identifier: Apache-2.0
// What the script of a bootstrap or entry link asks.
#include "api/routes/table.h"

// clang-format off
#define HOST_LINK {"short_id", "api.short_id", PATH, REQUIRED, "Short id of the host."}

const struct route bootstrap_routes[] = {
	{GET, "/v1/bootstrap/script", PUBLIC, 200, "bootstrap_script", "script", "The script that opens a shell.", &work_script},
	{POST, "/v1/bootstrap/sessions", PUBLIC, 200, "bootstrap_session_create", "bootstrap_session",
		"Sign in, start the host if need be, grant a one-time key.", &work_bootstrap, FORM | ADDRESS, FIELDS(
		CREDENTIALS,
		{"public_key", "ccp.ssh_public_key", BODY, 0, "One-time key, taken once within 15 minutes."},
		{"host",       "api.short_id",       BODY, 0, "Short id; your oldest host when absent."})},
	{GET, "/v1/bootstrap/tasks/{id}", POLL, 200, "bootstrap_task_get", "bootstrap_task", "How far the start is.",
		&work_poll, FORM | ADDRESS, FIELDS(
		ID,
		{"wait",  "api.poll_wait_s",  QUERY, FIELD_LOCAL, "Seconds to wait until something changes."},
		{"after", "api.poll_version", QUERY, FIELD_LOCAL, "The version that is known already."})},
	{GET, "/v1/bootstrap/tasks/{id}/handoff", POLL, 200, "bootstrap_handoff", "handoff", "How to reach the host by ssh.",
		&work_call, FORM | VERDICT | ADDRESS, FIELDS(ID)},
	{GET, "/entry/{short_id}", PUBLIC, 200, "entry_script", "script", "The script that opens a shell in one host.",
		&work_script, 0, FIELDS(HOST_LINK)},
	{POST, "/v1/entry/{short_id}/auth", PUBLIC, 200, "entry_auth", "entry",
		"Sign in with the owner's login password, start the host if need be, grant a one-time key.",
		&work_entry, FORM | ADDRESS, FIELDS(
		HOST_LINK,
		{"password",   "password_tried",     BODY, REQUIRED | FIELD_LOCAL, "Login password of the host's owner."},
		{"public_key", "ccp.ssh_public_key", BODY, 0, "One-time key, taken once within 15 minutes."})},
	{0},
};
// clang-format on
