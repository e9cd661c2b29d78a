// SPDX-License-Identifier: Apache-2.0
// Login tokens: JWT, HS256 and nothing else, by key id.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/outcome.h"

struct err;

// What a token says. That the user and the login still live is checked by the route's own SQL call.
enum { TOKEN_UUID_SIZE = 37 };
struct claims {
	char user_id[TOKEN_UUID_SIZE]; // sub
	char login_id[TOKEN_UUID_SIZE]; // lid
	int64_t generation; // gen
	int64_t expires_at; // exp, seconds since 1970
};

enum {
	TOKEN_KEY_BYTES = 32,
	TOKEN_KEYS_MAX = 16,
	TOKEN_KID_MAX = 64,
	TOKEN_TEXT_MAX = 2048, // longer tokens are refused unread
};

struct token_key {
	char kid[TOKEN_KID_MAX + 1];
	unsigned char secret[TOKEN_KEY_BYTES];
	bool signs; // the others only verify
	int64_t signs_at_ms; // from then on, on wait_now_ms(): the first in the list that does signs
};

// Replaces all keys. They live in ccp.signing_keys and, in this process, here; nowhere else. From
// any thread.
void token_set_keys(const struct token_key *keys, size_t count);

enum token_outcome {
	TOKEN_INVALID = OUTCOMES_TOKEN, // not a token of ours, or changed, or expired
	TOKEN_NO_KEYS, // keys have not been read yet
	TOKEN_UNKNOWN_KEY, // signed with a key we do not know: read the keys again
};

// Checks a token: key by kid, the algorithm is HS256, signature, exp, well-formed claims.
int token_check(const char *token, struct claims *ret);

// Signs a token. The caller frees (and wipes) *ret. TOKEN_NO_KEYS when there is no signing key.
int token_make(const struct claims *claims, char **ret);
