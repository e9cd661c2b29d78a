// SPDX-License-Identifier: Apache-2.0
// Shadowsocks links: SIP002, SIP022 (shadowsocks.org/doc) and the form before them.
#include "lib/import_scheme.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "lib/import_make.h"
#include "lib/import_uri.h"
#include "lib/json.h"
#include "lib/key_list.h"
#include "lib/mem.h"

struct method {
	const char *name;
	const char *as; // what sing-box calls it; NULL: not supported
};

static const struct method methods[] = {
	{"2022-blake3-aes-128-gcm", "2022-blake3-aes-128-gcm"},
	{"2022-blake3-aes-256-gcm", "2022-blake3-aes-256-gcm"},
	{"2022-blake3-chacha20-poly1305", "2022-blake3-chacha20-poly1305"},
	{"aes-128-gcm", "aes-128-gcm"},
	{"aes-192-gcm", "aes-192-gcm"},
	{"aes-256-gcm", "aes-256-gcm"},
	{"chacha20-ietf-poly1305", "chacha20-ietf-poly1305"},
	{"xchacha20-ietf-poly1305", "xchacha20-ietf-poly1305"},
	{"chacha20-poly1305", "chacha20-ietf-poly1305"},
	{"xchacha20-poly1305", "xchacha20-ietf-poly1305"},
	{"aead_aes_128_gcm", "aes-128-gcm"},
	{"aead_aes_192_gcm", "aes-192-gcm"},
	{"aead_aes_256_gcm", "aes-256-gcm"},
	{"aead_chacha20_poly1305", "chacha20-ietf-poly1305"},
	{"aead_xchacha20_poly1305", "xchacha20-ietf-poly1305"},
	{"none", NULL},
	{"plain", NULL},
	{"table", NULL},
	{"rc4", NULL},
	{"rc4-md5", NULL},
	{"rc4-md5-6", NULL},
	{"aes-128-cfb", NULL},
	{"aes-192-cfb", NULL},
	{"aes-256-cfb", NULL},
	{"aes-128-cfb8", NULL},
	{"aes-192-cfb8", NULL},
	{"aes-256-cfb8", NULL},
	{"aes-128-ctr", NULL},
	{"aes-192-ctr", NULL},
	{"aes-256-ctr", NULL},
	{"aes-128-ofb", NULL},
	{"aes-192-ofb", NULL},
	{"aes-256-ofb", NULL},
	{"aes-128-ccm", NULL},
	{"aes-192-ccm", NULL},
	{"aes-256-ccm", NULL},
	{"aes-128-gcm-siv", NULL},
	{"aes-256-gcm-siv", NULL},
	{"bf-cfb", NULL},
	{"cast5-cfb", NULL},
	{"des-cfb", NULL},
	{"idea-cfb", NULL},
	{"rc2-cfb", NULL},
	{"seed-cfb", NULL},
	{"camellia-128-cfb", NULL},
	{"camellia-192-cfb", NULL},
	{"camellia-256-cfb", NULL},
	{"salsa20", NULL},
	{"chacha20", NULL},
	{"chacha20-ietf", NULL},
	{"xchacha20", NULL},
	{"2022-blake3-chacha8-poly1305", NULL},
	{"2022-blake3-chacha12-poly1305", NULL},
	{"2022-blake3-aes-128-ccm", NULL},
	{"2022-blake3-aes-256-ccm", NULL},
};

static const struct method *method_find(const char *name)
{
	for (size_t k = 0; k < ARRAY_SIZE(methods); k++)
		if (strcasecmp(methods[k].name, name) == 0)
			return &methods[k];
	return NULL;
}

// --- keys of SIP022

// Adds one key as sing-box wants it: standard base64 with padding.
static bool key_add(const char *text, unsigned size, struct str *to)
{
	char padded[sodium_base64_ENCODED_LEN(KEY_LIST_KEY_MAX, sodium_base64_VARIANT_ORIGINAL)];
	size_t len = 0;
	char *key = base64_decode(text, &len);
	bool fits = key && len == size;
	if (fits) {
		sodium_bin2base64(padded, sizeof(padded), (unsigned char *)key, len,
			sodium_base64_VARIANT_ORIGINAL);
		str_addf(to, "%s%s", to->len > 0 ? ":" : "", padded);
		mem_wipe(padded, sizeof(padded));
	}
	if (key)
		mem_wipe(key, len);
	free(key);
	return fits;
}

static bool keys_add(const char *text, const struct key_list_rule *rule, struct str *to)
{
	for (unsigned count = 0; count < rule->most; count++) {
		size_t len = strcspn(text, ":");
		_cleanup_(wipe_freep) char *key = xstrndup(text, len);
		if (!key_add(key, rule->size, to))
			return false;
		if (text[len] == '\0')
			return true;
		text += len + 1;
	}
	return false;
}

static enum import_code password_set(struct import *i, const struct method *m, const char *password)
{
	const struct key_list_rule *rule = key_list_rule(m->as);
	char room[KEY_LIST_MAX * (KEY_LIST_KEY_MAX * 2)];
	struct str keys = {.data = room, .cap = sizeof(room), .max = sizeof(room) - 1};
	if (!rule)
		return import_secret(i, "password", password);
	room[0] = '\0';
	enum import_code r =
		keys_add(password, rule, &keys)
			? import_secret(i, "password", room)
			: import_refuse(i, IMPORT_INVALID, "password",
				  "the password of %s is a key of exactly %u bytes in base64%s",
				  m->name, rule->size,
				  rule->most > 1 ? ", or several with ':' between them" : "");
	mem_wipe(room, sizeof(room));
	return r;
}

// --- parts of the link

static enum import_code user_set(struct import *i, const struct uri_user *user)
{
	const struct method *m = method_find(user->name);
	if (!user->password)
		return import_refuse(i, IMPORT_INVALID, "method",
			"the part before '@' is neither METHOD:PASSWORD nor base64 of it");
	if (!m)
		return import_refuse(i, IMPORT_UNSUPPORTED, "method",
			"the Shadowsocks method is not known: there are "
			"2022-blake3-aes-128-gcm, 2022-blake3-aes-256-gcm, "
			"2022-blake3-chacha20-poly1305, aes-128-gcm, aes-192-gcm, aes-256-gcm, "
			"chacha20-ietf-poly1305 and xchacha20-ietf-poly1305");
	if (!m->as)
		return import_refuse(i, IMPORT_UNSUPPORTED, "method",
			"the Shadowsocks method %s is not supported: it is not one that both "
			"encrypts and authenticates as AEAD and 2022 methods here do",
			m->name);
	json_set_text(i->proxy_config, "method", m->as);
	return password_set(i, m, user->password);
}

// "%3A" between method and password, and no ':'.
static void colon_divide(struct import *i, struct uri_user *user)
{
	char *colon = user->name && !user->password ? strchr(user->name, ':') : NULL;
	if (!colon)
		return;
	user->password = xstrdup(colon + 1);
	import_keep(i, user->password);
	*colon = '\0';
}

// Parameters without which the server would not understand us.
static enum import_code plugin_check(struct import *i, struct uri *u)
{
	static const char *const own[] = {"v2ray-plugin", "xray-plugin", "obfs-local",
		"simple-obfs", "obfs", "shadow-tls", "kcptun", "gost-plugin", "cloak", NULL};
	const char *plugin = uri_param(u, "plugin");
	_cleanup_(freep) char *name = plugin ? xstrndup(plugin, strcspn(plugin, ";")) : NULL;
	if (name && *name && strcasecmp(name, "none") != 0)
		return import_refuse(i, IMPORT_UNSUPPORTED, "text",
			"the plugin %s is not supported: without it the server would not "
			"understand us; ask for a server without a plugin",
			import_quote(i, name));
	for (const char *const *p = own; *p; p++) {
		const char *value = uri_param(u, *p);
		if (value && *value && strcasecmp(value, "none") != 0)
			return import_refuse(i, IMPORT_UNSUPPORTED, "text",
				"the plugin %s is not supported: without it the server would not "
				"understand us; ask for a server without a plugin",
				*p);
	}
	return IMPORT_READ;
}

// What panels write beside: only a value that is plain changes nothing.
static enum import_code transport_check(struct import *i, struct uri *u)
{
	static const char *const transports[] = {"", "tcp", "raw", "none", NULL};
	static const char *const off[] = {"", "0", "false", "none", "off", NULL};
	static const struct {
		const char *name;
		const char *const *plain;
		const char *what;
	} options[] = {
		{"type", transports, "transport"},
		{"network", transports, "transport"},
		{"net", transports, "transport"},
		{"security", off, "security"},
		{"tls", off, "tls"},
		{"headerType", off, "headerType"},
		{"mux", off, "mux"},
	};
	for (size_t k = 0; k < ARRAY_SIZE(options); k++) {
		const char *value = uri_param(u, options[k].name);
		if (value && !import_is_one_of(value, options[k].plain))
			return import_refuse(i, IMPORT_UNSUPPORTED, "text",
				"%s %s is not supported with Shadowsocks: it goes over plain TCP "
				"and UDP",
				options[k].what, import_quote(i, value));
	}
	return IMPORT_READ;
}

static enum import_code params_read(struct import *i, struct uri *u)
{
	enum import_code r = plugin_check(i, u);
	if (r == IMPORT_READ)
		r = transport_check(i, u);
	(void)uri_param(u, "outline"); // whose server it is, no more
	return r == IMPORT_READ ? uri_over_tcp(i, u) : r;
}

static enum import_code link_read(struct import *i, struct uri *u, struct uri_user *user)
{
	if (!u->user)
		return import_refuse(i, IMPORT_INVALID, "text",
			"the link has no '@': ss://METHOD:PASSWORD@ADDRESS:PORT, or the part "
			"before '@' or all of it in base64");
	enum import_code r = uri_user_divide(i, u, user);
	if (r != IMPORT_READ)
		return r;
	colon_divide(i, user);
	import_proxy(i, "shadowsocks");
	r = uri_server(i, u, 0);
	if (r == IMPORT_READ)
		r = user_set(i, user);
	return r == IMPORT_READ ? params_read(i, u) : r;
}

enum import_code import_ss(struct import *i, const char *scheme, const char *rest)
{
	_cleanup_(uri_done) struct uri u;
	_cleanup_(uri_user_done) struct uri_user user = {0};
	(void)scheme;
	enum import_code r = uri_divide_wrapped(i, rest, &u);
	if (r == IMPORT_READ)
		r = link_read(i, &u, &user);
	if (r == IMPORT_READ)
		uri_rest_warn(i, &u);
	return r;
}
