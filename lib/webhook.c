// SPDX-License-Identifier: Apache-2.0
// HMAC-SHA256 of libsodium, in the form that receivers check.
#include "lib/webhook.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "lib/err.h"
#include "lib/hash.h"
#include "lib/mem.h"

enum { KEY_BYTES = 32, KEY_MIN = 24, KEY_MAX = 64 };

static const char secret_prefix[] = "whsec_";
static const char signature_prefix[] = "v1,";

enum {
	SECRET_PREFIX_LEN = sizeof(secret_prefix) - 1,
	SIGNATURE_PREFIX_LEN = sizeof(signature_prefix) - 1
};

static_assert(WEBHOOK_SECRET_SIZE == SECRET_PREFIX_LEN + sodium_base64_ENCODED_LEN(KEY_BYTES,
								 sodium_base64_VARIANT_ORIGINAL),
	"a secret fits exactly");
static_assert(WEBHOOK_SIGNATURE_SIZE ==
		      SIGNATURE_PREFIX_LEN + sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES,
						     sodium_base64_VARIANT_ORIGINAL),
	"a signature fits exactly");

void webhook_secret_make(char ret[static WEBHOOK_SECRET_SIZE])
{
	unsigned char key[KEY_BYTES];

	hash_random(key, sizeof(key));
	memcpy(ret, secret_prefix, SECRET_PREFIX_LEN);
	sodium_bin2base64(ret + SECRET_PREFIX_LEN, WEBHOOK_SECRET_SIZE - SECRET_PREFIX_LEN, key,
		sizeof(key), sodium_base64_VARIANT_ORIGINAL);
	mem_wipe(key, sizeof(key));
}

static int key_of(
	const char *secret, unsigned char key[static KEY_MAX], size_t *ret_len, struct err *e)
{
	if (strncmp(secret, secret_prefix, SECRET_PREFIX_LEN) != 0 ||
		sodium_base642bin(key, KEY_MAX, secret + SECRET_PREFIX_LEN,
			strlen(secret + SECRET_PREFIX_LEN), NULL, ret_len, NULL,
			sodium_base64_VARIANT_ORIGINAL) != 0 ||
		*ret_len < KEY_MIN)
		return err_say(e, EINVAL, "the webhook's secret is not one: give it another");
	return 0;
}

int webhook_sign(const char *secret, const char *id, int64_t timestamp, const char *body,
	char ret[static WEBHOOK_SIGNATURE_SIZE], struct err *e)
{
	unsigned char key[KEY_MAX], mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	char time_text[24];
	size_t key_len = 0;

	if (key_of(secret, key, &key_len, e) < 0)
		return -1;
	int time_len = snprintf(time_text, sizeof(time_text), ".%" PRId64 ".", timestamp);
	crypto_auth_hmacsha256_init(&state, key, key_len);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)id, strlen(id));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)time_text, (size_t)time_len);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, strlen(body));
	crypto_auth_hmacsha256_final(&state, mac);
	mem_wipe(key, sizeof(key));
	mem_wipe(&state, sizeof(state));
	memcpy(ret, signature_prefix, SIGNATURE_PREFIX_LEN);
	sodium_bin2base64(ret + SIGNATURE_PREFIX_LEN, WEBHOOK_SIGNATURE_SIZE - SIGNATURE_PREFIX_LEN,
		mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
	return 0;
}
