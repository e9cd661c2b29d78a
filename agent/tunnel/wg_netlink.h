// SPDX-License-Identifier: Apache-2.0
// What the kernel's WireGuard is told and asked (linux/wireguard.h), as messages, without any I/O.
#pragma once

#include <stdint.h>

#include "agent/net/nl.h"
#include "agent/tunnel/wireguard.h"
#include "lib/attr.h"

struct err;

// A device, by the name that it has in the namespace of the socket.
struct wg_netlink {
	uint16_t family; // of WG_GENL_NAME (genl_family)
	const char *device;
};

// Adds the messages that give a device our key and one peer, which replaces all that it had; keepalive
// 25 s, so that the handshake's age tells whether the exit is there. Two messages where the peer's
// allowed addresses do not fit into one. Wipe the batch after use.
void wg_netlink_put_set(struct nl *n, struct nl_batch *b, const struct wg_netlink *to,
	const struct wireguard_config *config);

// The same without our key. A device that is up begins a handshake at once. Wipe the batch after use.
void wg_netlink_put_again(struct nl *n, struct nl_batch *b, const struct wg_netlink *to,
	const struct wireguard_config *config);

// Adds the question for all that a device has; nl_dump() gives the answers to wg_netlink_take().
void wg_netlink_put_get(struct nl *n, struct nl_batch *b, const struct wg_netlink *to);

// What has been read. Zero before the first message.
struct wg_netlink_reading {
	struct wireguard_status status; // of the one peer
	unsigned peers; // a peer that goes on in the next message counts once
};

// One message of the answer, with struct wg_netlink_reading behind `arg`. Keys other than the peer's
// public one are not kept. 0, or -1 (EBADMSG).
nl_each wg_netlink_take;

// When all messages have been taken: one peer or none. 0, or -1 (EBADMSG).
_must_check_ int wg_netlink_finish(
	const struct wg_netlink_reading *reading, struct wireguard_status *ret, struct err *e);
