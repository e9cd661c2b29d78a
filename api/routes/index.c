// SPDX-License-Identifier: Apache-2.0
// The route tables, one per noun, in the order of the document.
#include "api/routes/table.h"

// clang-format off
const struct route_table route_tables[] = {
	{"system",      "How the service is, and what it offers.", system_routes},
	{"auth",        "Logins: begun, renewed, ended.",          auth_routes},
	{"bootstrap",   "From one line of shell into a host.",     bootstrap_routes},
	{"users",       "People.",                                 user_routes},
	{"ssh-keys",    "Public keys that people come in with.",   ssh_key_routes},
	{"egress-ips",  "Exits.",                                  exit_routes},
	{"hosts",       "Containers.",                             host_routes},
	{"sessions",    "Who is, and was, in which host.",         session_routes},
	{"tasks",       "Long work.",                              task_routes},
	{"events",      "The audit log.",                          event_routes},
	{"live",        "What changes, as it changes.",            live_routes},
	{"signing-keys", "Keys of login tokens.",                 signing_key_routes},
	{"nodes",       "Machines that hosts live on.",            node_routes},
	{"settings",    "What administrators set.",                setting_routes},
	{"webhooks",    "Events that are sent to other systems.",  webhook_routes},
	{0},
};
// clang-format on
