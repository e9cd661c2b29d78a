// SPDX-License-Identifier: Apache-2.0
// WireGuard in user space: a wireguard-go process, daemonized, found again, proven, asked, ended.
#pragma once

#include <stdint.h>

#include "agent/tunnel/tunnel.h"
#include "agent/tunnel/wg.h"
#include "lib/attr.h"

struct err;

// The kind "wireguard". The process runs in the uplink's namespace with NET_ADMIN alone and
// no_new_privs; engine.h says what is recorded of it. It is found by its UAPI socket, which it names
// after its device, and is the one behind the device if its tun is.
//
// `start` forks: the caller's process must not reap unknown children (waitpid(-1)).
extern const struct tunnel_kind wg_user_kind;

// Its parts, for tests that look at them one by one.

// The process that listens on the UAPI socket of that name. 0, TUNNEL_ABSENT, -1.
_must_check_ int wg_user_find(const char *name, struct tunnel *ret, struct err *e);

// Asks it (UAPI get). 0, TUNNEL_SILENT after 500 ms, TUNNEL_ABSENT, -1.
_must_check_ int wg_user_status(struct tunnel *t, struct wg_status *ret, struct err *e);
