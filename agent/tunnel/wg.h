// SPDX-License-Identifier: Apache-2.0
// What WireGuard in user space and in the kernel have in common.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/tunnel/tunnel.h"
#include "agent/tunnel/wireguard.h"
#include "lib/attr.h"

struct err;
struct evidence;
struct wait;

// How a device is spoken to. Both return 0, TUNNEL_ABSENT, TUNNEL_SILENT (frozen), -1.
struct wg_way {
	int (*ask)(const struct tunnel_place *place, const struct tunnel *t,
		struct wireguard_status *ret, struct err *e);
	// Replaces the peer by the same one, which begins a handshake at once.
	int (*again)(const struct tunnel_place *place, const struct tunnel *t,
		const struct wireguard_config *config, struct err *e);
	// What it has said about the handshake, for an error's sentence: "" or ": words". NULL: it
	// says nothing.
	void (*words)(
		const struct tunnel_place *place, const struct tunnel *t, char *ret, size_t size);
};

#define WG_CODE "tunnel_no_handshake" // the kinds' `code`

enum { WG_MTU_USUAL = 1420 };

// tunnel_mtu_choose.
_must_check_ int wg_mtu_most(const struct tunnel_env *env, const struct wireguard_config *config,
	int *ret, struct err *e);

// The kinds' `parse`.
_must_check_ int wg_parse(const cJSON *exit, struct tunnel_spec *ret, struct err *e);

// The configuration with the exit's secrets, and with the host's key if it is given and the exit has
// none of its own. The caller wipes it.
_must_check_ int wg_config_open(const struct tunnel_place *place, const uint8_t *private_key,
	struct wireguard_config *ret, struct err *e);

// Which key a tunnel has, for comparisons: the exit's own public key, or else the path of the host's.
const char *wg_key_name(const struct tunnel_place *place, const struct tunnel_start *start,
	char ret_own[static KEY32_TEXT_SIZE]);

// Locks the tunnel's key: as long as the descriptor, or a copy of it, is open no other tunnel of this
// agent has that key. EBUSY: one has.
_must_check_ int wg_key_lock(const struct tunnel_place *place, const struct tunnel_start *start,
	int *ret_fd, struct err *e);

struct wg_status {
	// Since we first saw the last one; -1: none yet. It stays when the peer is replaced.
	int64_t handshake_age_ms;
	uint64_t rx_bytes, tx_bytes;
};
// Asks, and keeps in *t when a handshake was first seen. As wg_way.ask.
_must_check_ int wg_status(const struct wg_way *way, const struct tunnel_place *place,
	struct tunnel *t, struct wg_status *ret, struct err *e);

// The kinds' `reach`. WireGuard itself repeats an unanswered handshake after 5 s (its REKEY_TIMEOUT);
// here one lost packet must not cost a start, so it is repeated after 0.5 s, 1.5 s, 3.5 s and so on:
// each try has longer than the one before for its way there and back.
_must_check_ int wg_reach(const struct wg_way *way, const struct tunnel_place *place,
	struct tunnel *t, const struct wait *w, struct err *e);

// Of the kinds' `pulse_open`: how the exit is asked, if it can be.
void wg_pulse_open(const struct tunnel_place *place, struct tunnel_pulse *p);

// The kinds' `pulse_hear`, with what the device has just said: TUNNEL_UNANSWERED when it has sent more
// than what keeps it alive and nothing came back, not even a keepalive, since it was last asked. A host may
// send what gets no answer. So a question is sent with it, whose answer will be counted.
//
// After `again` the device counts from 0, and repeats the handshake every 5 s by itself. So until so much
// has come that a session has carried something it is TUNNEL_SILENT: what an exit that is away, or a host
// that only ever sends, costs is one handshake, and the checks.
_must_check_ int wg_heard(
	struct tunnel_pulse *p, const struct wireguard_status *got, struct err *e);

// The kinds' `renew`.
_must_check_ int wg_renew(const struct wg_way *way, const struct tunnel_place *place,
	const struct tunnel *t, struct err *e);

// The kinds' `prove`, as far as it is about the handshake: the last one was seen less than WG_DEAD_MS
// ago.
enum { WG_DEAD_MS = 180000 };
_must_check_ int wg_prove(const struct wg_way *way, const struct tunnel_place *place,
	struct tunnel *t, struct evidence *ev, struct err *e);

// A failed check `tunnel`: the sentence is the one in *why.
void wg_disprove(struct evidence *ev, int64_t begun_us, const struct err *why);
