// SPDX-License-Identifier: Apache-2.0
// Links of SOCKS5 (RFC 1928, 1929) and HTTP CONNECT proxies, as curl and the panels write them.
#include "lib/import_scheme.h"

#include <string.h>
#include <strings.h>

#include "lib/import_make.h"
#include "lib/import_tls.h"
#include "lib/import_uri.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { USER_MAX = 255, SOCKS_PORT = 1080, HTTP_PORT = 80, HTTPS_PORT = 443 };

// Either may be missing, but not the name alone.
static enum import_code user_set(
	struct import *i, const struct uri_user *user, bool base64_is_usual)
{
	const char *name = user->name ? user->name : "";
	const char *password = user->password ? user->password : "";
	if (*name == '\0' && *password == '\0')
		return IMPORT_READ;
	if (*name == '\0')
		return import_refuse(i, IMPORT_INVALID, "username",
			"there is a password and no user name before it: USER:PASSWORD@ADDRESS:PORT");
	if (strlen(name) > USER_MAX || strlen(password) > USER_MAX)
		return import_refuse(i, IMPORT_INVALID, "username",
			"the user name or the password is longer than %d bytes", USER_MAX);
	if (user->was_base64 && !base64_is_usual)
		import_warn(i, "user_was_base64",
			"the part before '@' was taken as base64 of USER:PASSWORD");
	json_set_text(i->proxy_config, "username", name);
	return *password ? import_secret(i, "password", password) : IMPORT_READ;
}

// A '/' in front of '@' is only base64's: elsewhere the server would end there.
static enum import_code slash_check(struct import *i, const struct uri *u)
{
	if (!u->user || u->user_is_plain || !strchr(u->user, ':') || !strchr(u->user, '/'))
		return IMPORT_READ;
	return import_refuse(i, IMPORT_INVALID, "text",
		"a '/' in a user name or a password is written %%2F: USER:PASSWORD@ADDRESS:PORT");
}

static enum import_code server_set(
	struct import *i, struct uri *u, unsigned usual, bool base64_is_usual)
{
	static const char *const names[] = {"remarks", "remark", "name", NULL};
	_cleanup_(uri_user_done) struct uri_user user = {0};
	enum import_code r = slash_check(i, u);
	if (r == IMPORT_READ)
		r = uri_user_divide(i, u, &user);
	if (r == IMPORT_READ)
		r = uri_server(i, u, usual);
	const char *name = uri_param_any(u, names);
	if (r == IMPORT_READ && name && !u->label)
		import_label(i, name);
	return r == IMPORT_READ ? user_set(i, &user, base64_is_usual) : r;
}

// --- SOCKS

static enum import_code socks_params(struct import *i, struct uri *u)
{
	static const char *const off[] = {"0", "false", "no", "off", NULL};
	static const char *const no_tls[] = {"", "0", "false", "none", "off", NULL};
	static const char *const tls[] = {"tls", "security", NULL};
	for (const char *const *name = tls; *name; name++) {
		const char *value = uri_param(u, *name);
		if (value && !import_is_one_of(value, no_tls))
			return import_refuse(i, IMPORT_UNSUPPORTED, "tls",
				"SOCKS5 inside TLS is not supported: ask for an https:// proxy");
	}
	if (import_is_one_of(uri_param(u, "udp"), off)) {
		json_set_bool(i->proxy_config, "udp", false);
		import_warn(i, "no_udp", "the proxy carries no UDP: names are asked over TCP");
	}
	return uri_over_tcp(i, u);
}

enum import_code import_socks(struct import *i, const char *scheme, const char *rest)
{
	_cleanup_(uri_done) struct uri u;
	import_proxy(i, "socks");
	enum import_code r = uri_divide_wrapped(i, rest, &u);
	if (r == IMPORT_READ)
		r = server_set(i, &u, SOCKS_PORT, strcmp(scheme, "socks") == 0); // v2rayN's
	if (r == IMPORT_READ)
		r = socks_params(i, &u);
	if (r == IMPORT_READ)
		uri_rest_warn(i, &u);
	return r;
}

// --- HTTP

// What people paste by mistake more often than a proxy with a path: a page, or the address at which
// a panel gives out links.
static enum import_code page_check(struct import *i, const struct uri *u)
{
	if (u->path[0] == '\0' || strcmp(u->path, "/") == 0)
		return IMPORT_READ;
	return import_refuse(i, IMPORT_UNSUPPORTED, "text",
		"this is the address of a page or of a subscription, not of a proxy: nothing is "
		"fetched; open it yourself and paste one of the links or the file that it gives");
}

static enum import_code protocols_set(struct import *i, cJSON *tls, const char *text)
{
	_cleanup_(freep) char *list = xstrdup(text);
	cJSON *alpn = NULL;
	char *rest;
	for (char *p = strtok_r(list, ",", &rest); p; p = strtok_r(NULL, ",", &rest)) {
		if (strcasecmp(p, "http/1.1") != 0)
			return import_refuse(i, IMPORT_UNSUPPORTED, "tls",
				"an HTTP proxy is spoken to with HTTP/1.1: alpn may only be "
				"http/1.1");
		if (!alpn)
			json_add_text(alpn = json_set_array(tls, "alpn"), p);
	}
	return IMPORT_READ;
}

static enum import_code https_set(struct import *i, struct uri *u)
{
	static const char *const names[] = {"sni", "peer", "servername", "server_name", NULL};
	enum import_code r = tls_trust_check(i, u);
	if (r != IMPORT_READ)
		return r;
	const char *sni = uri_param_any(u, names), *alpn = uri_param(u, "alpn");
	const cJSON *server = cJSON_GetObjectItemCaseSensitive(i->proxy_config, "server");
	cJSON *tls = import_tls(i, sni ? sni : server->valuestring);
	return alpn && *alpn ? protocols_set(i, tls, alpn) : IMPORT_READ;
}

static enum import_code http_read(struct import *i, struct uri *u, bool is_https)
{
	static const char *const off[] = {"", "0", "false", "none", "off", NULL};
	static const char *const on[] = {"1", "true", "tls", NULL};
	const char *asked = uri_param(u, "tls") ? uri_param(u, "tls") : uri_param(u, "security");
	enum import_code r = page_check(i, u);
	if (r != IMPORT_READ)
		return r;
	if (asked && !import_is_one_of(asked, off) && !import_is_one_of(asked, on))
		return import_refuse(i, IMPORT_UNSUPPORTED, "tls", "security %s is not supported",
			import_quote(i, asked));
	is_https = is_https || import_is_one_of(asked, on);
	r = server_set(i, u, is_https ? HTTPS_PORT : HTTP_PORT, false);
	if (r == IMPORT_READ && is_https)
		r = https_set(i, u);
	if (r == IMPORT_READ)
		import_warn(i, "no_udp",
			"an HTTP proxy carries no UDP: names are asked over TCP, other UDP is "
			"refused");
	return r;
}

enum import_code import_http(struct import *i, const char *scheme, const char *rest)
{
	_cleanup_(uri_done) struct uri u;
	import_proxy(i, "http");
	enum import_code r = uri_divide_wrapped(i, rest, &u);
	if (r == IMPORT_READ)
		r = http_read(i, &u, strcmp(scheme, "https") == 0);
	if (r == IMPORT_READ)
		uri_rest_warn(i, &u);
	return r;
}
