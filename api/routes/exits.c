// SPDX-License-Identifier: Apache-2.0
// Exits.
#include "api/routes/table.h"

// clang-format off
#define SEEN_ADDRESS "What the world must see; verified, never learnt."

// What all three ways to write an exit take besides; SQL says which of them its type of tunnel needs.
#define TUNNEL \
	{"ip_address6",      "ccp.address",     BODY, NULLABLE, \
		"The IPv6 address that the world must see besides, of a WireGuard exit; null: its hosts have no IPv6."}, \
	{"provider",         "ccp.label",       BODY, NULLABLE}, \
	{"status",           "ccp.activation",  BODY}, \
	{"tunnel_type",      "ccp.tunnel_type", BODY, 0, "wireguard when absent at first; another one leaves nothing of the old."}, \
	{"wg_endpoint",      "ccp.endpoint",    BODY, NULLABLE}, \
	{"wg_public_key",    "ccp.wg_key",      BODY, NULLABLE, "The exit's."}, \
	{"wg_private_key",   "ccp.wg_key",      BODY, FIELD_SEALED | NULLABLE, \
		"Ours, when the provider made the pair; absent: the host's own. Sealed before it is stored, never shown; null removes it."}, \
	{"wg_preshared_key", "ccp.wg_key",      BODY, FIELD_SEALED | NULLABLE, "Sealed before it is stored, never shown; null removes it."}, \
	{"wg_allowed_ips",   "ccp.networks",    BODY, NULLABLE}, \
	{"wg_dns_server",    "ccp.address",     BODY, NULLABLE}, \
	{"wg_peer_address",  "ccp.interface",   BODY, NULLABLE, "Our address inside the tunnel."}, \
	{"wg_peer_address6", "ccp.interface",   BODY, NULLABLE, "Our IPv6 address inside the tunnel, when ip_address6 is given."}, \
	{"wg_mtu",           "ccp.mtu",         BODY, NULLABLE, "null: the largest that passes."}, \
	{"proxy_config",     "ccp.object",      BODY, NULLABLE, \
		"The proxy in the words of sing-box, without any secret: type, server (an address), server_port and what its type has."}, \
	{"proxy_secret",     "proxy_secret",    BODY, FIELD_SEALED | NULLABLE, \
		"password, uuid, obfs_password: those of the proxy's type, all at once. Sealed before it is stored, never shown; null removes it."}, \
	{"dns_server",       "ccp.address",     BODY, NULLABLE, "The resolver that is asked through the proxy."}

static const struct field binding_fields[] = {
	{"host_id",      "uuid",    BODY, REQUIRED},
	{"egress_ip_id", "uuid",    BODY, REQUIRED},
	{"switch",       "boolean", QUERY, FIELD_LOCAL,
		"true: a host that has an exit is moved to this one, also while it runs; the answer is a task's."},
	{0},
};
static const struct route binding_switch = {POST, "/v1/admin/bindings", ADMIN, 202, "binding_switch", "task_ref",
	"Move a host to another exit.", &work_call, IDEMPOTENT, binding_fields};

const struct route exit_routes[] = {
	{GET, "/v1/admin/egress-ips", ADMIN, 200, "egress_ip_list", "egress_ip_page", "Exits.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"),
		{"status", "ccp.activation", QUERY},
		{"state",  "ccp.exit_state", QUERY},
		{"bound",  "boolean",        QUERY, 0, "Whether a host leaves through it; false: those that are free."},
		{"label",  "api.filter",     QUERY, 0, "Labels that begin with this."})},
	{POST, "/v1/admin/egress-ips", ADMIN, 201, "egress_ip_create", "egress_ip", "Register an exit.", &work_exit, IDEMPOTENT | ETAG, FIELDS(
		{"label",            "ccp.label",       BODY, REQUIRED},
		{"ip_address",       "ccp.address",     BODY, REQUIRED, SEEN_ADDRESS},
		TUNNEL)},
	{POST, "/v1/admin/egress-ips/import", ADMIN, 200, "egress_ip_import", "egress_ip_import",
		"Read what a provider gave, and save it as an exit.", &work_import, IDEMPOTENT, FIELDS(
		{"text",       "import_text", BODY, REQUIRED | FIELD_LOCAL,
			"A wg-quick file, or one link: ss, vmess, vless, trojan, socks5, http, https, hysteria2, tuic, anytls. Never shown again."},
		{"save",       "boolean",     BODY, 0, "Whether it becomes an exit; else the answer is a preview."},
		{"label",      "ccp.label",   BODY, 0, "In place of what the text calls it."},
		{"ip_address", "ccp.address", BODY, 0, SEEN_ADDRESS " The server's own when absent."},
		{"ip_address6", "ccp.address", BODY, 0, "The IPv6 address the world must see besides; absent: what the text says of IPv6 is left out."},
		{"dns_server", "ccp.address", BODY, 0, "The resolver; absent: the text's, else that of the setting import_dns_server."},
		{"server",     "ccp.address", BODY, 0, "The server's address, where the text has a name."})},
	{GET, "/v1/admin/egress-ips/{id}", ADMIN, 200, "egress_ip_get", "egress_ip", "One exit.", &work_call, ETAG, FIELDS(ID)},
	{PUT, "/v1/admin/egress-ips/{id}", ADMIN, 200, "egress_ip_replace", "egress_ip", "Write an exit as a whole, but for secrets: an absent one stays.",
		&work_exit, ETAG | IF_MATCH | NULLS, FIELDS(
		ID,
		{"label",            "ccp.label",       BODY, REQUIRED},
		{"ip_address",       "ccp.address",     BODY, REQUIRED, SEEN_ADDRESS},
		TUNNEL)},
	{PATCH, "/v1/admin/egress-ips/{id}", ADMIN, 200, "egress_ip_update", "egress_ip",
		"Change an exit; a running host is moved to what its tunnel is made of then.", &work_exit, ETAG | IF_MATCH | NULLS, FIELDS(
		ID,
		{"label",            "ccp.label",       BODY},
		{"ip_address",       "ccp.address",     BODY, 0, SEEN_ADDRESS},
		TUNNEL)},
	{DELETE, "/v1/admin/egress-ips/{id}", ADMIN, 204, "egress_ip_delete", NULL, "Delete an exit that no host is bound to.",
		&work_call, .fields = FIELDS(ID)},

	{POST, "/v1/admin/egress-ips/{id}/test", ADMIN, 202, "egress_ip_test", "task_ref",
		"Prove an exit now, by a tunnel of its own, or by that of the host that runs through it; the task tells how it went.",
		&work_call, IDEMPOTENT, FIELDS(ID)},
	{GET, "/v1/admin/egress-ips/{id}/tests", ADMIN, 200, "egress_ip_test_list", "egress_test_page",
		"The last 50 tests of an exit.", &work_call, .fields = FIELDS(
		ID,
		PAGE("api.by_creation"),
		{"outcome", "ccp.outcome[]", QUERY})},

	{POST, "/v1/admin/bindings", ADMIN, 201, "binding_create", "binding", "Give a host an exit.", &work_call, IDEMPOTENT,
		binding_fields, .other_if = "switch", .other = &binding_switch},
	{DELETE, "/v1/admin/bindings/{id}", ADMIN, 204, "binding_delete", NULL, "Take a stopped host's exit away.", &work_call,
		.fields = FIELDS(ID)},
	{0},
};
// clang-format on
