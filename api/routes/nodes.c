// SPDX-License-Identifier: Apache-2.0
// Nodes.
#include "api/routes/table.h"

// clang-format off
#define NODE {"id", "ccp.node_id", PATH, REQUIRED}

const struct route node_routes[] = {
	{GET, "/v1/admin/nodes", ADMIN, 200, "node_list", "node_page", "Machines that hosts live on.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"))},
	{GET, "/v1/admin/nodes/{id}", ADMIN, 200, "node_get", "node", "One machine.", &work_call, .fields = FIELDS(NODE)},
	{POST, "/v1/admin/nodes/{id}/cordon", ADMIN, 200, "node_act", "node", "Let no new hosts come to it.",
		&work_call, IDEMPOTENT, FIELDS(NODE), "node.cordon"},
	{POST, "/v1/admin/nodes/{id}/uncordon", ADMIN, 200, "node_act", "node", "Let new hosts come to it, and its own run, again.",
		&work_call, IDEMPOTENT, FIELDS(NODE), "node.uncordon"},
	{POST, "/v1/admin/nodes/{id}/drain", ADMIN, 200, "node_act", "node", "Stop its hosts, and let no new ones come to it.",
		&work_call, IDEMPOTENT, FIELDS(NODE), "node.drain"},
	{POST, "/v1/admin/nodes/{id}/undrain", ADMIN, 200, "node_act", "node", "Let its hosts run again; it stays cordoned.",
		&work_call, IDEMPOTENT, FIELDS(NODE), "node.undrain"},
	{0},
};
// clang-format on
