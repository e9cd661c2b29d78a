// SPDX-License-Identifier: Apache-2.0
// Seals what a request says in confidence.
#include "api/sealing.h"

#include <assert.h>
#include <string.h>

#include "api/importing.h"
#include "api/reply.h"
#include "api/request.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/import.h"
#include "lib/json.h"
#include "lib/key_list.h"
#include "lib/mem.h"
#include "lib/seal.h"

// Who opens a secret: where its public key is, and what to say when there is none.
struct opener {
	const char *sql;
	const char *missing;
};
static const struct opener agent = {"select api.sealing_key()",
	"Secrets cannot be sealed yet: no agent has made the installation's key. Start an agent first."};
static const struct opener worker = {"select api.webhook_sealing_key()",
	"Secrets cannot be sealed yet: no worker has made its key. Start a worker first."};

// *ret is on the heap. STEP_ANSWERED: there is no key yet.
static int key_read(
	const struct opener *opener, struct request *r, struct db *db, char **ret, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int result = db_call(db, DB_CALL(opener->sql), &r->work.wait, &rows, e);
	if (result != 0)
		return result;
	const char *key = db_text(rows, 0, 0);
	if (!key) {
		reply_incomplete(r, opener->missing);
		return STEP_ANSWERED;
	}
	*ret = xstrdup(key);
	return 0;
}

// The names in an object of texts, as SQL's text[].
static char *members_list(const char *json)
{
	_cleanup_(str_done) struct str list = STR_INIT(SEAL_SECRET_MAX);
	cJSON *secret = cJSON_Parse(json);
	cJSON *member;
	str_add(&list, "{");
	cJSON_ArrayForEach (member, secret) {
		str_addf(&list, "%s%s", list.len > 1 ? "," : "", member->string);
		mem_wipe(member->valuestring, strlen(member->valuestring));
	}
	str_add(&list, "}");
	cJSON_Delete(secret);
	return str_take(&list);
}

// The object that the secret column holds, and the public half beside it.
static char *own_key_object(const char *private_key, char ret_public[static KEY32_TEXT_SIZE])
{
	uint8_t key[KEY32_SIZE];
	struct seal_pair pair;
	struct err e;
	int parsed = key32_parse(private_key, "the key", key, &e);
	assert(parsed == 0); // its type says so
	seal_pair_from_secret(key, &pair);
	key32_text(pair.public_key, ret_public);
	mem_wipe(key, sizeof(key));
	mem_wipe(&pair, sizeof(pair));
	return xasprintf("{\"private_key\":\"%s\"}", private_key);
}

// The sizes of the keys that a password is made of, as SQL's integer[]; NULL: it is another text.
static char *key_sizes(const char *json)
{
	unsigned sizes[KEY_LIST_MAX];
	_cleanup_(str_done) struct str list = STR_INIT(KEY_LIST_MAX * 4);
	cJSON *secret = cJSON_Parse(json), *member;
	const char *password =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(secret, "password"));
	unsigned count = password ? key_list_sizes(password, sizes) : 0;
	for (unsigned k = 0; k < count; k++)
		str_addf(&list, "%s%u", k > 0 ? "," : "", sizes[k]);
	cJSON_ArrayForEach (member, secret)
		mem_wipe(member->valuestring, strlen(member->valuestring));
	cJSON_Delete(secret);
	return count > 0 ? xasprintf("{%s}", str_text(&list)) : NULL;
}

static int field_seal(struct request *r, const struct field *field, const char *key, struct err *e)
{
	struct value *value = &r->input.values[field - r->route->fields];
	_cleanup_(wipe_freep) char *secret = NULL;
	if (strcmp(field->name, "wg_private_key") == 0)
		secret = own_key_object(value->text, r->made.own_public_key);
	else
		secret = xstrdup(value->text);
	if (strcmp(field->name, "proxy_secret") == 0) {
		r->made.secret_members = members_list(secret);
		r->made.secret_keys = key_sizes(secret);
	}
	return seal_make(key, secret, strlen(secret), &value->sealed, e);
}

int step_seal_exit(struct request *r, struct db *db, struct err *e)
{
	_cleanup_(freep) char *key = NULL;
	int result = 0;
	FIELDS_EACH (field, r->route) {
		if (!(field->flags & FIELD_SEALED) || !input_get(&r->input, field->name))
			continue;
		if (!key)
			result = key_read(&agent, r, db, &key, e);
		if (result == 0)
			result = field_seal(r, field, key, e);
		if (result != 0)
			return result;
	}
	return 0;
}

static bool is_saved(const struct request *r)
{
	const char *save = input_get(&r->input, "save");
	return save && strcmp(save, "true") == 0;
}

static int import_seal(
	struct request *r, struct db *db, const struct import *i, cJSON *described, struct err *e)
{
	_cleanup_(freep) char *key = NULL;
	int result = key_read(&agent, r, db, &key, e);
	return result == 0 ? importing_seal(i, key, described, e) : result;
}

int step_import(struct request *r, struct db *db, struct err *e)
{
	const char *text = input_get(&r->input, "text");
	_cleanup_(import_done) struct import i;
	enum import_code code = import_read(text, strlen(text), &i);
	_cleanup_(json_freep) cJSON *described = importing_describe((int)code, &i);
	bool has_secret = code == IMPORT_READ && i.secret->child;
	int result = has_secret && is_saved(r) ? import_seal(r, db, &i, described, e) : 0;
	if (result != 0)
		return result;
	r->made.import = json_print(described);
	r->made.status = is_saved(r) ? 201 : 0;
	return 0;
}

int step_seal_webhook(struct request *r, struct db *db, struct err *e)
{
	_cleanup_(freep) char *key = NULL;
	int result = key_read(&worker, r, db, &key, e);
	if (result != 0)
		return result;
	webhook_secret_make(r->made.secret);
	return seal_make(key, r->made.secret, strlen(r->made.secret), &r->made.sealed, e);
}
