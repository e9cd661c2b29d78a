// SPDX-License-Identifier: Apache-2.0
// Hosts: the same nouns for their users and for administrators.
#include "api/routes/table.h"

// clang-format off
#define VERIFICATIONS \
	PAGE("api.by_time"), \
	{"outcome", "ccp.outcome[]",           QUERY}, \
	{"kind",    "ccp.verification_kind[]", QUERY}

const struct route host_routes[] = {
	{GET, "/v1/user/hosts", USER, 200, "own_host_list", "host_page", "My hosts.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"))},
	{GET, "/v1/user/hosts/{id}", USER, 200, "own_host_get", "host", "One of my hosts.", &work_call, ETAG, FIELDS(ID)},
	{POST, "/v1/user/hosts/{id}/start", USER, 202, "own_host_task", "task_ref", "Ask for host.start.", &work_call, IDEMPOTENT, FIELDS(ID), "host.start"},
	{POST, "/v1/user/hosts/{id}/stop", USER, 202, "own_host_task", "task_ref", "Ask for host.stop.", &work_call, IDEMPOTENT, FIELDS(ID), "host.stop"},
	{POST, "/v1/user/hosts/{id}/rebuild", USER, 202, "own_host_task", "task_ref", "Make the container again from its image.",
		&work_call, IDEMPOTENT, FIELDS(
		ID,
		{"mode", "ccp.home_mode", BODY, 0, "Keep the home, which is the default, or wipe it."}), "host.rebuild"},
	{POST, "/v1/user/hosts/{id}/rotate-ssh-password", USER, 200, "own_host_rotate_ssh_password", "ssh_password",
		"Give a host a new SSH password, shown once.", &work_ssh_password, IDEMPOTENT, FIELDS(ID)},

	{GET, "/v1/user/hosts/{id}/tasks", USER, 200, "own_host_task_list", "task_page", "What is and was done with a host.",
		&work_call, .fields = FIELDS(
		ID,
		PAGE("api.by_creation"),
		{"status", "ccp.task_state[]", QUERY},
		{"kind",   "api.filter[]",     QUERY})},
	{GET, "/v1/user/hosts/{id}/events", USER, 200, "own_host_event_list", "event_page", "What happened with a host.",
		&work_call, .fields = FIELDS(
		ID,
		PAGE("api.by_time"),
		{"type",  "ccp.event_type[]",         QUERY},
		{"level", "ccp.event_level[]",        QUERY},
		{"since", "timestamp with time zone", QUERY},
		{"until", "timestamp with time zone", QUERY})},
	{GET, "/v1/user/hosts/{id}/verifications", USER, 200, "own_host_verification_list", "verification_page",
		"The evidence of a host.", &work_call, .fields = FIELDS(ID, VERIFICATIONS)},

	{GET, "/v1/admin/hosts", ADMIN, 200, "host_list", "host_page", "Hosts.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"),
		{"user_id",      "uuid",             QUERY},
		{"egress_ip_id", "uuid",             QUERY, 0, "Bound to this exit."},
		{"q",            "api.filter",       QUERY, 0, "Short ids, labels or users' names that begin with this."},
		{"status",       "ccp.host_state[]", QUERY, 0, "Deleted hosts are not listed."},
		{"proof",        "api.proof_state[]", QUERY, 0,
			"Of the exit: valid: the last proof holds; stale: it has ended, which closes a running host; failed: a check has failed since; none: never made."})},
	{POST, "/v1/admin/hosts", ADMIN, 202, "host_create", "new_host", "Order a host.", &work_ssh_password, IDEMPOTENT, FIELDS(
		{"user_id",         "uuid",                BODY, REQUIRED},
		{"egress_ip_id",    "uuid",                BODY, REQUIRED},
		{"timezone",        "ccp.timezone",        BODY},
		{"memory_limit_mb", "ccp.memory_limit_mb", BODY},
		{"cpu_limit",       "ccp.cpu_limit",       BODY},
		{"pids_limit",      "ccp.pids_limit",      BODY},
		{"disk_limit_gb",   "ccp.disk_limit_gb",   BODY, NULLABLE},
		{"image",           "ccp.image",           BODY},
		{"sudo",            "boolean",             BODY},
		IDLE_STOP("its user's"),
		{"label",           "ccp.label",           BODY})},
	{GET, "/v1/admin/hosts/{id}", ADMIN, 200, "host_get", "host", "One host.", &work_call, ETAG, FIELDS(ID)},
	{PATCH, "/v1/admin/hosts/{id}", ADMIN, 200, "host_update", "edited_host",
		"Change a host; the answer says when that takes effect.", &work_call, ETAG | IF_MATCH | NULLS, FIELDS(
		ID,
		{"label",           "ccp.label",           BODY, NULLABLE},
		IDLE_STOP("its user's"),
		{"image",           "ccp.image",           BODY, 0, "With the next rebuild."},
		{"timezone",        "ccp.timezone",        BODY, 0, "With the next start, as all below."},
		{"memory_limit_mb", "ccp.memory_limit_mb", BODY},
		{"cpu_limit",       "ccp.cpu_limit",       BODY},
		{"pids_limit",      "ccp.pids_limit",      BODY},
		{"disk_limit_gb",   "ccp.disk_limit_gb",   BODY, NULLABLE},
		{"sudo",            "boolean",             BODY})},
	{GET, "/v1/admin/hosts/{id}/verifications", ADMIN, 200, "host_verification_list", "verification_page",
		"The evidence of a host.", &work_call, .fields = FIELDS(ID, VERIFICATIONS)},
	{GET, "/v1/admin/hosts/{id}/logs", ADMIN, 200, "host_log", "event_chunk",
		"What happened to a host: an event a line, as an export has them.", &work_export, .fields = FIELDS(
		ID,
		{"format", "api.export_format", QUERY, FIELD_LOCAL, "What Accept asks for when absent: text/csv, or else ndjson."},
		{"tail",   "api.page_size",     QUERY, 0, "How many of the last ones; 100 when absent."},
		{"follow", "boolean",           QUERY, 0, "Go on with what happens, until the host is deleted."})},
	{GET, "/v1/admin/hosts/{id}/connection", ADMIN, 200, "host_connection", "connection",
		"Lines to copy for the host's user: curl, ssh, known_hosts.", &work_call, .fields = FIELDS(ID)},
	{DELETE, "/v1/admin/hosts/{id}", ADMIN, 202, "host_task", "task_ref", "Delete a host.", &work_call, 0, FIELDS(
		ID,
		{"wipe", "boolean", QUERY, 0, "Remove its home too."}), "host.delete"},
	{POST, "/v1/admin/hosts/{id}/start", ADMIN, 202, "host_task", "task_ref", "Ask for host.start.", &work_call, IDEMPOTENT, FIELDS(ID), "host.start"},
	{POST, "/v1/admin/hosts/{id}/stop", ADMIN, 202, "host_task", "task_ref", "Ask for host.stop.", &work_call, IDEMPOTENT, FIELDS(ID), "host.stop"},
	{POST, "/v1/admin/hosts/{id}/verify", ADMIN, 202, "host_task", "task_ref", "Ask for host.verify.", &work_call, IDEMPOTENT, FIELDS(ID), "host.verify"},
	{POST, "/v1/admin/hosts/{id}/rebuild", ADMIN, 202, "host_task", "task_ref", "Make the container again from its image.",
		&work_call, IDEMPOTENT, FIELDS(
		ID,
		{"mode", "ccp.home_mode", BODY, 0, "Keep the home, which is the default, or wipe it."}), "host.rebuild"},
	{POST, "/v1/admin/hosts/{id}/rotate-ssh-password", ADMIN, 200, "host_rotate_ssh_password", "ssh_password",
		"Give a host a new SSH password, shown once.", &work_ssh_password, IDEMPOTENT, FIELDS(ID)},
	{0},
};
// clang-format on
