// SPDX-License-Identifier: Apache-2.0
// Secrets and signatures of messages, as the Standard Webhooks specification has them.
#pragma once

#include <stdint.h>

#include "lib/attr.h"

struct err;

// Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md. A secret is
// "whsec_" and base64 of 24 to 64 bytes; a signature is "v1," and base64 of the HMAC-SHA256, by those
// bytes, of "id.timestamp.body".
enum {
	WEBHOOK_SECRET_SIZE = 51, // one of ours: of 32 bytes, with the NUL
	WEBHOOK_SIGNATURE_SIZE = 48, // with the NUL
};

void webhook_secret_make(char ret[static WEBHOOK_SECRET_SIZE]);

// `id` holds no dot; `timestamp` is in seconds since the epoch. -1 when the secret is not one.
_must_check_ int webhook_sign(const char *secret, const char *id, int64_t timestamp,
	const char *body, char ret[static WEBHOOK_SIGNATURE_SIZE], struct err *e);
