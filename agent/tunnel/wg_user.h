// SPDX-License-Identifier: Apache-2.0
// WireGuard in user space: a wireguard-go process, daemonized, found again, proven, asked, ended.
#pragma once

#include <stdint.h>

#include "agent/tunnel/tunnel.h"
#include "lib/attr.h"

struct err;

// The kind "wireguard". The process runs in the uplink's namespace with NET_ADMIN alone and
// no_new_privs; engine.h says what is recorded of it. It is found by its UAPI socket, which it names
// after its device, and is the one behind the device if its tun is.
//
// `start` forks: the caller's process must not reap unknown children (waitpid(-1)). `reach`:
// WireGuard itself repeats an unanswered handshake after 5 s (its REKEY_TIMEOUT); here one lost
// packet must not cost a start, so it is repeated after 0.5 s, 1.5 s, 3.5 s and so on: each try has
// longer than the one before for its way there and back. `prove` wants a handshake that was seen
// less than WG_USER_DEAD_MS ago.
enum { WG_USER_DEAD_MS = 180000 };
extern const struct tunnel_kind wg_user_kind;

// Its parts, for tests that look at them one by one.

// The process that listens on the UAPI socket of that name. 0, TUNNEL_ABSENT, -1.
_must_check_ int wg_user_find(const char *name, struct tunnel *ret, struct err *e);

struct wg_user_status {
	int64_t handshake_age_ms; // since we first saw it; -1: none yet
	uint64_t rx_bytes, tx_bytes;
};

// Asks it (UAPI get). 0, UAPI_SILENT after 500 ms, TUNNEL_ABSENT, -1.
_must_check_ int wg_user_status(struct tunnel *t, struct wg_user_status *ret, struct err *e);
