// SPDX-License-Identifier: Apache-2.0
// Password hashes by libxcrypt; digests and randomness by libsodium.
#include "lib/hash.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <sodium.h>

#include "lib/err.h"
#include "lib/mem.h"

// The settings part ends before the salt: a stored hash must begin with it, so an old scheme or
// another cost never passes.
static const struct {
	const char *prefix; // of stored hashes
	const char *gensalt; // for crypt_gensalt_rn
	unsigned long cost;
} kinds[] = {
	[HASH_BCRYPT] = {"$2b$", "$2b$", 10},
	[HASH_YESCRYPT] = {"$y$j9T$", "$y$", 5},
};

// Of 32 random bytes that were not kept.
const char hash_dummy[] = "$2b$10$J1cmH2UG5ywnFROy6/WX/.yiC4PogYX1sWygklz5bwQkNAVEvCc66";

// struct crypt_data is 32 KB and holds key material: on the heap (thread stacks are small), wiped.
static void crypt_data_freep(struct crypt_data **data)
{
	if (*data)
		mem_wipe(*data, sizeof(**data));
	free(*data);
}

void hash_random(void *buffer, size_t size)
{
	unsigned char *at = buffer;

	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort(); // no randomness, no security
		at += got;
		size -= (size_t)got;
	}
}

int hash_make(
	enum hash_kind kind, const char *password, char ret[static HASH_TEXT_MAX], struct err *e)
{
	_cleanup_(crypt_data_freep) struct crypt_data *data = xnew(struct crypt_data);
	char salt[CRYPT_GENSALT_OUTPUT_SIZE], random[32];
	size_t len = strlen(password);

	if (len == 0 || len > HASH_PASSWORD_MAX)
		return err_say(e, EINVAL, "a password has 1 to %d bytes", HASH_PASSWORD_MAX);
	hash_random(random, sizeof(random));
	if (!crypt_gensalt_rn(kinds[kind].gensalt, kinds[kind].cost, random, sizeof(random), salt,
		    sizeof(salt)))
		return err_set(e, errno, "make a salt");
	const char *hash = crypt_rn(password, salt, data, sizeof(*data));
	if (!hash || strncmp(hash, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0)
		return err_say(e, ENOTSUP, "this system's libcrypt does not make %s hashes",
			kinds[kind].prefix);
	if (!text_copy(ret, HASH_TEXT_MAX, hash))
		return err_say(e, EOVERFLOW, "the hash is longer than expected");
	return 0;
}

// In constant time; different lengths are unequal at once.
static bool is_equal(const char *a, const char *b)
{
	size_t len = strlen(a);

	return len == strlen(b) && sodium_memcmp(a, b, len) == 0;
}

int hash_check(enum hash_kind kind, const char *password, const char *hash, struct err *e)
{
	_cleanup_(crypt_data_freep) struct crypt_data *data = xnew(struct crypt_data);
	size_t len = strlen(password);
	bool usable = len > 0 && len <= HASH_PASSWORD_MAX;

	if (strncmp(hash, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0)
		return err_say(e, EINVAL,
			"a stored password hash does not begin with %s: set the password again",
			kinds[kind].prefix);
	const char *again = crypt_rn(usable ? password : "-", hash, data, sizeof(*data));
	if (!again || again[0] == '*')
		return err_say(
			e, EINVAL, "a stored password hash is damaged: set the password again");
	return usable && is_equal(again, hash) ? 0 : HASH_MISMATCH;
}

void hash_sha256_hex(const void *data, size_t size, char ret[static HASH_SHA256_HEX_SIZE])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, data, size);
	sodium_bin2hex(ret, HASH_SHA256_HEX_SIZE, digest, sizeof(digest));
}

void hash_token(char ret[static HASH_TOKEN_SIZE])
{
	unsigned char random[32];

	hash_random(random, sizeof(random));
	sodium_bin2base64(ret, HASH_TOKEN_SIZE, random, sizeof(random),
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	mem_wipe(random, sizeof(random));
}

void hash_password(char ret[static 21])
{
	static const char letters[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	const unsigned count = sizeof(letters) - 1;

	for (int i = 0; i < 20;) {
		unsigned char byte;
		hash_random(&byte, 1);
		if (byte < 256 / count * count) // every letter equally likely
			ret[i++] = letters[byte % count];
	}
	ret[20] = '\0';
}
