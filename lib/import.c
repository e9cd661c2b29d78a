// SPDX-License-Identifier: Apache-2.0
// Finds out what a text is and has the right reader read it.
#include "lib/import.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/import_make.h"
#include "lib/import_scheme.h"
#include "lib/import_uri.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/utf8.h"

#define KNOWN_FORMS \
	"a wg-quick file or one link: ss:// vmess:// vless:// trojan:// socks5:// http:// " \
	"https:// hysteria2:// tuic:// anytls://"

struct scheme {
	const char *name;
	import_reader *read; // NULL: not supported, because
	const char *why;
};

static const struct scheme schemes[] = {
	{"ss", import_ss, NULL},
	{"socks", import_socks, NULL},
	{"socks5", import_socks, NULL},
	{"socks5h", import_socks, NULL},
	{"http", import_http, NULL},
	{"https", import_http, NULL},
	{"vmess", import_vmess, NULL},
	{"vless", import_vless, NULL},
	{"trojan", import_trojan, NULL},
	{"anytls", import_anytls, NULL},
	{"hysteria2", import_hysteria2, NULL},
	{"hy2", import_hysteria2, NULL},
	{"tuic", import_tuic, NULL},
	{"socks4", NULL,
		"SOCKS4 is not supported: it has no UDP, no IPv6 and no password; ask for SOCKS5"},
	{"socks4a", NULL,
		"SOCKS4 is not supported: it has no UDP, no IPv6 and no password; ask for SOCKS5"},
	{"socks5+tls", NULL,
		"SOCKS5 inside TLS is not supported: ask for an https:// proxy or plain SOCKS5"},
	{"socks5s", NULL,
		"SOCKS5 inside TLS is not supported: ask for an https:// proxy or plain SOCKS5"},
	{"ssr", NULL,
		"ShadowsocksR is not supported: its ciphers do not authenticate; ask for "
		"Shadowsocks with an AEAD or 2022 method"},
	{"ssd", NULL, "an ssd:// list is a subscription: paste one ss:// link"},
	{"ssconf", NULL,
		"an ssconf:// link is fetched from the provider, and nothing is fetched here: "
		"paste the ss:// link that it gives"},
	{"naive", NULL, "naive is not supported: it needs the network code of a browser"},
	{"naive+https", NULL, "naive is not supported: it needs the network code of a browser"},
	{"naive+quic", NULL, "naive is not supported: it needs the network code of a browser"},
	{"hysteria", NULL, "hysteria of version 1 is not supported: ask for hysteria2"},
	{"hy", NULL, "hysteria of version 1 is not supported: ask for hysteria2"},
	{"trojan-go", NULL, "trojan-go is not supported: ask for trojan"},
	{"wireguard", NULL, "WireGuard is read from a wg-quick file: paste the file, not a link"},
	{"wg", NULL, "WireGuard is read from a wg-quick file: paste the file, not a link"},
	{"awg", NULL, "AmneziaWG is not supported: ask for a plain WireGuard file"},
	{"vpn", NULL, "a vpn:// link of Amnezia is not supported: export a WireGuard file"},
	{"warp", NULL, "warp:// is not supported: export a WireGuard file"},
	{"snell", NULL, "snell is not supported"},
	{"juicity", NULL, "juicity is not supported"},
	{"mieru", NULL, "mieru is not supported"},
	{"mierus", NULL, "mieru is not supported"},
	{"shadowtls", NULL, "shadowtls is not supported"},
	{"brook", NULL, "brook is not supported"},
	{"ssh", NULL, "ssh is not supported as an exit"},
	{"tg", NULL, "a tg:// link is for Telegram alone: paste it as socks5://"},
	{"sub", NULL, "this is a subscription, and nothing is fetched: paste one of its links"},
	{"clash", NULL, "this opens a Clash subscription, and nothing is fetched: paste one link"},
	{"sing-box", NULL, "this opens a subscription, and nothing is fetched: paste one link"},
	{"surge", NULL, "this opens a Surge profile, and nothing is fetched: paste one link"},
};

// Files of other programs, by how one of their lines begins.
static const struct {
	const char *begins, *what;
} others[] = {
	{"proxies:", "a Clash file (YAML)"},
	{"proxy-groups:", "a Clash file (YAML)"},
	{"proxy-providers:", "a Clash file (YAML)"},
	{"mixed-port:", "a Clash file (YAML)"},
	{"- {", "a Clash file (YAML)"},
	{"- name:", "a Clash file (YAML)"},
	{"[proxy]", "a profile of Surge or Loon"},
	{"[general]", "a profile of Surge or Loon"},
	{"[server_local]", "a profile of Quantumult X"},
	{"shadowsocks=", "a line of Quantumult X"},
	{"[wireguard", "a profile of Surge"},
	{"client", "an OpenVPN file"},
	{"<ca>", "an OpenVPN file"},
	{"conn ", "a file of strongSwan (IPsec)"},
	{"<?xml", "XML (a profile of a device, perhaps)"},
	{"<!doctype", "a page of HTML"},
	{"<html", "a page of HTML"},
	{"{", "JSON (of sing-box, Xray, SIP008 or a panel)"},
	{"[{", "JSON (of sing-box, Xray, SIP008 or a panel)"},
};

const char *import_code_text(enum import_code code)
{
	switch (code) {
	case IMPORT_READ:
		return "";
	case IMPORT_INVALID:
		return "invalid";
	case IMPORT_UNSUPPORTED:
		return "unsupported";
	case IMPORT_INSECURE:
		return "insecure";
	}
	return "";
}

// --- lines

static bool begins(const struct import_line *line, const char *with)
{
	size_t len = strlen(with);
	return line->len >= len && strncasecmp(line->at, with, len) == 0;
}

static bool is_comment(const struct import_line *line)
{
	return line->len == 0 || line->at[0] == '#' || line->at[0] == ';' || begins(line, "//") ||
	       import_is_fence(line->at);
}

static bool is_wg_quick(const char *text)
{
	for (struct import_line line; import_line_next(&text, &line);)
		if (begins(&line, "[interface]") || begins(&line, "[peer]"))
			return true;
	return false;
}

static size_t scheme_length(const char *text)
{
	size_t len =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
	return len > 0 && strncmp(text + len, "://", 3) == 0 ? len : 0;
}

// What people and programs put around a link when they show it.
static void unquote(struct import_line *line)
{
	static const char *const pairs[][2] = {{"`", "`"}, {"\"", "\""}, {"'", "'"}, {"<", ">"},
		{"\xe2\x80\x9c", "\xe2\x80\x9d"}, {"\xe2\x80\x9e", "\xe2\x80\x9c"},
		{"\xe2\x80\x98", "\xe2\x80\x99"}, {"\xc2\xab", "\xc2\xbb"}};
	for (size_t k = 0; k < ARRAY_SIZE(pairs); k++) {
		size_t first = strlen(pairs[k][0]), last = strlen(pairs[k][1]);
		if (line->len <= first + last || memcmp(line->at, pairs[k][0], first) != 0 ||
			memcmp(line->at + line->len - last, pairs[k][1], last) != 0)
			continue;
		line->at += first;
		line->len -= first + last;
		return;
	}
}

// --- links

static const struct scheme *scheme_find(const char *link)
{
	size_t len = scheme_length(link);
	for (size_t k = 0; k < ARRAY_SIZE(schemes); k++)
		if (strlen(schemes[k].name) == len && strncasecmp(schemes[k].name, link, len) == 0)
			return &schemes[k];
	return NULL;
}

// Those in one line, with blanks between them. A page in a label is none.
static unsigned links_count(const char *line)
{
	unsigned count = 0;
	for (const char *at = line; *at; at += strcspn(at, " \t"), at += strspn(at, " \t")) {
		const struct scheme *scheme = scheme_find(at);
		bool is_page = scheme && scheme->read == import_http && !strchr(at, '@');
		count += at == line || (scheme && !is_page);
	}
	return count;
}

static enum import_code link_read(struct import *i, const char *link)
{
	size_t len = scheme_length(link);
	_cleanup_(freep) char *name = xstrndup(link, len);
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	const struct scheme *scheme = scheme_find(link);
	if (!scheme)
		return import_refuse(i, IMPORT_UNSUPPORTED, "text",
			"this kind of link is not known: paste " KNOWN_FORMS);
	if (!scheme->read)
		return import_refuse(i, IMPORT_UNSUPPORTED, "text", "%s", scheme->why);
	return scheme->read(i, name, link + len + 3);
}

static bool is_wrapped_list(const char *text)
{
	size_t len = 0;
	char *unwrapped = base64_decode(text, &len);
	bool is_list = unwrapped && memmem(unwrapped, len, "://", 3);
	if (unwrapped)
		mem_wipe(unwrapped, len);
	free(unwrapped);
	return is_list;
}

// "ADDRESS:PORT:USER:PASSWORD" or "USER:PASSWORD@ADDRESS:PORT", as sellers of proxies write them.
static bool is_bare_proxy(const char *text)
{
	struct import_line line;
	struct addr a;
	struct err e;
	if (!import_line_next(&text, &line))
		return false;
	_cleanup_(wipe_freep) char *copy = xstrndup(line.at, line.len);
	char *colon = strchr(copy, ':');
	if (!colon || strpbrk(copy, " \t/"))
		return false;
	if (strchr(copy, '@'))
		return true;
	*colon = '\0';
	return addr_parse(copy, &a, &e) == 0;
}

static enum import_code unknown_refuse(struct import *i, const char *text)
{
	if (strstr(text, "://"))
		return import_refuse(i, IMPORT_INVALID, "text",
			"there is something in front of the link: paste the link alone, from its "
			"kind (such as vless://) to its end");
	if (strcasestr(text, "%3a%2f%2f"))
		return import_refuse(i, IMPORT_INVALID, "text",
			"the whole link is written in percent codes: paste it as the provider "
			"shows it, with :// behind its kind");
	if (is_bare_proxy(text))
		return import_refuse(i, IMPORT_INVALID, "text",
			"this is a proxy without its kind: write "
			"socks5://USER:PASSWORD@ADDRESS:PORT or "
			"http://USER:PASSWORD@ADDRESS:PORT, whichever the provider says");
	return import_refuse(
		i, IMPORT_INVALID, "text", "the text is nothing that is known: paste " KNOWN_FORMS);
}

static enum import_code other_refuse(struct import *i, const char *text)
{
	const char *rest = text;
	for (struct import_line line; import_line_next(&rest, &line);)
		for (size_t k = 0; k < ARRAY_SIZE(others); k++)
			if (begins(&line, others[k].begins))
				return import_refuse(i, IMPORT_UNSUPPORTED, "text",
					"this is %s, which is not supported: paste " KNOWN_FORMS,
					others[k].what);
	if (is_wrapped_list(text))
		return import_refuse(i, IMPORT_UNSUPPORTED, "text",
			"this is a subscription (links in base64): decode it and paste one link");
	return unknown_refuse(i, text);
}

// One link, perhaps with comments in lines of their own around it.
static enum import_code lines_read(struct import *i, const char *text)
{
	_cleanup_(wipe_freep) char *link = NULL;
	const char *rest = text;
	unsigned count = 0;
	for (struct import_line line; import_line_next(&rest, &line);) {
		if (is_comment(&line))
			continue;
		unquote(&line);
		if (!scheme_length(line.at) && !link)
			return other_refuse(i, text);
		if (!scheme_length(line.at))
			return import_refuse(i, IMPORT_INVALID, "text",
				"the link is followed by a line that is none: paste one link, in "
				"one line");
		_cleanup_(wipe_freep) char *copy = xstrndup(line.at, line.len);
		count += links_count(copy);
		if (!link)
			link = TAKE_PTR(copy);
	}
	if (count == 0)
		return other_refuse(i, text);
	if (count > 1)
		return import_refuse(i, IMPORT_INVALID, "text",
			"these are %u links: paste one at a time", count);
	return link_read(i, link);
}

// --- the text

static enum import_code bytes_check(struct import *i, const char *text, size_t len)
{
	static const char wide[][2] = {{'\xff', '\xfe'}, {'\xfe', '\xff'}};
	if (len > IMPORT_TEXT_MAX)
		return import_refuse(i, IMPORT_INVALID, "text", "the text is longer than %d bytes",
			IMPORT_TEXT_MAX);
	for (size_t k = 0; k < ARRAY_SIZE(wide); k++)
		if (len >= 2 && memcmp(text, wide[k], 2) == 0)
			return import_refuse(i, IMPORT_INVALID, "text",
				"the text is UTF-16: save the file as UTF-8");
	for (size_t at = 0; at < len;) {
		int size = utf8_length(text + at, len - at);
		if (size == 0 || text[at] == '\0')
			return import_refuse(i, IMPORT_INVALID, "text",
				"the text is not UTF-8: save the file as UTF-8");
		at += (size_t)size;
	}
	return IMPORT_READ;
}

// Everything that a reader fills in. Only the secret's texts need to be wiped.
static void filled_clear(struct import *i)
{
	cJSON **const members[] = {&i->secret, &i->row, &i->proxy_config, &i->warnings};
	cJSON *item;
	cJSON_ArrayForEach (item, i->secret)
		mem_wipe(item->valuestring, strlen(item->valuestring));
	for (size_t k = 0; k < ARRAY_SIZE(members); k++) {
		cJSON_Delete(*members[k]);
		*members[k] = NULL;
	}
	wipe_freep(&i->label);
	freep(&i->peer_address6);
	i->own_public_key[0] = '\0';
}

enum import_code import_read(const char *text, size_t len, struct import *ret)
{
	*ret = (struct import){.warnings = json_new_array(), .field = ""};
	enum import_code r = bytes_check(ret, text, len);
	if (r == IMPORT_READ) {
		_cleanup_(wipe_freep) char *whole = xstrndup(text, len);
		r = is_wg_quick(whole) ? import_wg_quick(ret, whole) : lines_read(ret, whole);
	}
	if (r != IMPORT_READ)
		filled_clear(ret);
	else if (!ret->secret)
		ret->secret = json_new_object();
	return r;
}

void import_done(struct import *i)
{
	filled_clear(i);
	for (unsigned k = 0; k < IMPORT_KEPT_MAX; k++)
		wipe_freep(&i->kept[k]);
	*i = (struct import){0};
}
