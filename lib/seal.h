// SPDX-License-Identifier: Apache-2.0
// Secrets that only one program opens, sealed by those who have its public key.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "lib/attr.h"
#include "lib/key32.h"

struct err;

// libsodium's sealed box: X25519 with an ephemeral key, XSalsa20-Poly1305. The agent, for secrets of
// exits, and the worker, for those of webhooks, make a pair each at their first start and put the
// public half into the settings (node.set_sealing_key, webhook.set_sealing_key); the API seals what
// it is given; SQL stores base64 ciphertext. All keys and boxes are standard base64 with padding.
enum { SEAL_SECRET_MAX = 4096 }; // longest secret, bytes

struct seal_pair {
	uint8_t public_key[KEY32_SIZE];
	uint8_t secret_key[KEY32_SIZE]; // wipe the struct after use
};

void seal_pair_make(struct seal_pair *ret);
// The pair of a secret key that was stored.
void seal_pair_from_secret(const uint8_t secret_key[static KEY32_SIZE], struct seal_pair *ret);

// The pair of which the file holds the secret half in base64; made, and the file (0600) with it, when
// there is none. EINVAL when the file holds something else: it is never replaced.
_must_check_ int seal_pair_load(int dir_fd, const char *name, struct seal_pair *ret, struct err *e);

// Seals `secret` (any bytes, at most SEAL_SECRET_MAX). *ret is base64 on the heap, the caller frees
// it.
_must_check_ int seal_make(
	const char *public_key, const void *secret, size_t size, char **ret, struct err *e);

// Opens a box. *ret has size *ret_size and a NUL behind it; the caller wipes and frees it. EBADMSG
// when it was sealed to another key or changed since: then the sentence says so, never what was in
// it.
_must_check_ int seal_open(
	const struct seal_pair *pair, const char *box, char **ret, size_t *ret_size, struct err *e);

// Opens a box that holds a JSON object whose members are secrets. EBADMSG too when it holds something
// else. The caller frees it by seal_object_freep (usable as _cleanup_(seal_object_freep)), which wipes
// its texts.
_must_check_ int seal_open_object(
	const struct seal_pair *pair, const char *box, cJSON **ret, struct err *e);
void seal_object_freep(cJSON **object);
