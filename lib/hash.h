// SPDX-License-Identifier: Apache-2.0
// Password hashes, SHA-256, random tokens.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/outcome.h"

struct err;

// crypt_r takes any scheme that it knows, old ones included, so the prefix is checked before every
// check. A check costs 75 ms (bcrypt) or 23 ms and 16 MB (yescrypt): only ever in a hash pool,
// never on a main loop.
enum hash_kind {
	HASH_BCRYPT, // login passwords, "$2b$10$"
	HASH_YESCRYPT, // a host's SSH password, "$y$j9T$"
};

enum {
	HASH_TEXT_MAX = 128, // longest hash with its NUL
	HASH_PASSWORD_MIN = 8, // bytes of a password that people choose
	HASH_PASSWORD_MAX = 72, // bytes; bcrypt ignores what follows
	HASH_TOKEN_SIZE = 44, // 32 random bytes in base64url, with the NUL
	HASH_SHA256_HEX_SIZE = 65,
};

// Makes a hash with a fresh salt. Fails for an empty password and for one over HASH_PASSWORD_MAX
// bytes.
_must_check_ int hash_make(
	enum hash_kind kind, const char *password, char ret[static HASH_TEXT_MAX], struct err *e);

enum hash_outcome { HASH_MISMATCH = OUTCOMES_HASH };

// 0 the password is right, HASH_MISMATCH it is not (`e` is not touched), -1 the stored hash is not
// of that kind. Empty and overlong passwords are a mismatch that costs as much as any other.
_must_check_ int hash_check(
	enum hash_kind kind, const char *password, const char *hash, struct err *e);

// A bcrypt hash that no password matches and that costs the same to check: for unknown names.
extern const char hash_dummy[];

// Lower-case hex of SHA-256.
void hash_sha256_hex(const void *data, size_t size, char ret[static HASH_SHA256_HEX_SIZE]);

// 32 random bytes as base64url without padding: poll tokens and the like.
void hash_token(char ret[static HASH_TOKEN_SIZE]);

// A password for people to copy: 20 characters out of 57 that are not mistaken for each other (116
// bits).
void hash_password(char ret[static 21]);

void hash_random(void *buffer, size_t size);
