// SPDX-License-Identifier: Apache-2.0
// Exits.
#include "api/routes/table.h"

// clang-format off
const struct route exit_routes[] = {
	{GET, "/v1/admin/egress-ips", ADMIN, 200, "egress_ip_list", "egress_ip_page", "Exits.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"),
		{"status", "ccp.activation", QUERY},
		{"label",  "api.filter",     QUERY, 0, "Labels that begin with this."})},
	{POST, "/v1/admin/egress-ips", ADMIN, 201, "egress_ip_create", "egress_ip", "Register an exit.", &work_seal, IDEMPOTENT | ETAG, FIELDS(
		{"label",            "ccp.label",       BODY, REQUIRED},
		{"ip_address",       "ccp.address",     BODY, REQUIRED, "What the world must see; verified, never learnt."},
		{"provider",         "ccp.label",       BODY, NULLABLE},
		{"status",           "ccp.activation",  BODY},
		{"tunnel_type",      "ccp.tunnel_type", BODY},
		{"wg_endpoint",      "ccp.endpoint",    BODY, REQUIRED},
		{"wg_public_key",    "ccp.wg_key",      BODY, REQUIRED, "The exit's."},
		{"wg_preshared_key", "ccp.wg_key",      BODY, FIELD_SEALED, "Sealed before it is stored; never shown again."},
		{"wg_allowed_ips",   "ccp.networks",    BODY},
		{"wg_dns_server",    "ccp.address",     BODY, REQUIRED},
		{"wg_peer_address",  "ccp.interface",   BODY, REQUIRED, "Our address inside the tunnel."},
		{"wg_mtu",           "ccp.mtu",         BODY})},
	{GET, "/v1/admin/egress-ips/{id}", ADMIN, 200, "egress_ip_get", "egress_ip", "One exit.", &work_call, ETAG, FIELDS(ID)},
	{0},
};
// clang-format on
