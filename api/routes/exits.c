// SPDX-License-Identifier: Apache-2.0
// Exits.
#include "api/routes/table.h"

// clang-format off
const struct route exit_routes[] = {
	{GET, "/v1/admin/egress-ips", ADMIN, 200, "egress_ip_list", "egress_ip_page", "Exits.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"),
		{"status", "ccp.activation", QUERY},
		{"state",  "ccp.exit_state", QUERY},
		{"bound",  "boolean",        QUERY, 0, "Whether a host leaves through it; false: those that are free."},
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
		{"wg_mtu",           "ccp.mtu",         BODY, NULLABLE, "null: the usual one."})},
	{GET, "/v1/admin/egress-ips/{id}", ADMIN, 200, "egress_ip_get", "egress_ip", "One exit.", &work_call, ETAG, FIELDS(ID)},
	{PUT, "/v1/admin/egress-ips/{id}", ADMIN, 200, "egress_ip_replace", "egress_ip", "Write an exit as a whole.",
		&work_seal, ETAG | IF_MATCH | NULLS, FIELDS(
		ID,
		{"label",            "ccp.label",       BODY, REQUIRED},
		{"ip_address",       "ccp.address",     BODY, REQUIRED, "What the world must see; verified, never learnt."},
		{"provider",         "ccp.label",       BODY, NULLABLE},
		{"status",           "ccp.activation",  BODY},
		{"tunnel_type",      "ccp.tunnel_type", BODY},
		{"wg_endpoint",      "ccp.endpoint",    BODY, REQUIRED},
		{"wg_public_key",    "ccp.wg_key",      BODY, REQUIRED, "The exit's."},
		{"wg_preshared_key", "ccp.wg_key",      BODY, FIELD_SEALED | NULLABLE, "Never shown, so it stays when absent; null removes it."},
		{"wg_allowed_ips",   "ccp.networks",    BODY},
		{"wg_dns_server",    "ccp.address",     BODY, REQUIRED},
		{"wg_peer_address",  "ccp.interface",   BODY, REQUIRED, "Our address inside the tunnel."},
		{"wg_mtu",           "ccp.mtu",         BODY, NULLABLE, "null: the usual one."})},
	{PATCH, "/v1/admin/egress-ips/{id}", ADMIN, 200, "egress_ip_update", "egress_ip",
		"Change an exit; a running host is moved to what its tunnel is made of then.", &work_seal, ETAG | IF_MATCH | NULLS, FIELDS(
		ID,
		{"label",            "ccp.label",       BODY},
		{"ip_address",       "ccp.address",     BODY, 0, "What the world must see; verified, never learnt."},
		{"provider",         "ccp.label",       BODY, NULLABLE},
		{"status",           "ccp.activation",  BODY},
		{"tunnel_type",      "ccp.tunnel_type", BODY},
		{"wg_endpoint",      "ccp.endpoint",    BODY},
		{"wg_public_key",    "ccp.wg_key",      BODY, 0, "The exit's."},
		{"wg_preshared_key", "ccp.wg_key",      BODY, FIELD_SEALED | NULLABLE, "Sealed before it is stored; null removes it."},
		{"wg_allowed_ips",   "ccp.networks",    BODY},
		{"wg_dns_server",    "ccp.address",     BODY},
		{"wg_peer_address",  "ccp.interface",   BODY, 0, "Our address inside the tunnel."},
		{"wg_mtu",           "ccp.mtu",         BODY, NULLABLE, "null: the usual one."})},
	{DELETE, "/v1/admin/egress-ips/{id}", ADMIN, 204, "egress_ip_delete", NULL, "Delete an exit that no host is bound to.",
		&work_call, .fields = FIELDS(ID)},

	{POST, "/v1/admin/bindings", ADMIN, 201, "binding_create", "binding", "Give a host an exit.", &work_call, IDEMPOTENT, FIELDS(
		{"host_id",      "uuid", BODY, REQUIRED},
		{"egress_ip_id", "uuid", BODY, REQUIRED})},
	{DELETE, "/v1/admin/bindings/{id}", ADMIN, 204, "binding_delete", NULL, "Take a stopped host's exit away.", &work_call,
		.fields = FIELDS(ID)},
	{0},
};
// clang-format on
