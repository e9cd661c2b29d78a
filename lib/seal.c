// SPDX-License-Identifier: Apache-2.0
// Sealed boxes of libsodium in base64.
#include "lib/seal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

static_assert(KEY32_SIZE == crypto_box_PUBLICKEYBYTES && KEY32_SIZE == crypto_box_SECRETKEYBYTES,
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

void seal_pair_from_secret(const uint8_t secret_key[static KEY32_SIZE], struct seal_pair *ret)
{
	sodium_ready();
	memcpy(ret->secret_key, secret_key, KEY32_SIZE);
	crypto_scalarmult_base(ret->public_key, secret_key);
}

int seal_pair_load(int dir_fd, const char *name, struct seal_pair *ret, struct err *e)
{
	_cleanup_(wipe_freep) char *text = NULL;
	uint8_t secret[KEY32_SIZE];
	char made[KEY32_TEXT_SIZE];
	int r = file_read(dir_fd, name, KEY32_TEXT_SIZE, &text, e);

	if (r < 0 && e->code != ENOENT)
		return -1;
	if (r < 0) {
		seal_pair_make(ret);
		key32_text(ret->secret_key, made);
		r = file_write(dir_fd, name, made, strlen(made), 0600, e);
		mem_wipe(made, sizeof(made));
		return r;
	}
	text[strcspn(text, "\n")] = '\0';
	if (key32_parse(text, name, secret, e) < 0)
		return -1;
	seal_pair_from_secret(secret, ret);
	mem_wipe(secret, sizeof(secret));
	return 0;
}

int seal_make(const char *public_key, const void *secret, size_t size, char **ret, struct err *e)
{
	uint8_t key[KEY32_SIZE];
	uint8_t box[BOX_MAX];
	size_t box_size = size + crypto_box_SEALBYTES;

	sodium_ready();
	if (size > SEAL_SECRET_MAX)
		return err_say(e, EMSGSIZE, "a secret has at most %d bytes", SEAL_SECRET_MAX);
	if (key32_parse(public_key, "the sealing key", key, e) < 0)
		return err_wrap(e, "seal a secret");
	if (crypto_box_seal(box, secret, size, key) != 0)
		return err_say(e, EINVAL, "the sealing key is not a usable X25519 key");
	size_t text_size = sodium_base64_encoded_len(box_size, sodium_base64_VARIANT_ORIGINAL);
	char *text = xcalloc(1, text_size);
	sodium_bin2base64(text, text_size, box, box_size, sodium_base64_VARIANT_ORIGINAL);
	*ret = text;
	return 0;
}

int seal_open(
	const struct seal_pair *pair, const char *box, char **ret, size_t *ret_size, struct err *e)
{
	uint8_t bytes[BOX_MAX];
	size_t size;

	sodium_ready();
	if (sodium_base642bin(bytes, sizeof(bytes), box, strlen(box), NULL, &size, NULL,
		    sodium_base64_VARIANT_ORIGINAL) != 0 ||
		size < crypto_box_SEALBYTES)
		return err_say(e, EBADMSG, "the sealed secret is damaged: enter it again");
	char *secret = xcalloc(1, size - crypto_box_SEALBYTES + 1);
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

int seal_open_object(const struct seal_pair *pair, const char *box, cJSON **ret, struct err *e)
{
	_cleanup_(wipe_freep) char *text = NULL;
	_cleanup_(seal_object_freep) cJSON *object = NULL;
	size_t size;
	if (seal_open(pair, box, &text, &size, e) < 0)
		return -1;
	struct err ignored; // its sentence is made of the text
	if (json_parse(text, size, &json_from_client, &object, &ignored) < 0 ||
		!cJSON_IsObject(object))
		return err_say(e, EBADMSG, "the secret is not a JSON object: enter it again");
	*ret = object;
	object = NULL;
	return 0;
}

// cJSON frees texts as they are.
void seal_object_freep(cJSON **object)
{
	cJSON *member;
	cJSON_ArrayForEach (member, *object)
		if (cJSON_IsString(member))
			mem_wipe(member->valuestring, strlen(member->valuestring));
	cJSON_Delete(*object);
	*object = NULL;
}
