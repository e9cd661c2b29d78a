// SPDX-License-Identifier: Apache-2.0
// An exit as SQL gives it, within a host's spec or by itself.
#pragma once

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "agent/net/wall.h"
#include "agent/tunnel/tunnel.h"
#include "lib/addr.h"
#include "lib/attr.h"

struct err;

// Points into the JSON that it was read from.
struct exit_spec {
	const cJSON *json;
	const char *label;
	struct addr expected; // its public address
	struct addr resolver;
	struct tunnel_spec tunnel;
	bool ipv6; // our address inside is one, so IPv6 may leave
};

// EINVAL names the field that is missing or wrong.
_must_check_ int exit_spec_read(const cJSON *json, struct exit_spec *ret, struct err *e);

// One of our own, as the exit was when it was copied.
struct exit_copy {
	cJSON *json;
	struct exit_spec spec; // points into `json`
};
_must_check_ int exit_copy_make(const struct exit_spec *exit, struct exit_copy *ret, struct err *e);
void exit_copy_done(struct exit_copy *copy);

// The wall that lets a host leave through this exit only.
void exit_wall_spec(const struct exit_spec *exit, struct wall_spec *ret);
