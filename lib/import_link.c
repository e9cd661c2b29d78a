// SPDX-License-Identifier: Apache-2.0
// Takes the steps of a kind of link, and reads users and servers.
#include "lib/import_link.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/import_make.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { UUID_DIGITS = 32, UUID_SIZE = 37, NUMBER_MAX = 9 };

const char *link_member(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

bool link_is_off(const char *value)
{
	static const char *const words[] = {"", "0", "false", "no", "none", "off", NULL};
	return !value || import_is_one_of(value, words);
}

long link_number(const char *value, long min, long max)
{
	size_t len = strlen(value);
	if (len < 1 || len > NUMBER_MAX || strspn(value, "0123456789") != len)
		return -1;
	long number = strtol(value, NULL, 10);
	return number >= min && number <= max ? number : -1;
}

// --- users

enum import_code link_user(struct import *i, const struct uri *u, const char *form, char **ret)
{
	if (!u->user)
		return import_refuse(i, IMPORT_INVALID, "text",
			"there is no '@' in front of the server: %s", form);
	*ret = u->user_is_plain ? xstrdup(u->user) : percent_decode(u->user);
	import_keep(i, *ret);
	if (!*ret)
		return import_refuse(i, IMPORT_INVALID, "text",
			"the part before '@' has a broken percent code, control characters or "
			"bytes that are not UTF-8: a '%%' in a password is written %%25");
	return IMPORT_READ;
}

enum import_code link_user_password(struct import *i, struct uri *u)
{
	_cleanup_(wipe_freep) char *password = NULL;
	enum import_code r = link_user(i, u, "PASSWORD@ADDRESS:PORT", &password);
	return r == IMPORT_READ ? import_secret(i, "password", password) : r;
}

static bool is_hyphen_place(size_t at)
{
	return at == 8 || at == 13 || at == 18 || at == 23;
}

// Reads 32 hexadecimal digits with hyphens in their places or with none.
static bool uuid_parse(const char *text, char ret[UUID_SIZE])
{
	bool hyphens = strlen(text) == UUID_SIZE - 1;
	if (!hyphens && strlen(text) != UUID_DIGITS)
		return false;
	for (size_t at = 0; at < UUID_SIZE - 1; at++) {
		ret[at] = is_hyphen_place(at) && !hyphens ? '-' : *text++;
		if (is_hyphen_place(at) ? ret[at] != '-' : !isxdigit((unsigned char)ret[at]))
			return false;
	}
	ret[UUID_SIZE - 1] = '\0';
	return true;
}

enum import_code link_uuid(struct import *i, const char *text)
{
	char uuid[UUID_SIZE];
	import_keep(i, text);
	enum import_code r =
		uuid_parse(text, uuid)
			? import_secret(i, "uuid", uuid)
			: import_refuse(i, IMPORT_INVALID, "uuid",
				  "the user is not a UUID (8-4-4-4-12 hexadecimal digits): a word "
				  "that stands for one is not supported, ask for the UUID itself");
	mem_wipe(uuid, sizeof(uuid));
	return r;
}

enum import_code link_user_uuid(struct import *i, const struct uri *u, const char *form, char **ret)
{
	_cleanup_(wipe_freep) char *user = NULL;
	enum import_code r = link_user(i, u, form, &user);
	if (r != IMPORT_READ)
		return r;
	char *colon = strchr(user, ':');
	bool is_pair = colon && colon[1] != '\0';
	if (colon)
		*colon = '\0';
	r = link_uuid(i, is_pair ? colon + 1 : user);
	if (r == IMPORT_READ)
		*ret = xstrdup(is_pair ? user : "");
	return r;
}

// --- servers

static enum import_code server_set(struct import *i, struct uri *u, unsigned usual)
{
	static const char *const names[] = {"remarks", "remark", "name", "ps", NULL};
	enum import_code r = uri_server(i, u, usual);
	const char *name = uri_param_any(u, names);
	if (r == IMPORT_READ && name && !u->label)
		import_label(i, name);
	return r;
}

enum import_code link_server(struct import *i, struct uri *u)
{
	return server_set(i, u, 0);
}

enum import_code link_server_443(struct import *i, struct uri *u)
{
	return server_set(i, u, 443);
}

enum import_code link_packets(struct import *i, struct uri *u)
{
	static const char *const names[] = {"packetEncoding", "packet_encoding", NULL};
	static const char *const packet[] = {"packet", "packetaddr", NULL};
	const char *value = uri_param_any(u, names);
	if (link_is_off(value))
		return IMPORT_READ;
	if (strcasecmp(value, "xudp") != 0 && !import_is_one_of(value, packet))
		return import_refuse(i, IMPORT_UNSUPPORTED, "packet_encoding",
			"packetEncoding %s is not supported: there are xudp, packetaddr and none",
			import_quote(i, value));
	json_set_text(i->proxy_config, "packet_encoding",
		import_is_one_of(value, packet) ? "packetaddr" : "xudp");
	return IMPORT_READ;
}

// --- what is left

// Parameters that mean something elsewhere in these links. `plain` changes nothing either.
static const struct {
	const char *name, *plain;
} known[] = {
	{"sni", NULL},
	{"peer", NULL},
	{"alpn", NULL},
	{"fp", NULL},
	{"allowInsecure", NULL},
	{"insecure", NULL},
	{"sid", NULL},
	{"spx", "/"},
	{"host", NULL},
	{"path", "/"},
	{"ed", NULL},
	{"eh", NULL},
	{"headerType", NULL},
	{"serviceName", NULL},
	{"authority", NULL},
	{"mode", "gun"},
	{"seed", NULL},
	{"key", NULL},
	{"quicSecurity", NULL},
	{"extra", NULL},
	{"encryption", "auto"},
	{"flow", NULL},
	{"udp", "1"},
	{"mux", NULL},
	{"tfo", NULL},
	{"fastopen", NULL},
	{"aid", NULL},
	{"alterId", NULL},
	{"reduce_rtt", NULL},
	{"disable_sni", NULL},
	{"fragment", NULL},
	{"ech", NULL},
	{"v", "2"},
};

static struct uri_param *unused_find(struct uri *u, const char *name)
{
	for (size_t k = 0; k < u->param_count; k++)
		if (!u->params[k].used && strcasecmp(u->params[k].name, name) == 0)
			return &u->params[k];
	return NULL;
}

static void rest_warn(struct import *i, struct uri *u)
{
	for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
		struct uri_param *p = unused_find(u, known[k].name);
		if (!p)
			continue;
		p->used = true;
		if (!link_is_off(p->value) &&
			(!known[k].plain || strcasecmp(p->value, known[k].plain) != 0))
			import_warn(i, "parameter_ignored",
				"the parameter %s has no effect with the rest of this link",
				known[k].name);
	}
	uri_rest_warn(i, u);
}

// --- the whole

enum import_code link_steps(struct import *i, struct uri *u, const struct link_kind *kind)
{
	import_proxy(i, kind->type);
	for (link_step *const *step = kind->steps; *step; step++) {
		enum import_code r = (*step)(i, u);
		if (r != IMPORT_READ)
			return r;
	}
	rest_warn(i, u);
	return IMPORT_READ;
}

enum import_code link_read(struct import *i, const char *rest, const struct link_kind *kind)
{
	_cleanup_(uri_done) struct uri u;
	enum import_code r = kind->divide(i, rest, &u);
	return r == IMPORT_READ ? link_steps(i, &u, kind) : r;
}
