// SPDX-License-Identifier: Apache-2.0
// Divides links and decodes their parts.
#include "lib/import_uri.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/import_make.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { PORT_MAX = 65535 };

// --- decoding

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);
	return at ? (int)(at - digits) : -1;
}

// The byte of "%41", or -1.
static int percent_byte(const char *at)
{
	int high = at[0] == '%' ? hex_digit(at[1]) : -1;
	int low = high < 0 ? -1 : hex_digit(at[2]);
	return low < 0 ? -1 : high * 16 + low;
}

// `lenient`: a broken code stays as it is, %00 goes. NULL: broken.
static char *codes_decode(const char *text, bool lenient)
{
	size_t len = 0;
	char *to = xcalloc(strlen(text) + 1, 1);
	for (; *text; text++) {
		int byte = percent_byte(text);
		if (*text == '%' && (byte < 0 || byte == 0) && !lenient) {
			wipe_freep(&to);
			return NULL;
		}
		if (byte >= 0)
			text += 2;
		if (byte != 0)
			to[len++] = byte > 0 ? (char)byte : *text;
	}
	return to;
}

char *percent_decode(const char *text)
{
	char *to = codes_decode(text, false);
	if (to && !import_is_text(to, strlen(to)))
		wipe_freep(&to);
	return to;
}

// The digits alone, of the URL alphabet. NULL: something else is there.
static char *base64_digits(const char *text)
{
	char *to = xcalloc(strlen(text) + 1, 1);
	size_t len = 0, padding = 0;
	for (; *text; text++) {
		if (strchr(" \t\r\n", *text))
			continue;
		if (*text == '=' && ++padding <= 3)
			continue;
		if (padding > 0 || *text == '=') {
			wipe_freep(&to);
			return NULL;
		}
		to[len++] = *text == '+' ? '-' : *text == '/' ? '_' : *text;
	}
	return to;
}

char *base64_decode(const char *text, size_t *ret_len)
{
	_cleanup_(wipe_freep) char *digits = base64_digits(text);
	size_t len = digits ? strlen(digits) : 0;
	if (len == 0)
		return NULL;
	char *bytes = xcalloc(len + 1, 1);
	if (sodium_base642bin((unsigned char *)bytes, len, digits, len, NULL, ret_len, NULL,
		    sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0)
		return bytes;
	mem_wipe(bytes, len);
	free(bytes);
	return NULL;
}

char *base64_text(const char *text)
{
	size_t len;
	char *to = base64_decode(text, &len);
	if (!to || import_is_text(to, len))
		return to;
	mem_wipe(to, len);
	free(to);
	return NULL;
}

// --- the server

// "ADDRESS:PORT" of which the address is IPv6 and has no brackets: says how it is written.
static enum import_code brackets_missing(struct import *i, const char *text)
{
	_cleanup_(freep) char *front = xstrdup(text);
	char *colon = strrchr(front, ':');
	char address[ADDR_TEXT_MAX];
	struct addr a;
	struct err e;
	*colon++ = '\0';
	bool is_port = *colon && strlen(colon) <= 5 && strspn(colon, "0123456789") == strlen(colon);
	if (is_port && !strchr(front, '/') && addr_parse(front, &a, &e) == 0)
		return import_refuse(i, IMPORT_INVALID, "server",
			"an IPv6 address stands in brackets, so that one sees where it ends: "
			"if the port is %s write [%s]:%s",
			colon, addr_text(&a, address), colon);
	if (!strchr(text, '/') && addr_parse(text, &a, &e) == 0)
		return import_refuse(i, IMPORT_INVALID, "server",
			"an IPv6 address stands in brackets: [%s]:PORT", addr_text(&a, address));
	return import_refuse(i, IMPORT_INVALID, "server",
		"the server is not ADDRESS:PORT; a user name and a password stand before it: "
		"USER:PASSWORD@ADDRESS:PORT");
}

enum import_code uri_host_divide(struct import *i, const char *text, struct uri *ret)
{
	_cleanup_(freep) char *host = xstrdup(text);
	char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");
	if (host[0] != '[' && *end == ':' && strchr(end + 1, ':'))
		return brackets_missing(i, text);
	if (!end || (*end == ']' && end[1] != ':' && end[1] != '\0'))
		return import_refuse(
			i, IMPORT_INVALID, "server", "the server is not [ADDRESS]:PORT");
	ret->is_ipv6 = *end == ']';
	char *colon = *end == ']' ? end + 1 : end;
	if (*colon == ':')
		ret->port = xstrdup(colon + 1);
	*end = '\0';
	ret->host = percent_decode(ret->is_ipv6 ? host + 1 : host);
	if (!ret->host || (ret->is_ipv6 && !strchr(ret->host, ':')))
		return import_refuse(
			i, IMPORT_INVALID, "server", "the server is neither an address nor a name");
	return IMPORT_READ;
}

// --- parameters

static struct uri_param *param_find(struct uri *u, const char *name)
{
	for (size_t k = 0; k < u->param_count; k++)
		if (strcasecmp(u->params[k].name, name) == 0)
			return &u->params[k];
	return NULL;
}

static void param_done(struct uri_param *p)
{
	wipe_freep(&p->name);
	wipe_freep(&p->value);
}

static enum import_code param_add(struct import *i, struct uri *u, struct uri_param *p)
{
	const struct uri_param *before = p->name ? param_find(u, p->name) : NULL;
	if (!p->name || !p->value)
		return import_refuse(i, IMPORT_INVALID, "text",
			"the parameter %s has a broken percent code or holds control characters",
			p->name ? import_quote(i, p->name) : "(not shown)");
	if (before && strcmp(before->value, p->value) != 0)
		return import_refuse(i, IMPORT_INVALID, "text",
			"the parameter %s is given twice with two values",
			import_quote(i, p->name));
	if (u->param_count == URI_PARAMS_MAX)
		return import_refuse(i, IMPORT_INVALID, "text",
			"the link has more than %d parameters", URI_PARAMS_MAX);
	if (before) {
		param_done(p);
		return IMPORT_READ;
	}
	u->params[u->param_count++] = *p;
	*p = (struct uri_param){0};
	return IMPORT_READ;
}

enum import_code uri_param_add(struct import *i, struct uri *u, const char *name, const char *value)
{
	struct uri_param p = {0};
	if (import_is_text(name, strlen(name)))
		p.name = xstrdup(name);
	if (import_is_text(value, strlen(value)))
		p.value = xstrdup(value);
	enum import_code r = param_add(i, u, &p);
	param_done(&p);
	return r;
}

// '&' as it is written in the text of JSON.
static void ampersands_unescape(char *query)
{
	static const char escaped[] = "\\u0026";
	for (char *at = query; (at = strstr(at, escaped));) {
		*at++ = '&';
		memmove(at, at + strlen(escaped) - 1, strlen(at + strlen(escaped) - 1) + 1);
	}
}

// "NAME=VALUE&NAME=VALUE"
static enum import_code params_divide(struct import *i, char *query, struct uri *u)
{
	enum import_code r = IMPORT_READ;
	char *rest;
	ampersands_unescape(query);
	for (char *pair = strtok_r(query, "&", &rest); pair && r == IMPORT_READ;
		pair = strtok_r(NULL, "&", &rest)) {
		if (strncmp(pair, "amp;", 4) == 0) // the '&' of a page's source
			pair += 4;
		char *equals = strchr(pair, '=');
		if (equals)
			*equals = '\0';
		const char *value = equals ? equals + 1 : "";
		// Outline's bytes, of which only the name is told
		bool is_binary = strcasecmp(pair, "prefix") == 0;
		struct uri_param p = {.name = percent_decode(pair),
			.value = is_binary ? codes_decode(value, true) : percent_decode(value),
			.has_plus = strchr(value, '+')};
		r = param_add(i, u, &p);
		param_done(&p);
	}
	return r;
}

const char *uri_param(struct uri *u, const char *name)
{
	struct uri_param *p = param_find(u, name);
	if (p)
		p->used = true;
	return p ? p->value : NULL;
}

const char *uri_param_any(struct uri *u, const char *const *names)
{
	const char *found = NULL;
	for (; *names; names++) {
		struct uri_param *p = param_find(u, *names);
		if (!p)
			continue;
		if (!found && p->value[0] != '\0')
			found = p->value;
		if (p->value[0] == '\0' || strcmp(p->value, found) == 0)
			p->used = true;
	}
	return found;
}

static const struct uri_param *param_of(const struct uri *u, const char *value)
{
	for (size_t k = 0; k < u->param_count; k++)
		if (u->params[k].value == value)
			return &u->params[k];
	return NULL;
}

const char *uri_param_name(const struct uri *u, const char *value)
{
	const struct uri_param *p = param_of(u, value);
	return p ? p->name : "";
}

void uri_plus_warn(struct import *i, const struct uri *u, const char *value)
{
	const struct uri_param *p = param_of(u, value);
	if (p && p->has_plus)
		import_warn(i, "plus_kept",
			"a '+' in %s is taken as a '+': if the provider meant a blank, write %%20",
			p->name);
}

enum import_code uri_over_tcp(struct import *i, struct uri *u)
{
	static const char *const names[] = {
		"uot", "udp-over-tcp", "udp_over_tcp", "udpovertcp", NULL};
	static const char *const off[] = {"0", "false", "no", "off", NULL};
	const char *value = uri_param_any(u, names);
	if (!value || import_is_one_of(value, off))
		return IMPORT_READ;
	if (!import_is_true(value) && strcmp(value, "2") != 0)
		return import_refuse(i, IMPORT_INVALID, "udp_over_tcp",
			"UDP over TCP (uot) is 0, 1 or 2, not something else");
	json_set_bool(i->proxy_config, "udp_over_tcp", true);
	return IMPORT_READ;
}

void uri_rest_warn(struct import *i, const struct uri *u)
{
	for (size_t k = 0; k < u->param_count; k++)
		if (!u->params[k].used)
			import_warn(i, "parameter_ignored",
				"the parameter %s is not known and has no effect here",
				import_quote(i, u->params[k].name));
}

// --- the whole

// An '@' behind the place where the user would end is most often a password that was not encoded.
static enum import_code at_check(struct import *i, const char *rest, const struct uri *u)
{
	struct addr a;
	struct err e;
	if (u->user || !strchr(rest, '@') || addr_parse(u->host, &a, &e) == 0)
		return IMPORT_READ;
	return import_refuse(i, IMPORT_INVALID, "text",
		"an '@' stands behind a '/', '?' or '#': in a user name or a password these are "
		"written %%2F, %%3F and %%23, and an '@' in a label %%40");
}

// Takes the label and the query off `text`.
static char *tail_cut(char *text, struct uri *ret)
{
	char *label = strchr(text, '#');
	if (label) {
		*label++ = '\0';
		ret->label = codes_decode(label, true);
	}
	char *query = strchr(text, '?');
	if (query)
		*query++ = '\0';
	return query;
}

// Takes the user off `text`; what is left begins with the server.
static char *user_cut(struct import *i, char *text, bool slashed, struct uri *ret)
{
	char *at = strrchr(text, '@');
	if (!at || (!slashed && strcspn(text, "/") < (size_t)(at - text)))
		return text;
	*at = '\0';
	ret->user = xstrdup(text);
	import_keep(i, ret->user);
	return at + 1;
}

// The base64 of all of "USER@HOST:PORT", unwrapped; NULL: `text` is something else.
static char *unwrap(const char *text)
{
	_cleanup_(wipe_freep) char *plain = strchr(text, '@') ? NULL : percent_decode(text);
	size_t len = plain ? strlen(plain) : 0;
	char *found = plain ? base64_text(plain) : NULL;
	if (!found && len > 0 && plain[len - 1] == '/') {
		plain[len - 1] = '\0'; // the '/' before '?'
		found = base64_text(plain);
	}
	if (found && !strchr(found, '@'))
		wipe_freep(&found);
	return found;
}

static enum import_code text_divide(
	struct import *i, char *text, const char *rest, bool wrapped, struct uri *ret)
{
	char *query = tail_cut(text, ret);
	_cleanup_(wipe_freep) char *unwrapped = wrapped ? unwrap(text) : NULL;
	if (unwrapped)
		import_keep(i, text);
	char *server = user_cut(i, unwrapped ? unwrapped : text, wrapped, ret);
	char *path = strchr(server, '/');
	ret->user_is_plain = unwrapped;
	ret->path = xstrdup(path ? path : "");
	if (path)
		*path = '\0';
	enum import_code r = uri_host_divide(i, server, ret);
	if (r == IMPORT_READ)
		r = at_check(i, rest, ret);
	return r == IMPORT_READ && query ? params_divide(i, query, ret) : r;
}

static enum import_code divide(struct import *i, const char *rest, bool wrapped, struct uri *ret)
{
	size_t len = strlen(rest);
	_cleanup_(freep) char *text = xstrdup(rest);
	*ret = (struct uri){0};
	enum import_code r = text_divide(i, text, rest, wrapped, ret);
	mem_wipe(text, len); // there are NULs in it
	return r;
}

enum import_code uri_divide(struct import *i, const char *rest, struct uri *ret)
{
	return divide(i, rest, false, ret);
}

enum import_code uri_divide_wrapped(struct import *i, const char *rest, struct uri *ret)
{
	return divide(i, rest, true, ret);
}

void uri_done(struct uri *u)
{
	for (size_t k = 0; k < u->param_count; k++)
		param_done(&u->params[k]);
	wipe_freep(&u->user);
	wipe_freep(&u->path);
	free(u->host);
	free(u->port);
	free(u->label);
	*u = (struct uri){0};
}

// --- the user

// "NAME:PASSWORD" that has nothing to decode.
static void plain_divide(const char *text, struct uri_user *ret)
{
	size_t len = strcspn(text, ":");
	ret->name = xstrndup(text, len);
	if (text[len] == ':')
		ret->password = xstrdup(text + len + 1);
}

static bool encoded_divide(const char *text, struct uri_user *ret)
{
	_cleanup_(wipe_freep) char *front = xstrndup(text, strcspn(text, ":"));
	const char *colon = strchr(text, ':');
	ret->name = percent_decode(front);
	if (colon)
		ret->password = percent_decode(colon + 1);
	return ret->name && (!colon || ret->password);
}

enum import_code uri_user_divide(struct import *i, const struct uri *u, struct uri_user *ret)
{
	*ret = (struct uri_user){0};
	if (!u->user)
		return IMPORT_READ;
	if (u->user_is_plain)
		plain_divide(u->user, ret);
	else if (!encoded_divide(u->user, ret))
		return import_refuse(i, IMPORT_INVALID, "text",
			"the part before '@' has a broken percent code, control characters or "
			"bytes that are not UTF-8: a '%%' in a password is written %%25");
	_cleanup_(wipe_freep) char *wrapped = ret->password ? NULL : base64_text(ret->name);
	if (wrapped && strchr(wrapped, ':')) {
		wipe_freep(&ret->name);
		plain_divide(wrapped, ret);
		ret->was_base64 = true;
	}
	import_keep(i, ret->password);
	if (!ret->password || ret->password[0] == '\0')
		import_keep(i, ret->name); // a key that some providers take in the name's place
	return IMPORT_READ;
}

void uri_user_done(struct uri_user *user)
{
	wipe_freep(&user->name);
	wipe_freep(&user->password);
}

// --- into the import

unsigned uri_port_parse(const char *text)
{
	size_t len = strlen(text);
	unsigned long port = len >= 1 && len <= 5 && strspn(text, "0123456789") == len
				     ? strtoul(text, NULL, 10)
				     : 0;
	return port <= PORT_MAX ? (unsigned)port : 0;
}

enum import_code uri_server(struct import *i, const struct uri *u, unsigned usual)
{
	unsigned port = u->port ? uri_port_parse(u->port) : usual;
	if (port == 0)
		return import_refuse(i, IMPORT_INVALID, "server_port",
			u->port ? "the port behind the server's address is not a number from 1 to "
				  "65535; a user name and a password stand before the address: "
				  "USER:PASSWORD@ADDRESS:PORT"
				: "the server's port is missing: ADDRESS:PORT");
	if (u->path[0] != '\0' && strcmp(u->path, "/") != 0)
		return import_refuse(i, IMPORT_INVALID, "text",
			"a path behind the server's address means nothing here; a '/' in a password "
			"is written %%2F");
	enum import_code r = import_server(i, u->host, port);
	if (r == IMPORT_READ)
		import_label(i, u->label);
	return r;
}
