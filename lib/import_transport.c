// SPDX-License-Identifier: Apache-2.0
// Reads the transport from the parameters of a link, as Xray's proposal names them and others do.
#include "lib/import_transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/err.h"
#include "lib/import_link.h"
#include "lib/import_make.h"
#include "lib/import_tls.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { EARLY_MAX = 65535, TEXT_MAX = 1024 };

#define ASK_TRANSPORT "ask the provider for plain TCP, ws, grpc or httpupgrade"
#define EARLY_HEADER "Sec-WebSocket-Protocol"

// --- host

// Shadowrocket's {"Host": "NAME"}. NULL: `text` is not that.
static char *host_unwrap(const char *text)
{
	_cleanup_(json_freep) cJSON *json = NULL;
	struct err e;
	if (*text != '{' || json_parse(text, strlen(text), &json_from_client, &json, &e) < 0)
		return NULL;
	const char *host = cJSON_GetStringValue(cJSON_GetObjectItem(json, "host")); // any case
	return host ? xstrdup(host) : NULL;
}

// A server that is a name will be saved as an address: what it was asked for by must stay.
static const char *host_usual(const struct import *i)
{
	const char *server = link_member(i->proxy_config, "server");
	static const char digits[] = "0123456789.";
	bool is_address = strchr(server, ':') || server[strspn(server, digits)] == '\0';
	return is_address ? NULL : server;
}

static enum import_code host_set(struct import *i, struct uri *u, cJSON *transport)
{
	static const char *const hosts[] = {
		"host", "obfsParam", "obfs-host", "wsHost", "ws-host", NULL};
	const char *value = uri_param_any(u, hosts);
	_cleanup_(freep) char *unwrapped = value ? host_unwrap(value) : NULL;
	if (unwrapped)
		value = unwrapped;
	if (!value || *value == '\0')
		value = host_usual(i);
	if (!value)
		return IMPORT_READ;
	_cleanup_(freep) char *host = xstrndup(value, strcspn(value, ","));
	if (!tls_is_name(host))
		return import_refuse(i, IMPORT_INVALID, "transport",
			"the host of the transport is not one name as DNS writes it");
	if (value[strlen(host)] != '\0')
		import_warn(i, "first_host_used",
			"the link has several hosts: the first of them is used");
	json_set_text(transport, "host", host);
	return IMPORT_READ;
}

// --- path and early data

// Takes "ed=N" out of the query in `path`; *ret is N's text or NULL.
static char *early_cut(const char *path, char **ret)
{
	size_t len = strcspn(path, "?");
	_cleanup_(freep) char *query = xstrdup(path + len + (path[len] == '?'));
	_cleanup_(str_done) struct str left = STR_INIT(TEXT_MAX);
	char between = '?', *rest;
	str_add_bytes(&left, path, len);
	for (char *p = strtok_r(query, "&", &rest); p; p = strtok_r(NULL, "&", &rest)) {
		if (strncmp(p, "ed=", 3) == 0 && !*ret) {
			*ret = xstrdup(p + 3);
			continue;
		}
		str_add_bytes(&left, &between, 1);
		str_add(&left, p);
		between = '&';
	}
	return str_take(&left);
}

static enum import_code early_set(
	struct import *i, struct uri *u, cJSON *transport, const char *value)
{
	const char *header = uri_param_any(u, (const char *const[]){"eh", NULL});
	if (link_is_off(value))
		return IMPORT_READ;
	long size = link_number(value, 1, EARLY_MAX);
	if (size < 0)
		return import_refuse(i, IMPORT_INVALID, "transport",
			"early data (ed) is a number of bytes, at most %d", EARLY_MAX);
	if (header && !tls_is_name(header))
		return import_refuse(i, IMPORT_INVALID, "transport",
			"the header of early data (eh) is not the name of one");
	if (strcmp(link_member(transport, "type"), "ws") != 0) {
		import_warn(i, "early_data_ignored",
			"early data (ed) is sent with ws only; the server works without it");
		return IMPORT_READ;
	}
	json_set_number(transport, "max_early_data", size);
	json_set_text(transport, "early_data_header_name", header ? header : EARLY_HEADER);
	return IMPORT_READ;
}

// "/a,/b" of http: the server takes any of them. true: there are several.
static bool paths_cut(char *path, const cJSON *transport)
{
	char *second = *path == '/' ? strstr(path, ",/") : NULL;
	if (!second || strcmp(link_member(transport, "type"), "http") != 0)
		return false;
	*second = '\0';
	return true;
}

static enum import_code path_set(struct import *i, struct uri *u, cJSON *transport)
{
	static const char *const paths[] = {"path", "obfs-uri", "wspath", "ws-path", NULL};
	const char *value = uri_param_any(u, paths), *early = uri_param(u, "ed");
	_cleanup_(freep) char *in_path = NULL;
	if (value && strlen(value) > TEXT_MAX)
		return import_refuse(i, IMPORT_INVALID, "transport",
			"the path of the transport is longer than %d bytes", TEXT_MAX);
	_cleanup_(freep) char *path = value ? early_cut(value, &in_path) : NULL;
	if (path && paths_cut(path, transport))
		import_warn(i, "first_path_used",
			"the link has several paths: the first of them is used");
	if (path && *path) {
		uri_plus_warn(i, u, value);
		json_set_text(transport, "path", path);
	}
	return early_set(i, u, transport, early && *early ? early : in_path);
}

static enum import_code web_set(struct import *i, struct uri *u, cJSON *transport)
{
	enum import_code r = path_set(i, u, transport);
	return r == IMPORT_READ ? host_set(i, u, transport) : r;
}

// --- kinds

static enum import_code ws_set(struct import *i, struct uri *u, bool tls)
{
	(void)tls;
	cJSON *transport = json_set_object(i->proxy_config, "transport");
	json_set_text(transport, "type", "ws");
	return web_set(i, u, transport);
}

static enum import_code upgrade_set(struct import *i, struct uri *u, bool tls)
{
	(void)tls;
	cJSON *transport = json_set_object(i->proxy_config, "transport");
	json_set_text(transport, "type", "httpupgrade");
	return web_set(i, u, transport);
}

static enum import_code http_set(struct import *i, struct uri *u, bool tls)
{
	(void)tls;
	cJSON *transport = json_set_object(i->proxy_config, "transport");
	json_set_text(transport, "type", "http");
	return web_set(i, u, transport);
}

static enum import_code h2_set(struct import *i, struct uri *u, bool tls)
{
	return tls ? http_set(i, u, tls)
		   : import_refuse(i, IMPORT_UNSUPPORTED, "transport",
			     "transport h2 without TLS is not supported: ask for security=tls, or "
			     "for ws");
}

// TCP that begins with a request of HTTP/1.1: sing-box's http does that, but only without TLS.
static enum import_code header_set(struct import *i, struct uri *u, bool tls)
{
	return tls ? import_refuse(i, IMPORT_UNSUPPORTED, "transport",
			     "headerType http inside TLS is not supported: " ASK_TRANSPORT)
		   : http_set(i, u, tls);
}

static enum import_code tcp_set(struct import *i, struct uri *u, bool tls)
{
	const char *header = uri_param(u, "headerType");
	if (header && strcasecmp(header, "http") == 0)
		return header_set(i, u, tls);
	if (!link_is_off(header))
		return import_refuse(i, IMPORT_UNSUPPORTED, "transport",
			"headerType %s is not supported: " ASK_TRANSPORT, import_quote(i, header));
	return IMPORT_READ;
}

static const char *service_of(struct uri *u)
{
	static const char *const names[] = {
		"serviceName", "service_name", "grpc-service-name", NULL};
	const char *service = uri_param_any(u, names);
	if (service)
		return service;
	const char *path = uri_param(u, "path");
	return path && strcmp(path, "/") != 0 ? path : "";
}

static enum import_code grpc_set(struct import *i, struct uri *u, bool tls)
{
	static const char *const authorities[] = {"authority", "host", NULL};
	(void)tls;
	static const char *const modes[] = {"mode", "headerType", NULL}; // vmess: type
	const char *service = service_of(u), *mode = uri_param_any(u, modes);
	const char *authority = uri_param_any(u, authorities);
	if (*service == '/' || strlen(service) > TEXT_MAX)
		return import_refuse(i, IMPORT_UNSUPPORTED, "transport",
			"a serviceName of grpc that begins with '/' (a path of its own) is not "
			"supported: ask for a plain name");
	if (!link_is_off(mode) && strcasecmp(mode, "gun") != 0)
		import_warn(i, "grpc_mode_ignored",
			"mode %s of grpc is not there: gun is spoken, which the same server takes",
			import_quote(i, mode));
	if (!link_is_off(authority))
		import_warn(i, "authority_ignored",
			"the authority of grpc is not sent: a server behind another that chooses "
			"by it will not answer; test the exit");
	cJSON *transport = json_set_object(i->proxy_config, "transport");
	json_set_text(transport, "type", "grpc");
	json_set_text(transport, "service_name", service);
	uri_plus_warn(i, u, service);
	return IMPORT_READ;
}

static const struct transport {
	const char *name;
	enum import_code (*set)(struct import *i, struct uri *u, bool tls);
} transports[] = {
	{"tcp", tcp_set},
	{"raw", tcp_set},
	{"none", tcp_set},
	{"original", tcp_set},
	{"ws", ws_set},
	{"websocket", ws_set},
	{"http", http_set},
	{"h2", h2_set},
	{"grpc", grpc_set},
	{"gun", grpc_set},
	{"httpupgrade", upgrade_set},
	{"http-upgrade", upgrade_set},
};

// Shadowrocket's `obfs`, where http is a header of TCP; ws=1 of Trojan clients.
static const struct transport *other_names(struct uri *u)
{
	static const struct transport ws = {"ws", ws_set}, header = {"http", header_set};
	const char *obfs = uri_param(u, "obfs");
	bool is_ws = import_is_true(uri_param(u, "ws"));
	if (is_ws || (obfs && strcasecmp(obfs, "websocket") == 0))
		return &ws;
	return obfs && strcasecmp(obfs, "http") == 0 ? &header : NULL;
}

static const char *name_of(struct uri *u)
{
	static const char *const names[] = {"type", "net", "network", "transport", "obfs", NULL};
	const char *name = uri_param_any(u, names);
	return name ? name : "tcp";
}

// What both ends do, so that the server would not understand us without it.
static enum import_code disguises_check(struct import *i, struct uri *u)
{
	static const char *const names[] = {
		"fm", "finalmask", "plugin", "shadow-tls", "shadowtls", "seed", NULL};
	for (const char *const *name = names; *name; name++)
		if (!link_is_off(uri_param(u, *name)))
			return import_refuse(i, IMPORT_UNSUPPORTED, "transport",
				"%s is not supported: it changes what is sent, so that the server "
				"would not understand us without it; ask for a server without it",
				*name);
	return IMPORT_READ;
}

enum import_code transport_set(struct import *i, struct uri *u, bool tls)
{
	const struct transport *other = other_names(u);
	const char *name = name_of(u);
	for (size_t k = 0; k < ARRAY_SIZE(transports) && !other; k++)
		if (strcasecmp(transports[k].name, name) == 0)
			other = &transports[k];
	if (!other)
		return import_refuse(i, IMPORT_UNSUPPORTED, "transport",
			"transport %s is not supported: " ASK_TRANSPORT, import_quote(i, name));
	enum import_code r = disguises_check(i, u);
	return r == IMPORT_READ ? other->set(i, u, tls) : r;
}

enum import_code transport_none(struct import *i, struct uri *u)
{
	static const char *const plain[] = {"tcp", "udp", "raw", "quic", "h3", "none", NULL};
	const char *name = uri_param_any(u, (const char *const[]){"type", "network", NULL});
	if (name && !import_is_one_of(name, plain))
		return import_refuse(i, IMPORT_UNSUPPORTED, "transport",
			"transport %s is not supported with this protocol, which has none: ask for "
			"a link without it",
			import_quote(i, name));
	return disguises_check(i, u);
}
