// SPDX-License-Identifier: Apache-2.0
// The route tables, one per noun, in the order of the document.
#include "api/routes/table.h"

const struct route *const route_tables[] = {
	system_routes,
	auth_routes,
	bootstrap_routes,
	user_routes,
	ssh_key_routes,
	exit_routes,
	host_routes,
	session_routes,
	task_routes,
	event_routes,
	NULL,
};
