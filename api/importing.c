// SPDX-License-Identifier: Apache-2.0
// Puts what was read of a pasted text into the words of SQL.
#include "api/importing.h"

#include <string.h>

#include "lib/err.h"
#include "lib/import.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/seal.h"

// A preshared key has a column of its own.
static const char preshared_key[] = "preshared_key";

static char *secret_print(const struct import *i)
{
	cJSON *rest = json_new_object(); // refers to the texts of i->secret
	const cJSON *member;
	cJSON_ArrayForEach (member, i->secret)
		if (strcmp(member->string, preshared_key) != 0)
			json_set(rest, member->string,
				cJSON_CreateStringReference(member->valuestring));
	char *text = rest->child ? json_print(rest) : NULL;
	cJSON_Delete(rest);
	return text;
}

static void refusal_add(cJSON *described, const char *field, const char *message)
{
	cJSON *refusal = json_set_object(described, "refusal");
	json_set_text(refusal, "field", field);
	json_set_text(refusal, "message", message);
}

static void row_add(cJSON *described, const struct import *i)
{
	cJSON *row = json_set(described, "row", cJSON_Duplicate(i->row, true));
	if (i->own_public_key[0] != '\0')
		json_set_text(row, "wg_own_public_key", i->own_public_key);
	if (i->peer_address6)
		json_set_text(described, "wg_peer_address6", i->peer_address6);
}

cJSON *importing_describe(int code, const struct import *i)
{
	cJSON *described = json_new_object();
	_cleanup_(wipe_freep) char *secret = code == IMPORT_READ ? secret_print(i) : NULL;
	if (code != IMPORT_READ)
		refusal_add(described, i->field, i->message);
	else if (secret && strlen(secret) > SEAL_SECRET_MAX)
		refusal_add(described, "text", "the secrets are longer than 4096 bytes as JSON");
	if (described->child)
		return described;
	json_set_text(described, "label", i->label);
	if (i->row)
		row_add(described, i);
	else
		json_set(described, "proxy_config", cJSON_Duplicate(i->proxy_config, true));
	json_set(described, "warnings", cJSON_Duplicate(i->warnings, true));
	cJSON *names = json_set_array(described, "secrets");
	const cJSON *member;
	cJSON_ArrayForEach (member, i->secret)
		json_add_text(names, member->string);
	return described;
}

static int text_seal(
	const char *text, const char *key, cJSON *described, const char *name, struct err *e)
{
	_cleanup_(freep) char *sealed = NULL;
	if (!text)
		return 0;
	if (seal_make(key, text, strlen(text), &sealed, e) < 0)
		return -1;
	json_set_text(described, name, sealed);
	return 0;
}

int importing_seal(const struct import *i, const char *key, cJSON *described, struct err *e)
{
	_cleanup_(wipe_freep) char *secret = secret_print(i);
	const char *shared =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(i->secret, preshared_key));
	if (text_seal(secret, key, described, "secret_sealed", e) < 0)
		return -1;
	return text_seal(shared, key, described, "wg_preshared_key_sealed", e);
}
