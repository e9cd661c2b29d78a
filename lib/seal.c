// SPDX-License-Identifier: Apache-2.0
// Sealed boxes of libsodium in base64.
#include "lib/seal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "lib/err.h"
#include "lib/mem.h"

static_assert(
	SEAL_KEY_SIZE == crypto_box_PUBLICKEYBYTES && SEAL_KEY_SIZE == crypto_box_SECRETKEYBYTES,
	"key sizes are libsodium's");

enum { BOX_MAX = SEAL_SECRET_MAX + crypto_box_SEALBYTES };

static void sodium_ready(void)
{
	int r = sodium_init(); // 0 the first time, 1 later, thread-safe

	assert(r >= 0);
}

void seal_pair_make(struct seal_pair *ret)
{
	sodium_ready();
	crypto_box_keypair(ret->public_key, ret->secret_key);
}

void seal_pair_from_secret(const uint8_t secret_key[static SEAL_KEY_SIZE], struct seal_pair *ret)
{
	sodium_ready();
	memcpy(ret->secret_key, secret_key, SEAL_KEY_SIZE);
	crypto_scalarmult_base(ret->public_key, secret_key);
}

void seal_key_text(const uint8_t key[static SEAL_KEY_SIZE], char ret[static SEAL_KEY_TEXT_SIZE])
{
	sodium_bin2base64(
		ret, SEAL_KEY_TEXT_SIZE, key, SEAL_KEY_SIZE, sodium_base64_VARIANT_ORIGINAL);
}

int seal_key_parse(const char *text, uint8_t ret[static SEAL_KEY_SIZE], struct err *e)
{
	size_t size;

	if (strlen(text) != SEAL_KEY_TEXT_SIZE - 1 ||
		sodium_base642bin(ret, SEAL_KEY_SIZE, text, strlen(text), NULL, &size, NULL,
			sodium_base64_VARIANT_ORIGINAL) != 0 ||
		size != SEAL_KEY_SIZE)
		return err_say(e, EINVAL, "the key is not base64 of 32 bytes");
	return 0;
}

int seal_make(const char *public_key, const void *secret, size_t size, char **ret, struct err *e)
{
	uint8_t key[SEAL_KEY_SIZE];
	uint8_t box[BOX_MAX];
	size_t box_size = size + crypto_box_SEALBYTES;
	size_t text_size;
	char *text;

	sodium_ready();
	if (size > SEAL_SECRET_MAX)
		return err_say(e, EMSGSIZE, "a secret has at most %d bytes", SEAL_SECRET_MAX);
	if (seal_key_parse(public_key, key, e) < 0)
		return err_wrap(e, "seal a secret");
	if (crypto_box_seal(box, secret, size, key) != 0)
		return err_say(e, EINVAL, "the sealing key is no usable X25519 key");
	text_size = sodium_base64_encoded_len(box_size, sodium_base64_VARIANT_ORIGINAL);
	text = xcalloc(1, text_size);
	sodium_bin2base64(text, text_size, box, box_size, sodium_base64_VARIANT_ORIGINAL);
	*ret = text;
	return 0;
}

int seal_open(
	const struct seal_pair *pair, const char *box, char **ret, size_t *ret_size, struct err *e)
{
	uint8_t bytes[BOX_MAX];
	size_t size;
	char *secret;

	sodium_ready();
	if (sodium_base642bin(bytes, sizeof(bytes), box, strlen(box), NULL, &size, NULL,
		    sodium_base64_VARIANT_ORIGINAL) != 0 ||
		size < crypto_box_SEALBYTES)
		return err_say(e, EBADMSG, "the sealed secret is damaged: enter it again");
	secret = xcalloc(1, size - crypto_box_SEALBYTES + 1);
	if (crypto_box_seal_open(
		    (uint8_t *)secret, bytes, size, pair->public_key, pair->secret_key) != 0) {
		free(secret);
		return err_say(e, EBADMSG,
			"the secret was sealed to another installation's key: enter it again");
	}
	*ret = secret;
	*ret_size = size - crypto_box_SEALBYTES;
	return 0;
}
