// SPDX-License-Identifier: Apache-2.0
// An exit as SQL gives it, within a host's spec or by itself.
#pragma once

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "agent/net/wall.h"
#include "agent/tunnel/tunnel.h"
#include "agent/verify/verify.h"
#include "lib/addr.h"
#include "lib/attr.h"

struct err;

// Points into the JSON that it was read from.
struct exit_spec {
	const cJSON *json;
	const char *label;
	struct addr expected; // its public address
	struct addr expected6; // its IPv6 one besides; family 0: none
	struct addr resolver;
	struct tunnel_spec tunnel;
	bool ipv6; // we have such an address inside, so IPv6 may leave
};

// EINVAL names the field that is missing or wrong.
_must_check_ int exit_spec_read(const cJSON *json, struct exit_spec *ret, struct err *e);

// The public half of a key pair that the exit brings for us, in place of the host's; NULL: none.
const char *exit_own_key(const struct exit_spec *exit);

// What is verified of any exit, as SQL's verification.settings() says: echo_urls, connect_targets
// and dns_check_zone of *ret, borrowed from the JSON. EINVAL names the field.
_must_check_ int exit_verify_read(const cJSON *settings, struct verify_spec *ret, struct err *e);

// EINVAL names the setting without which nothing is proven.
_must_check_ int exit_verify_is_whole(const struct verify_spec *spec, struct err *e);

// The rest of it, for this exit.
void exit_verify_fill(
	const struct exit_spec *exit, enum verify_kind kind, struct verify_spec *spec);

// What the process that carries a tunnel may use: cpu_limit and memory_limit_mb of SQL's `tunnel`.
_must_check_ int exit_budget_read(const cJSON *tunnel, struct budget *ret, struct err *e);

// One of our own, as the exit was when it was copied.
struct exit_copy {
	cJSON *json;
	struct exit_spec spec; // points into `json`
};
_must_check_ int exit_copy_make(const struct exit_spec *exit, struct exit_copy *ret, struct err *e);
void exit_copy_done(struct exit_copy *copy);

// The wall that lets a host leave through this exit only.
void exit_wall_spec(const struct exit_spec *exit, struct wall_spec *ret);
