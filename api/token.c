// SPDX-License-Identifier: Apache-2.0
// Signs and checks login tokens with libjwt, which needs watching: see token_check.
#include "api/token.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jwt.h>

#include "lib/mem.h"
#include "lib/wait.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct token_key keys[TOKEN_KEYS_MAX];
static size_t keys_count;

static void jwt_freep(jwt_t **jwt)
{
	jwt_free(*jwt);
}

void token_set_keys(const struct token_key *new_keys, size_t count)
{
	pthread_rwlock_wrlock(&lock);
	mem_wipe(keys, sizeof(keys));
	keys_count = count < TOKEN_KEYS_MAX ? count : TOKEN_KEYS_MAX;
	for (size_t i = 0; i < keys_count; i++)
		keys[i] = new_keys[i];
	pthread_rwlock_unlock(&lock);
}

// Copies the key of a kid, or the one that signs now when kid is NULL.
static int key_find(const char *kid, struct token_key *ret)
{
	int found = TOKEN_NO_KEYS;
	int64_t now_ms = wait_now_ms();
	pthread_rwlock_rdlock(&lock);
	for (size_t i = 0; i < keys_count; i++) {
		if (!kid ? keys[i].signs && keys[i].signs_at_ms <= now_ms
			 : strcmp(keys[i].kid, kid) == 0) {
			*ret = keys[i];
			found = 0;
			break;
		}
		found = TOKEN_UNKNOWN_KEY;
	}
	pthread_rwlock_unlock(&lock);
	return found;
}

static bool claim_uuid(jwt_t *jwt, const char *name, char ret[static TOKEN_UUID_SIZE])
{
	const char *text = jwt_get_grant(jwt, name);
	if (!text || !str_is_uuid(text))
		return false;
	memcpy(ret, text, TOKEN_UUID_SIZE);
	return true;
}

static bool claims_read(jwt_t *jwt, struct claims *ret)
{
	ret->generation = jwt_get_grant_int(jwt, "gen");
	ret->expires_at = jwt_get_grant_int(jwt, "exp");
	return claim_uuid(jwt, "sub", ret->user_id) && claim_uuid(jwt, "lid", ret->login_id) &&
	       ret->generation > 0 && ret->generation <= INT32_MAX && ret->expires_at > time(NULL);
}

// libjwt takes expired tokens, HS512 where the key is meant for HS256, and, decoding without a key,
// "none". So: decode once without a key only to learn the kid, then with that key, require HS256,
// and look at exp ourselves.
int token_check(const char *token, struct claims *ret)
{
	if (strnlen(token, TOKEN_TEXT_MAX + 1) > TOKEN_TEXT_MAX)
		return TOKEN_INVALID;
	_cleanup_(jwt_freep) jwt_t *unproven = NULL;
	if (jwt_decode(&unproven, token, NULL, 0) != 0)
		return TOKEN_INVALID;
	const char *kid = jwt_get_header(unproven, "kid");
	if (!kid)
		return TOKEN_INVALID;
	struct token_key key;
	int r = key_find(kid, &key);
	if (r != 0)
		return r;
	_cleanup_(jwt_freep) jwt_t *jwt = NULL;
	r = jwt_decode(&jwt, token, key.secret, sizeof(key.secret));
	mem_wipe(&key, sizeof(key));
	struct claims claims;
	if (r != 0 || jwt_get_alg(jwt) != JWT_ALG_HS256 || !claims_read(jwt, &claims))
		return TOKEN_INVALID;
	*ret = claims;
	return 0;
}

int token_make(const struct claims *claims, char **ret)
{
	struct token_key key;
	int r = key_find(NULL, &key);
	if (r != 0)
		return TOKEN_NO_KEYS;
	_cleanup_(jwt_freep) jwt_t *jwt = NULL;
	bool made = jwt_new(&jwt) == 0 && jwt_add_header(jwt, "kid", key.kid) == 0 &&
		    jwt_add_grant(jwt, "sub", claims->user_id) == 0 &&
		    jwt_add_grant(jwt, "lid", claims->login_id) == 0 &&
		    jwt_add_grant_int(jwt, "gen", (long)claims->generation) == 0 &&
		    jwt_add_grant_int(jwt, "exp", (long)claims->expires_at) == 0 &&
		    jwt_set_alg(jwt, JWT_ALG_HS256, key.secret, sizeof(key.secret)) == 0;
	mem_wipe(&key, sizeof(key));
	*ret = made ? jwt_encode_str(jwt) : NULL;
	if (!*ret)
		abort(); // out of memory is the only way
	return 0;
}
