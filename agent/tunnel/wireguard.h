// SPDX-License-Identifier: Apache-2.0
// WireGuard's keys, configuration and UAPI text (wireguard.com/xplatform), without any I/O.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "lib/addr.h"
#include "lib/attr.h"
#include "lib/key32.h"

struct err;
struct seal_pair;

// As many allowed addresses as ccp.egress_ips takes.
enum { WIREGUARD_ALLOWED_MAX = 64 };

// Every so often a packet keeps NAT on the way open and the handshake young while the user is idle.
enum { WIREGUARD_KEEPALIVE_S = 25 };

struct wireguard_config {
	uint8_t private_key[KEY32_SIZE]; // ours; wipe the struct after use
	// Of the key that this exit alone is used with; all zero: it is used with the host's.
	uint8_t own_public_key[KEY32_SIZE];
	uint8_t public_key[KEY32_SIZE]; // the exit's
	uint8_t preshared_key[KEY32_SIZE]; // all zero: none
	struct addr_port endpoint;
	struct addr allowed[WIREGUARD_ALLOWED_MAX]; // what may come from and go to the exit
	size_t allowed_count;
};

// Reads the exit's side from JSON: {endpoint: "address:port", public_key: base64, allowed_ips:
// ["0.0.0.0/0", ...], own_public_key: base64 or null}. EINVAL names the field. The secrets are left
// alone.
_must_check_ int wireguard_exit_parse(
	const cJSON *exit, struct wireguard_config *ret, struct err *e);

bool wireguard_has_own_key(const struct wireguard_config *config);

// Replaces the private key by the exit's own, from the seal of {private_key: base64, preshared_key:
// base64 or absent}; nothing when the exit has none. EINVAL when it is not the private half of
// own_public_key. On failure no secret is left in *config.
_must_check_ int wireguard_own_key_open(struct wireguard_config *config, const char *sealed,
	const struct seal_pair *sealing, struct err *e);

// Adds the preshared key from a seal that holds nothing else; nothing when that is NULL. On failure no
// secret is left in *config.
_must_check_ int wireguard_preshared_key_open(struct wireguard_config *config, const char *sealed,
	const struct seal_pair *sealing, struct err *e);

// The text that configures a fresh engine: `set=1` with our key and one peer, keepalive 25 s so
// that the handshake's age tells whether the exit is there. On the heap; wipe_freep it.
char *wireguard_set_text(const struct wireguard_config *config);

// The text that replaces the engine's peer by the same one, which begins a handshake at once.
// Without the private key. On the heap; wipe_freep it.
char *wireguard_again_text(const struct wireguard_config *config);

struct wireguard_status {
	int64_t handshake_ns; // CLOCK_REALTIME of the last one, 0: none yet
	uint64_t rx_bytes, tx_bytes;
	uint8_t public_key[KEY32_SIZE]; // the exit's; zero before it is configured
};

// Reads an answer of the engine to `get=1` or `set=1` (text up to and with its empty line). Exactly
// one peer or none; unknown lines are skipped; an errno other than 0 is EIO.
_must_check_ int wireguard_answer_parse(
	const char *text, struct wireguard_status *ret, struct err *e);
