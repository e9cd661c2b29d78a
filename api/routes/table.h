// SPDX-License-Identifier: Apache-2.0
// The words in which the route tables are written, and the fields that many rows have.
#pragma once

#include "api/route.h"
#include "api/steps.h"

extern const struct route system_routes[], auth_routes[], bootstrap_routes[], user_routes[],
	ssh_key_routes[], exit_routes[], host_routes[], session_routes[], task_routes[],
	event_routes[], signing_key_routes[], setting_routes[], node_routes[], webhook_routes[],
	live_routes[];

// In a table what is absent is zero.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

// clang-format off
#define GET    "GET"
#define POST   "POST"
#define PUT    "PUT"
#define PATCH  "PATCH"
#define DELETE "DELETE"

#define PUBLIC ROUTE_PUBLIC
#define POLL   ROUTE_POLL
#define USER   ROUTE_USER
#define ADMIN  ROUTE_ADMIN
#define MONITOR ROUTE_MONITOR

#define FORM       ROUTE_FORM
#define VERDICT    ROUTE_VERDICT
#define ADDRESS    ROUTE_ADDRESS
#define ETAG       ROUTE_ETAG
#define IF_MATCH   ROUTE_IF_MATCH
#define IDEMPOTENT ROUTE_IDEMPOTENT
#define NULLS      ROUTE_NULLS

#define PATH     FIELD_IN_PATH
#define QUERY    FIELD_IN_QUERY
#define BODY     FIELD_IN_BODY
#define REQUIRED FIELD_REQUIRED
#define NULLABLE FIELD_NULLABLE

#define FIELDS(...) (const struct field[]) { __VA_ARGS__, {0} }

#define ID {"id", "uuid", PATH, REQUIRED}
#define PAGE(order) \
	{"limit",  "api.page_size", QUERY, 0, "Longest page; 50 when absent."}, \
	{"cursor", "api.cursor",    QUERY, 0, "next_cursor of the page before, in the same order."}, \
	{"sort",   order,           QUERY, 0, "Newest first (-), which is the default, or oldest first."}
#define IDLE_STOP(whose) {"idle_stop_minutes", "ccp.idle_minutes", BODY, NULLABLE, \
	"A host is stopped when nobody has been in it for so long; null: as " whose " says."}
#define CREDENTIALS \
	{"username", "api.login_name",  BODY, REQUIRED}, \
	{"password", "password_tried",  BODY, REQUIRED | FIELD_LOCAL}
// clang-format on
