// SPDX-License-Identifier: Apache-2.0
// What the bootstrap script asks.
#include "api/routes/table.h"

// clang-format off
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
	{0},
};
// clang-format on
