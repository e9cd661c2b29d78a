// SPDX-License-Identifier: Apache-2.0
// Fills an import, and says why not, without repeating what must not be seen.
#include "lib/import_make.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/utf8.h"

enum {
	SECRET_MAX = 1024, // bytes, as the engine's configuration allows
	QUOTE_MAX = 64,
	RUN_MAX = 20,
	TELLING = 4, // from so many bytes on a part of a secret tells something
	NAME_MAX_DNS = 253,
	NAME_LABEL_MAX = 63,
};

enum import_code import_refuse(
	struct import *i, enum import_code code, const char *field, const char *format, ...)
{
	va_list args;
	i->field = field;
	va_start(args, format);
	vsnprintf(i->message, sizeof(i->message), format, args);
	va_end(args);
	return code;
}

static bool is_warned(const struct import *i, const char *word, const char *message)
{
	const cJSON *item;
	cJSON_ArrayForEach (item, i->warnings)
		if (strcmp(cJSON_GetObjectItemCaseSensitive(item, "word")->valuestring, word) ==
				0 &&
			strcmp(cJSON_GetObjectItemCaseSensitive(item, "message")->valuestring,
				message) == 0)
			return true;
	return false;
}

void import_warn(struct import *i, const char *word, const char *format, ...)
{
	char message[IMPORT_MESSAGE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (is_warned(i, word, message))
		return;
	cJSON *warning = json_add(i->warnings, json_new_object());
	json_set_text(warning, "word", word);
	json_set_text(warning, "message", message);
}

// --- lines

// Blanks that come along when one copies from a page or an editor.
static size_t blank_size(const char *text, size_t len)
{
	static const char *const wide[] = {"\xef\xbb\xbf", "\xc2\xa0", "\xe2\x80\x8b",
		"\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x81\xa0"};
	for (size_t k = 0; k < ARRAY_SIZE(wide); k++) {
		size_t size = strlen(wide[k]);
		if (len >= size && memcmp(text, wide[k], size) == 0)
			return size;
	}
	return len > 0 && isspace((unsigned char)*text) ? 1 : 0;
}

static struct import_line blanks_cut(const char *text, size_t len)
{
	size_t first = 0, end;
	for (size_t size; (size = blank_size(text + first, len - first)) > 0;)
		first += size;
	end = first;
	for (size_t at = first, size; at < len; at += size ? size : 1) {
		size = blank_size(text + at, len - at);
		if (size == 0)
			end = at + 1;
	}
	return (struct import_line){text + first, end - first};
}

bool import_line_next(const char **text, struct import_line *ret)
{
	if (**text == '\0')
		return false;
	size_t len = strcspn(*text, "\r\n");
	const char *end = *text + len;
	*ret = blanks_cut(*text, len);
	*text = end + (*end == '\0' ? 0 : strncmp(end, "\r\n", 2) == 0 ? 2 : 1);
	return true;
}

bool import_is_fence(const char *line)
{
	return strncmp(line, "```", 3) == 0 || strncmp(line, "~~~", 3) == 0;
}

// --- what may be quoted

void import_keep(struct import *i, const char *secret)
{
	if (!secret || *secret == '\0')
		return;
	if (i->kept_count < IMPORT_KEPT_MAX)
		i->kept[i->kept_count] = xstrdup(secret);
	i->kept_count++; // beyond the maximum nothing is quoted any more
}

static size_t longest_run(const char *text)
{
	size_t longest = 0;
	for (size_t len; *text; text += len + (text[len] != '\0')) {
		len = strcspn(text, "._-:[]");
		longest = len > longest ? len : longest;
	}
	return longest;
}

static bool is_wordlike(const char *text)
{
	size_t len = strlen(text);
	return longest_run(text) < RUN_MAX && len >= 1 && len <= QUOTE_MAX &&
	       strspn(text,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:[]") ==
		       len;
}

static bool tells(const char *text, const char *kept)
{
	return strcasecmp(text, kept) == 0 || (strlen(kept) >= TELLING && strcasestr(text, kept)) ||
	       (strlen(text) >= TELLING && strcasestr(kept, text));
}

static bool is_kept(const struct import *i, const char *text)
{
	if (i->kept_count > IMPORT_KEPT_MAX)
		return true;
	for (unsigned k = 0; k < i->kept_count; k++)
		if (tells(text, i->kept[k]))
			return true;
	return false;
}

const char *import_quote(const struct import *i, const char *text)
{
	return is_wordlike(text) && !is_kept(i, text) ? text : "(not shown)";
}

// --- members

cJSON *import_proxy(struct import *i, const char *type)
{
	if (!i->proxy_config)
		i->proxy_config = json_new_object();
	json_set_text(i->proxy_config, "type", type);
	return i->proxy_config;
}

bool import_is_text(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		int size = utf8_length(text + at, len - at);
		const unsigned char *c = (const unsigned char *)text + at;
		if (size == 0 || c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0))
			return false;
		at += (size_t)size;
	}
	return true;
}

enum import_code import_secret(struct import *i, const char *name, const char *value)
{
	import_keep(i, value);
	if (*value == '\0')
		return import_refuse(i, IMPORT_INVALID, name, "the %s is empty", name);
	if (strlen(value) > SECRET_MAX)
		return import_refuse(i, IMPORT_INVALID, name, "the %s is longer than %d bytes",
			name, SECRET_MAX);
	if (!import_is_text(value, strlen(value)))
		return import_refuse(i, IMPORT_INVALID, name,
			"the %s holds control characters or is not UTF-8", name);
	if (!i->secret)
		i->secret = json_new_object();
	json_set(i->secret, name, cJSON_CreateString(value));
	return IMPORT_READ;
}

// --- servers

struct network {
	struct addr first;
	const char *what;
};

static const struct network unusable[] = {
	{{.family = AF_INET, .bytes = {0}, .prefix = 8}, "no address of a server"},
	{{.family = AF_INET, .bytes = {127}, .prefix = 8}, "this machine itself"},
	{{.family = AF_INET, .bytes = {169, 254}, .prefix = 16}, "a link-local address"},
	{{.family = AF_INET, .bytes = {224}, .prefix = 4}, "a multicast address"},
	{{.family = AF_INET, .bytes = {240}, .prefix = 4}, "a reserved address"},
	{{.family = AF_INET6, .bytes = {[15] = 1}, .prefix = 128}, "this machine itself"},
	{{.family = AF_INET6, .bytes = {0}, .prefix = 96}, "no address of a server"},
	{{.family = AF_INET6, .bytes = {[10] = 0xff, [11] = 0xff}, .prefix = 96},
		"an IPv4 address in the form of IPv6"},
	{{.family = AF_INET6, .bytes = {0xfe, 0x80}, .prefix = 10}, "a link-local address"},
	{{.family = AF_INET6, .bytes = {0xfe, 0xc0}, .prefix = 10}, "a site-local address"},
	{{.family = AF_INET6, .bytes = {0xff}, .prefix = 8}, "a multicast address"},
};

static bool is_within(const struct addr *a, const struct addr *network)
{
	if (a->family != network->family)
		return false;
	for (unsigned bit = 0; bit < network->prefix; bit++)
		if ((a->bytes[bit / 8] ^ network->bytes[bit / 8]) & (0x80u >> bit % 8))
			return false;
	return true;
}

const char *import_unusable(const struct addr *a)
{
	for (size_t k = 0; k < ARRAY_SIZE(unusable); k++)
		if (is_within(a, &unusable[k].first))
			return unusable[k].what;
	return NULL;
}

static enum import_code address_check(struct import *i, const char *field, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];
	const char *what = import_unusable(a);
	if (!what)
		return IMPORT_READ;
	return import_refuse(i, IMPORT_INVALID, field,
		"%s is %s: give the address at which the provider's server is reached",
		addr_text(a, text), what);
}

// Letters, digits, '-' and '_' in labels of 1 to 63; a dot at the end is let through.
static bool is_name(const char *name)
{
	size_t label = 0, len = strlen(name);
	if (len == 0 || len > NAME_MAX_DNS)
		return false;
	for (size_t k = 0; k < len; k++) {
		if (name[k] == '.' ? label == 0
				   : !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789-_",
					     name[k]))
			return false;
		label = name[k] == '.' ? 0 : label + 1;
		if (label > NAME_LABEL_MAX)
			return false;
	}
	return true;
}

// "127.1", "2130706433", "0x7f.0.0.1": resolvers of the old school take them for addresses.
static bool is_number(const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot ? dot + 1 : name;
	size_t digits = strspn(last, "0123456789");
	return last[digits] == '\0' || (last[0] == '0' && (last[1] == 'x' || last[1] == 'X'));
}

static bool is_own_name(const char *name)
{
	static const char *const own[] = {"localhost", "ip6-localhost", "ip6-loopback"};
	size_t len = strlen(name);
	for (size_t k = 0; k < ARRAY_SIZE(own); k++)
		if (strcasecmp(name, own[k]) == 0)
			return true;
	return len > 10 && strcasecmp(name + len - 10, ".localhost") == 0;
}

static enum import_code name_check(struct import *i, const char *field, char *name)
{
	size_t len = strlen(name);
	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = '\0';
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c >= 0x80)
			return import_refuse(i, IMPORT_INVALID, field,
				"the server's name holds letters beyond ASCII: write it as DNS "
				"does (xn--...)");
	if (!is_name(name))
		return import_refuse(
			i, IMPORT_INVALID, field, "the server is neither an address nor a name");
	if (is_number(name))
		return import_refuse(i, IMPORT_INVALID, field,
			"%s is not an address: write all four numbers of an IPv4 address in "
			"decimal",
			import_quote(i, name));
	if (is_own_name(name))
		return import_refuse(i, IMPORT_INVALID, field,
			"%s is this machine itself: give the address at which the provider's "
			"server is reached",
			import_quote(i, name));
	return IMPORT_READ;
}

enum import_code import_host(
	struct import *i, const char *field, const char *host, char **ret, bool *ret_is_name)
{
	_cleanup_(freep) char *name = xstrdup(host);
	char text[ADDR_TEXT_MAX];
	struct addr a;
	struct err e;
	if (*host == '\0')
		return import_refuse(i, IMPORT_INVALID, field, "the server's address is missing");
	bool is_name = strchr(host, '/') || addr_parse(host, &a, &e) < 0;
	enum import_code r = is_name ? name_check(i, field, name) : address_check(i, field, &a);
	if (r != IMPORT_READ)
		return r;
	*ret = is_name ? TAKE_PTR(name) : xstrdup(addr_text(&a, text));
	*ret_is_name = is_name;
	return IMPORT_READ;
}

enum import_code import_server(struct import *i, const char *host, unsigned port)
{
	_cleanup_(freep) char *server = NULL;
	bool is_name;
	enum import_code r = import_host(i, "server", host, &server, &is_name);
	if (r != IMPORT_READ)
		return r;
	json_set_text(i->proxy_config, "server", server);
	json_set_number(i->proxy_config, "server_port", port);
	if (is_name)
		import_warn(i, "server_is_a_name",
			"the server is the name %s: it is not looked up, because whoever answers "
			"could choose the exit; give its address when you save",
			import_quote(i, server));
	return IMPORT_READ;
}

// --- labels

// U+2028 to U+202E and U+2066 to U+2069: what breaks a line or turns it round.
static bool turns_line(const unsigned char *c)
{
	return c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
				       (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

static bool breaks_line(const unsigned char *c)
{
	return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0) || turns_line(c);
}

// One line of at most IMPORT_LABEL_MAX characters, blanks at both ends cut off. true: it was
// longer.
static bool label_clean(const char *text, struct str *ret)
{
	size_t len = strlen(text), count = 0, at = 0;
	for (int size; at < len && count < IMPORT_LABEL_MAX; at += (size_t)size) {
		size = utf8_length(text + at, len - at);
		bool blank = size == 0 || breaks_line((const unsigned char *)text + at) ||
			     text[at] == ' ';
		if (size == 0)
			size = 1;
		if (blank && ret->len == 0)
			continue;
		str_add_bytes(ret, blank ? " " : text + at, blank ? 1 : (size_t)size);
		count++;
	}
	while (ret->len > 0 && ret->data[ret->len - 1] == ' ')
		ret->data[--ret->len] = '\0';
	return at < len;
}

static bool holds_kept(const struct import *i, const char *text)
{
	for (unsigned k = 0; k < i->kept_count && k < IMPORT_KEPT_MAX; k++)
		if (strlen(i->kept[k]) >= TELLING && strcasestr(text, i->kept[k]))
			return true;
	return false;
}

static char *label_usual(const struct import *i)
{
	const cJSON *endpoint = cJSON_GetObjectItemCaseSensitive(i->row, "wg_endpoint");
	if (endpoint)
		return xstrdup(endpoint->valuestring);
	const char *host =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(i->proxy_config, "server"));
	const cJSON *port = cJSON_GetObjectItemCaseSensitive(i->proxy_config, "server_port");
	bool is_ipv6 = host && strchr(host, ':');
	return xasprintf("%s%s%s:%d", is_ipv6 ? "[" : "", host ? host : "", is_ipv6 ? "]" : "",
		port ? port->valueint : 0);
}

// Another link, whose secret is not among what is kept. The address of a page is none.
static bool holds_link(const char *text)
{
	for (const char *at = text; (at = strstr(at, "://")); at += 3) {
		size_t len = (size_t)(at - text);
		bool is_page = (len >= 4 && strncasecmp(at - 4, "http", 4) == 0) ||
			       (len >= 5 && strncasecmp(at - 5, "https", 5) == 0);
		if (!is_page || strchr(at, '@'))
			return true;
	}
	return false;
}

void import_label(struct import *i, const char *text)
{
	_cleanup_(str_done) struct str label = STR_INIT(IMPORT_LABEL_MAX * 4);
	_cleanup_(freep) char *usual = label_usual(i);
	bool cut = text && !holds_kept(i, text) && !holds_link(text) && label_clean(text, &label);
	if (label.len == 0)
		cut = label_clean(usual, &label);
	if (cut)
		import_warn(i, "label_shortened", "the label is cut after %d characters",
			IMPORT_LABEL_MAX);
	free(i->label);
	i->label = str_take(&label);
}

// --- TLS

cJSON *import_tls(struct import *i, const char *server_name)
{
	cJSON *tls = json_set_object(i->proxy_config, "tls");
	json_set_text(tls, "server_name", server_name);
	return tls;
}

bool import_is_one_of(const char *value, const char *const *words)
{
	for (; value && *words; words++)
		if (strcasecmp(value, *words) == 0)
			return true;
	return false;
}

bool import_is_true(const char *value)
{
	static const char *const words[] = {"1", "true", "yes", "on", NULL};
	return import_is_one_of(value, words);
}

enum import_code import_insecure(struct import *i, const char *name, const char *value)
{
	return import_refuse(i, IMPORT_INSECURE, "tls",
		"%s=%s turns off the check of the server's certificate, so that whoever answers in "
		"its place would be trusted: leave it out, and if the certificate is not signed by "
		"a public authority give the certificate itself (tls.certificate) or the SHA-256 "
		"of its key (tls.certificate_public_key_sha256)",
		name, import_quote(i, value));
}
