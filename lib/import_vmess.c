// SPDX-License-Identifier: Apache-2.0
// Links of VMess: v2rayN's JSON in base64, and those with the form of the others.
#include "lib/import_scheme.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/err.h"
#include "lib/import_link.h"
#include "lib/import_make.h"
#include "lib/import_stream.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { ALTER_ID_MAX = 65535 };

#define FORM "vmess://UUID@ADDRESS:PORT, or base64 of v2rayN's JSON"

// --- what both forms say

static const struct {
	const char *name, *as; // in sing-box
} ciphers[] = {
	{"auto", "auto"},
	{"none", "none"},
	{"zero", "zero"},
	{"aes-128-gcm", "aes-128-gcm"},
	{"chacha20-poly1305", "chacha20-poly1305"},
	{"chacha20-ietf-poly1305", "chacha20-poly1305"},
};

static enum import_code cipher_set(struct import *i, const char *cipher)
{
	for (size_t k = 0; k < ARRAY_SIZE(ciphers); k++)
		if (strcasecmp(ciphers[k].name, cipher) == 0) {
			json_set_text(i->proxy_config, "security", ciphers[k].as);
			return IMPORT_READ;
		}
	return import_refuse(i, IMPORT_UNSUPPORTED, "security",
		"the cipher %s of VMess is not supported: ask for auto, aes-128-gcm or "
		"chacha20-poly1305",
		import_quote(i, cipher));
}

// The cipher is encryption, or stands in front of the UUID.
static enum import_code vmess_user(struct import *i, struct uri *u)
{
	_cleanup_(wipe_freep) char *cipher = NULL;
	enum import_code r = link_user_uuid(i, u, FORM, &cipher);
	if (r != IMPORT_READ)
		return r;
	const char *encryption = uri_param(u, "encryption");
	if (encryption && *encryption)
		return cipher_set(i, encryption);
	return cipher_set(i, *cipher ? cipher : "auto");
}

static enum import_code vmess_alter_id(struct import *i, struct uri *u)
{
	static const char *const names[] = {"alterId", "aid", "alter_id", NULL};
	const char *value = uri_param_any(u, names);
	long alter_id = value ? link_number(value, 0, ALTER_ID_MAX) : 0;
	if (alter_id < 0)
		return import_refuse(i, IMPORT_INVALID, "alter_id",
			"the alterId (aid) is a number from 0 to %d", ALTER_ID_MAX);
	json_set_number(i->proxy_config, "alter_id", alter_id);
	return IMPORT_READ;
}

static enum import_code vmess_privacy(struct import *i, struct uri *u)
{
	static const char *const plain[] = {"none", "zero", NULL};
	(void)u;
	if (import_is_one_of(link_member(i->proxy_config, "security"), plain))
		stream_plain_warn(i, "VMess with this cipher");
	return IMPORT_READ;
}

static const struct link_kind vmess = {"vmess", uri_divide_wrapped,
	{vmess_user, link_server, vmess_alter_id, stream_set, link_packets, vmess_privacy}};

// --- JSON

// A member as a parameter would say it: on the heap, wipe_freep it; NULL: it is an object.
static char *value_text(const cJSON *value)
{
	_cleanup_(str_done) struct str list = STR_INIT(IMPORT_TEXT_MAX);
	const cJSON *item;
	if (cJSON_IsString(value))
		return xstrdup(value->valuestring);
	if (cJSON_IsNumber(value))
		return xasprintf("%.17g", value->valuedouble);
	if (cJSON_IsBool(value))
		return xstrdup(cJSON_IsTrue(value) ? "true" : "false");
	if (cJSON_IsNull(value))
		return xstrdup("");
	if (!cJSON_IsArray(value))
		return NULL;
	cJSON_ArrayForEach (item, value) {
		if (!cJSON_IsString(item))
			return NULL;
		str_addf(&list, "%s%s", list.len > 0 ? "," : "", item->valuestring);
	}
	return str_take(&list);
}

static void blanks_trim(char *text)
{
	size_t first = strspn(text, " \t\r\n"), len = strlen(text);
	while (len > first && isspace((unsigned char)text[len - 1]))
		len--;
	memmove(text, text + first, len - first);
	memset(text + len - first, 0, first);
	text[len - first] = '\0';
}

// An address stands alone here, in brackets or not.
static enum import_code host_take(struct import *i, struct uri *u, char *value)
{
	size_t len = strlen(value);
	(void)i;
	bool in_brackets = len > 2 && value[0] == '[' && value[len - 1] == ']';
	u->host = in_brackets ? xstrndup(value + 1, len - 2) : xstrdup(value);
	return IMPORT_READ;
}

static enum import_code port_take(struct import *i, struct uri *u, char *value)
{
	(void)i;
	if (*value)
		u->port = xstrdup(value);
	return IMPORT_READ;
}

static enum import_code user_take(struct import *i, struct uri *u, char *value)
{
	import_keep(i, value);
	u->user = xstrdup(value);
	u->user_is_plain = true;
	return IMPORT_READ;
}

static enum import_code label_take(struct import *i, struct uri *u, char *value)
{
	(void)i;
	if (*value) {
		free(u->label);
		u->label = xstrdup(value);
	}
	return IMPORT_READ;
}

// Some call the cipher so, and some TLS.
static enum import_code security_take(struct import *i, struct uri *u, char *value)
{
	static const char *const tls[] = {"tls", "reality", "xtls", NULL};
	return uri_param_add(i, u, import_is_one_of(value, tls) ? "security" : "encryption", value);
}

static enum import_code nothing_take(struct import *i, struct uri *u, char *value)
{
	(void)i;
	(void)u;
	(void)value;
	return IMPORT_READ;
}

// v2rayN's names. A member that is not here is a parameter of its own name.
static const struct member {
	const char *name;
	const char *parameter; // what the other form calls it, or
	enum import_code (*take)(struct import *i, struct uri *u, char *value);
} members[] = {
	{"id", NULL, user_take},
	{"add", NULL, host_take},
	{"port", NULL, port_take},
	{"ps", NULL, label_take},
	{"remark", NULL, label_take},
	{"remarks", NULL, label_take},
	{"security", NULL, security_take},
	{"v", NULL, nothing_take},
	{"class", NULL, nothing_take},
	{"group", NULL, nothing_take},
	{"test_name", NULL, nothing_take},
	{"scy", "encryption", NULL},
	{"aid", "alterId", NULL},
	{"net", "type", NULL},
	{"type", "headerType", NULL},
	{"tls", "security", NULL},
};

static const struct member *member_find(const char *name)
{
	for (size_t k = 0; k < ARRAY_SIZE(members); k++)
		if (strcmp(members[k].name, name) == 0)
			return &members[k];
	return NULL;
}

static enum import_code member_take(struct import *i, struct uri *u, const cJSON *item)
{
	const struct member *m = member_find(item->string);
	_cleanup_(wipe_freep) char *value = value_text(item);
	if (!value)
		return import_refuse(i, IMPORT_INVALID, "text",
			"the member %s of the JSON is neither a text nor a number",
			import_quote(i, item->string));
	blanks_trim(value);
	if (m && m->take)
		return m->take(i, u, value);
	return *value ? uri_param_add(i, u, m ? m->parameter : item->string, value) : IMPORT_READ;
}

// The secret is kept before anything can be refused.
static enum import_code members_take(struct import *i, struct uri *u, const cJSON *json)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "id"), *item;
	enum import_code r = id ? member_take(i, u, id) : IMPORT_READ;
	cJSON_ArrayForEach (item, json)
		if (r == IMPORT_READ && item != id)
			r = member_take(i, u, item);
	if (r != IMPORT_READ)
		return r;
	if (!u->user)
		return import_refuse(i, IMPORT_INVALID, "uuid", "the JSON has no id (the UUID)");
	if (!u->host)
		return import_refuse(
			i, IMPORT_INVALID, "server", "the JSON has no add (the server's address)");
	u->path = xstrdup("");
	// v2rayN leaves it empty when there is no TLS.
	bool is_off = cJSON_HasObjectItem(json, "tls") && !uri_param(u, "security");
	return is_off ? uri_param_add(i, u, "security", "none") : IMPORT_READ;
}

// Any text of it may be a secret.
static void json_wipe(cJSON *json)
{
	cJSON *item;
	cJSON_ArrayForEach (item, json)
		if (cJSON_IsString(item))
			mem_wipe(item->valuestring, strlen(item->valuestring));
	cJSON_Delete(json);
}

static enum import_code json_read(struct import *i, const char *text, size_t len, const char *label)
{
	_cleanup_(uri_done) struct uri u = {0};
	cJSON *json = NULL;
	struct err e;
	if (json_parse(text, len, &json_from_client, &json, &e) < 0)
		return import_refuse(i, IMPORT_INVALID, "text",
			"behind vmess:// there is JSON that is cut off, not right or not UTF-8: ask "
			"for the link again, or write it as " FORM);
	u.label = label ? percent_decode(label) : NULL;
	enum import_code r = cJSON_IsObject(json)
				     ? members_take(i, &u, json)
				     : import_refuse(i, IMPORT_INVALID, "text",
					       "behind vmess:// there is JSON that is no object");
	json_wipe(json);
	return r == IMPORT_READ ? link_steps(i, &u, &vmess) : r;
}

// --- which form

// Quantumult: "NAME = vmess, ADDRESS, PORT, CIPHER, ..."
static bool is_quantumult(const char *text, size_t len)
{
	return memmem(text, len, "= vmess", 7) || memmem(text, len, "=vmess", 6);
}

static enum import_code bytes_read(struct import *i, const char *rest, const char *text, size_t len)
{
	size_t end = strcspn(rest, "#?");
	size_t blanks = strspn(text, " \t\r\n");
	if (text[blanks] != '{' && is_quantumult(text, len))
		return import_refuse(i, IMPORT_UNSUPPORTED, "text",
			"this is a vmess:// link of Quantumult: write it as " FORM);
	if (text[blanks] != '{')
		return link_read(i, rest, &vmess);
	if (rest[end] == '?')
		return import_refuse(i, IMPORT_INVALID, "text",
			"behind the JSON of a vmess:// link there are parameters, which mean "
			"nothing there: leave out what follows the '?'");
	return json_read(i, text, len, rest[end] == '#' ? rest + end + 1 : NULL);
}

enum import_code import_vmess(struct import *i, const char *scheme, const char *rest)
{
	(void)scheme;
	if (*rest == '{')
		return json_read(i, rest, strlen(rest), NULL);
	_cleanup_(wipe_freep) char *front = xstrndup(rest, strcspn(rest, "#?"));
	_cleanup_(wipe_freep) char *encoded = percent_decode(front);
	size_t len = encoded ? strlen(encoded) : 0;
	char *text = encoded ? base64_decode(encoded, &len) : NULL;
	enum import_code r = text ? bytes_read(i, rest, text, len) : link_read(i, rest, &vmess);
	if (text)
		mem_wipe(text, len);
	free(text);
	return r;
}
