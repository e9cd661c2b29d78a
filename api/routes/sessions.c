// SPDX-License-Identifier: Apache-2.0
// Sessions: who is, and was, in which host.
#include "api/routes/table.h"

// clang-format off
#define WHICH \
	{"state",   "api.session_state", QUERY, 0, "Open ones, which is the default, ended ones, or any."}, \
	{"kind",    "ccp.session_kind",  QUERY}, \
	{"host_id", "uuid",              QUERY}, \
	{"since",   "timestamp with time zone", QUERY, 0, "Begun from then on."}, \
	{"until",   "timestamp with time zone", QUERY, 0, "Begun before."}

const struct route session_routes[] = {
	{GET, "/v1/user/sessions", USER, 200, "own_session_list", "session_page", "My sessions.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"),
		WHICH)},
	{DELETE, "/v1/user/sessions/{id}", USER, 204, "own_session_end", NULL, "End one of my sessions.", &work_call, .fields = FIELDS(ID)},

	{GET, "/v1/admin/sessions", ADMIN, 200, "session_list", "session_page", "Who is in which host.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"),
		WHICH,
		{"user_id", "uuid", QUERY})},
	{DELETE, "/v1/admin/sessions/{id}", ADMIN, 204, "session_end", NULL, "End a session.", &work_call, .fields = FIELDS(ID)},
	{0},
};
// clang-format on
