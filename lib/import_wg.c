// SPDX-License-Identifier: Apache-2.0
// wg-quick files: one interface, one peer, everything through it. Commands in them are never run.
#include "lib/import_scheme.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/import_make.h"
#include "lib/import_uri.h"
#include "lib/json.h"
#include "lib/key32.h"
#include "lib/mem.h"

enum {
	MTU_MIN = 1280, // of the tunnels, ccp.mtu
	MTU_MAX = 1500,
	ADDRESSES_MAX = 512, // in all lines of one key
	KEY_RUN = 40, // so many characters of base64 could be a key
};

enum section { SECTION_NONE, SECTION_INTERFACE, SECTION_PEER };

struct addresses {
	struct addr list[ADDRESSES_MAX];
	unsigned count;
};

struct wg_file {
	struct import *i;
	enum section section;
	unsigned line;
	unsigned sections; // bits of enum section
	uint64_t seen; // bits of keys[]
	struct addresses addresses, resolvers, allowed;
	bool has_search_domain;
	uint8_t own_public[KEY32_SIZE];
	char *comment; // the peer's first, or what stands right in front of it
	bool comment_is_peers;
};

struct key {
	const char *name;
	enum section section;
	enum import_code (*read)(struct wg_file *f, const struct key *key, char *value);
	const char *field; // what a sentence about it is about; for ignored keys why
	bool repeats;
};

static enum import_code refuse(
	struct wg_file *f, enum import_code code, const struct key *key, const char *what)
{
	return import_refuse(f->i, code, key->field, "%s %s", key->name, what);
}

// --- values

static void own_public_set(struct wg_file *f, const uint8_t private_key[static KEY32_SIZE])
{
	crypto_scalarmult_base(f->own_public, private_key);
	key32_text(f->own_public, f->i->own_public_key);
}

static enum import_code key_read(struct wg_file *f, const struct key *key, char *value)
{
	uint8_t bytes[KEY32_SIZE];
	struct err e;
	if (key32_parse(value, key->name, bytes, &e) < 0)
		return refuse(f, IMPORT_INVALID, key, "is not 32 bytes in base64");
	if (key->section == SECTION_INTERFACE)
		own_public_set(f, bytes);
	mem_wipe(bytes, sizeof(bytes));
	if (strcmp(key->field, "wg_public_key") != 0)
		return import_secret(f->i, key->field, value);
	json_set_text(f->i->row, key->field, value);
	return IMPORT_READ;
}

static enum import_code address_add(
	struct wg_file *f, const struct key *key, const struct addr *a, struct addresses *to)
{
	if (to->count == ADDRESSES_MAX)
		return refuse(f, IMPORT_INVALID, key, "has too many addresses");
	to->list[to->count++] = *a;
	return IMPORT_READ;
}

static enum import_code addresses_read(
	struct wg_file *f, const struct key *key, char *value, struct addresses *to)
{
	enum import_code r = IMPORT_READ;
	struct addr a;
	struct err e;
	char *rest;
	for (char *one = strtok_r(value, ", \t", &rest); one && r == IMPORT_READ;
		one = strtok_r(NULL, ", \t", &rest))
		r = addr_parse(one, &a, &e) < 0
			    ? refuse(f, IMPORT_INVALID, key,
				      "is not a list of addresses such as 10.2.0.2/32, fd00::2/128")
			    : address_add(f, key, &a, to);
	return r;
}

static enum import_code own_read(struct wg_file *f, const struct key *key, char *value)
{
	return addresses_read(f, key, value, &f->addresses);
}

static enum import_code allowed_read(struct wg_file *f, const struct key *key, char *value)
{
	return addresses_read(f, key, value, &f->allowed);
}

// Addresses are resolvers, names are search domains.
static enum import_code dns_read(struct wg_file *f, const struct key *key, char *value)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-~";
	enum import_code r = IMPORT_READ;
	struct addr a;
	struct err e;
	char *rest;
	for (char *one = strtok_r(value, ", \t", &rest); one && r == IMPORT_READ;
		one = strtok_r(NULL, ", \t", &rest)) {
		bool is_address = !strchr(one, '/') && addr_parse(one, &a, &e) == 0;
		if (is_address && import_unusable(&a))
			r = refuse(f, IMPORT_INVALID, key,
				"names an address that is no resolver behind the tunnel");
		else if (is_address)
			r = address_add(f, key, &a, &f->resolvers);
		else if (one[strspn(one, letters)] == '\0' && strpbrk(one, "ghijklmnopqrstuvwxyz"
									   "GHIJKLMNOPQRSTUVWXYZ"
									   "abcdefABCDEF"))
			f->has_search_domain = true;
		else
			r = refuse(f, IMPORT_INVALID, key,
				"is not a list of addresses and search domains");
	}
	return r;
}

static enum import_code endpoint_set(struct wg_file *f, const struct key *key, const struct uri *u)
{
	_cleanup_(freep) char *host = NULL;
	unsigned port = u->port ? uri_port_parse(u->port) : 0;
	bool is_name;
	if (!u->port)
		return refuse(f, IMPORT_INVALID, key, "has no port: ADDRESS:PORT");
	if (port == 0)
		return refuse(f, IMPORT_INVALID, key, "has no port from 1 to 65535");
	enum import_code r = import_host(f->i, key->field, u->host, &host, &is_name);
	if (r != IMPORT_READ)
		return r;
	bool is_ipv6 = strchr(host, ':');
	_cleanup_(freep) char *endpoint =
		xasprintf("%s%s%s:%u", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
	json_set_text(f->i->row, key->field, endpoint);
	if (is_name)
		import_warn(f->i, "server_is_a_name",
			"Endpoint is the name %s: it is not looked up, because whoever answers "
			"could choose the exit; give its address when you save",
			import_quote(f->i, host));
	return IMPORT_READ;
}

static enum import_code endpoint_read(struct wg_file *f, const struct key *key, char *value)
{
	_cleanup_(uri_done) struct uri u = {0};
	enum import_code r = uri_host_divide(f->i, value, &u);
	if (r == IMPORT_READ)
		return endpoint_set(f, key, &u);
	f->i->field = key->field;
	return r;
}

static enum import_code mtu_read(struct wg_file *f, const struct key *key, char *value)
{
	size_t len = strlen(value);
	if (len > 5 || strspn(value, "0123456789") != len)
		return refuse(f, IMPORT_INVALID, key, "is not a number of bytes");
	unsigned long mtu = strtoul(value, NULL, 10);
	if (mtu >= MTU_MIN && mtu <= MTU_MAX)
		json_set_number(f->i->row, key->field, (double)mtu);
	else
		import_warn(f->i, "mtu_ignored",
			"MTU is outside of %d to %d and has no effect here: what the path carries "
			"is found out",
			MTU_MIN, MTU_MAX);
	return IMPORT_READ;
}

static enum import_code command_refuse(struct wg_file *f, const struct key *key, char *value)
{
	(void)value;
	return refuse(f, IMPORT_UNSUPPORTED, key,
		"is a command, and commands of a file are never run: take the line out, and see "
		"first what it was there for");
}

static enum import_code amnezia_refuse(struct wg_file *f, const struct key *key, char *value)
{
	(void)value;
	return refuse(f, IMPORT_UNSUPPORTED, key,
		"is AmneziaWG's, whose packets are not WireGuard's: ask for a plain WireGuard file");
}

static enum import_code ignored_warn(struct wg_file *f, const struct key *key, char *value)
{
	(void)value;
	import_warn(f->i, "key_ignored", "line %u: %s has no effect here: %s", f->line, key->name,
		key->field);
	return IMPORT_READ;
}

static enum import_code keepalive_read(struct wg_file *f, const struct key *key, char *value)
{
	return strcmp(value, "25") == 0 ? IMPORT_READ : ignored_warn(f, key, value);
}

// --- lines

static const struct key keys[] = {
	{"PrivateKey", SECTION_INTERFACE, key_read, "private_key", false},
	{"Address", SECTION_INTERFACE, own_read, "wg_peer_address", true},
	{"DNS", SECTION_INTERFACE, dns_read, "wg_dns_server", true},
	{"MTU", SECTION_INTERFACE, mtu_read, "wg_mtu", false},
	{"PublicKey", SECTION_PEER, key_read, "wg_public_key", false},
	{"PresharedKey", SECTION_PEER, key_read, "preshared_key", false},
	{"AllowedIPs", SECTION_PEER, allowed_read, "wg_allowed_ips", true},
	{"Endpoint", SECTION_PEER, endpoint_read, "wg_endpoint", false},
	{"PersistentKeepalive", SECTION_PEER, keepalive_read, "it is 25 seconds always", false},
	{"ListenPort", SECTION_INTERFACE, ignored_warn, "the port is the kernel's choice", false},
	{"FwMark", SECTION_INTERFACE, ignored_warn, "nothing routes by marks", false},
	{"Table", SECTION_INTERFACE, ignored_warn, "a host's whole traffic goes through the tunnel",
		false},
	{"SaveConfig", SECTION_INTERFACE, ignored_warn, "the file is not written", false},
	{"PreUp", SECTION_INTERFACE, command_refuse, "text", true},
	{"PostUp", SECTION_INTERFACE, command_refuse, "text", true},
	{"PreDown", SECTION_INTERFACE, command_refuse, "text", true},
	{"PostDown", SECTION_INTERFACE, command_refuse, "text", true},
	{"Jc", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"Jmin", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"Jmax", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"S1", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"S2", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"H1", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"H2", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"H3", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"H4", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"S3", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"S4", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"I1", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"I2", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"I3", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"I4", SECTION_INTERFACE, amnezia_refuse, "text", false},
	{"I5", SECTION_INTERFACE, amnezia_refuse, "text", false},
};
_Static_assert(ARRAY_SIZE(keys) <= 64, "wg_file.seen");

static const char *const section_names[] = {"", "[Interface]", "[Peer]"};

static enum import_code setting_check(struct wg_file *f, const struct key *key, const char *value)
{
	uint64_t bit = UINT64_C(1) << (key - keys);
	if (f->section != key->section)
		return import_refuse(f->i, IMPORT_INVALID, "text", "%s belongs into %s", key->name,
			section_names[key->section]);
	if (f->seen & bit && !key->repeats)
		return import_refuse(f->i, IMPORT_INVALID, "text", "%s is given twice", key->name);
	f->seen |= bit;
	if (*value == '\0')
		return import_refuse(f->i, IMPORT_INVALID, "text", "%s has no value", key->name);
	return IMPORT_READ;
}

static enum import_code setting_read(struct wg_file *f, const char *name, char *value)
{
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		if (strcasecmp(keys[k].name, name) != 0)
			continue;
		enum import_code r = setting_check(f, &keys[k], value);
		return r == IMPORT_READ ? keys[k].read(f, &keys[k], value) : r;
	}
	return import_refuse(f->i, IMPORT_UNSUPPORTED, "text",
		"the key %s is not one of wg-quick's and is not known here",
		import_quote(f->i, name));
}

static enum import_code section_enter(struct wg_file *f, const char *line)
{
	for (unsigned s = SECTION_INTERFACE; s <= SECTION_PEER; s++) {
		if (strcasecmp(line, section_names[s]) != 0)
			continue;
		if (f->sections & 1u << s)
			return import_refuse(f->i, IMPORT_UNSUPPORTED, "text",
				"a second %s: an exit has one interface and one peer",
				section_names[s]);
		f->sections |= 1u << s;
		f->section = s;
		return IMPORT_READ;
	}
	if (strstr(line, "\\n"))
		return import_refuse(f->i, IMPORT_INVALID, "text",
			"the line ends of the file are written \\n: paste the file with its lines");
	return import_refuse(f->i, IMPORT_UNSUPPORTED, "text",
		"a section other than [Interface] and [Peer] is not known here");
}

// A comment can be the peer's name, but not a setting that was commented out, nor a key.
static bool is_name(const char *comment)
{
	size_t run = 0;
	for (const char *c = comment; *c; c++) {
		bool is_digit = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
				(*c >= '0' && *c <= '9') || strchr("+/-_", *c);
		run = is_digit ? run + 1 : 0;
		if (run >= KEY_RUN || *c == '=')
			return false;
	}
	return *comment != '\0';
}

static void comment_take(struct wg_file *f, const char *comment)
{
	comment += strspn(comment, "#; \t");
	if (f->comment_is_peers || !is_name(comment))
		return;
	wipe_freep(&f->comment);
	f->comment = xstrdup(comment);
	f->comment_is_peers = f->section == SECTION_PEER;
}

// Without the blanks around it, of any kind.
static char *trimmed(char *text)
{
	struct import_line left;
	const char *rest = text;
	if (!import_line_next(&rest, &left))
		return text;
	size_t first = (size_t)(left.at - text);
	text[first + left.len] = '\0';
	return text + first;
}

static enum import_code line_read(struct wg_file *f, char *line)
{
	if (*line == '#' || *line == ';') {
		comment_take(f, line);
		return IMPORT_READ;
	}
	if (import_is_fence(line))
		return IMPORT_READ;
	line[strcspn(line, "#")] = '\0';
	const char *text = trimmed(line);
	if (*text == '\0')
		return IMPORT_READ;
	if (*text == '[')
		return section_enter(f, text);
	if (!f->comment_is_peers && f->section == SECTION_INTERFACE)
		wipe_freep(&f->comment); // it was about this setting
	char *equals = strchr(line, '=');
	if (!equals)
		return import_refuse(f->i, IMPORT_INVALID, "text",
			"this line is neither a section nor KEY = VALUE");
	*equals = '\0';
	return setting_read(f, trimmed(line), trimmed(equals + 1));
}

static enum import_code lines_read(struct wg_file *f, const char *text)
{
	struct import *i = f->i;
	for (struct import_line line; import_line_next(&text, &line);) {
		_cleanup_(wipe_freep) char *copy = xstrndup(line.at, line.len);
		f->line++;
		enum import_code r = line_read(f, copy);
		if (r == IMPORT_READ)
			continue;
		_cleanup_(freep) char *message = xstrdup(i->message);
		i->line = f->line;
		return import_refuse(i, r, i->field, "line %u: %s", f->line, message);
	}
	return IMPORT_READ;
}

// --- the whole

static unsigned count_of(const struct addresses *of, int family)
{
	unsigned count = 0;
	for (unsigned k = 0; k < of->count; k++)
		count += of->list[k].family == family;
	return count;
}

static const struct addr *first_of(const struct addresses *of, int family)
{
	for (unsigned k = 0; k < of->count; k++)
		if (of->list[k].family == family)
			return &of->list[k];
	return NULL;
}

struct span {
	unsigned __int128 first, last;
};

static struct span span_of(const struct addr *a)
{
	unsigned __int128 first = 0, rest = ~first;
	for (size_t k = 0; k < sizeof(a->bytes); k++)
		first = first << 8 | a->bytes[k];
	rest = a->prefix == 128 ? 0 : rest >> a->prefix;
	return (struct span){first & ~rest, first | rest};
}

static int span_compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

// Do the networks of a family cover all of it? 0.0.0.0/1 and 128.0.0.0/1 do.
static bool is_whole(const struct addresses *of, int family)
{
	_cleanup_(freep) struct span *spans = xcalloc(of->count, sizeof(*spans));
	unsigned __int128 next = 0, last = ~next;
	unsigned count = 0;
	for (unsigned k = 0; k < of->count; k++)
		if (of->list[k].family == family)
			spans[count++] = span_of(&of->list[k]);
	qsort(spans, count, sizeof(*spans), span_compare);
	for (unsigned k = 0; k < count && spans[k].first <= next; k++) {
		if (spans[k].last == last)
			return true;
		if (spans[k].last >= next)
			next = spans[k].last + 1;
	}
	return false;
}

static enum import_code missing_check(struct wg_file *f)
{
	static const char *const needed[] = {
		"PrivateKey", "Address", "PublicKey", "AllowedIPs", "Endpoint"};
	for (size_t n = 0; n < ARRAY_SIZE(needed); n++)
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			if (strcmp(keys[k].name, needed[n]) == 0 && !(f->seen & UINT64_C(1) << k))
				return import_refuse(f->i, IMPORT_INVALID, keys[k].field,
					"the file has no %s in %s", needed[n],
					section_names[keys[k].section]);
	if (f->addresses.count == 0)
		return import_refuse(
			f->i, IMPORT_INVALID, "wg_peer_address", "Address holds no address");
	return IMPORT_READ;
}

static enum import_code addresses_set(struct wg_file *f, int family)
{
	char text[ADDR_TEXT_MAX];
	const struct addr *own = first_of(&f->addresses, family);
	const struct addr *resolver = first_of(&f->resolvers, family);
	if (!is_whole(&f->allowed, family))
		return import_refuse(f->i, IMPORT_INVALID, "wg_allowed_ips",
			"AllowedIPs leave a part of the addresses out: the whole traffic of a host "
			"goes through its exit, so they must be %s",
			family == AF_INET ? "0.0.0.0/0" : "::/0");
	if (import_unusable(own))
		return import_refuse(f->i, IMPORT_INVALID, "wg_peer_address",
			"Address is not one that a tunnel can have");
	json_add_text(json_set_array(f->i->row, "wg_allowed_ips"),
		family == AF_INET ? "0.0.0.0/0" : "::/0");
	json_set_text(f->i->row, "wg_peer_address", addr_cidr(own, text));
	if (resolver)
		json_set_text(f->i->row, "wg_dns_server", addr_text(resolver, text));
	return IMPORT_READ;
}

static void address6_keep(struct wg_file *f)
{
	char text[ADDR_TEXT_MAX];
	const struct addr *own = first_of(&f->addresses, AF_INET6);
	if (own && !import_unusable(own) && is_whole(&f->allowed, AF_INET6))
		f->i->peer_address6 = xstrdup(addr_cidr(own, text));
}

static void dropped_warn(struct wg_file *f, int family)
{
	int other = family == AF_INET ? AF_INET6 : AF_INET;
	unsigned resolvers = count_of(&f->resolvers, family);
	bool other_resolver = resolvers == 0 && f->resolvers.count > 0;
	if (f->has_search_domain)
		import_warn(f->i, "search_domain_ignored",
			"a search domain in DNS has no effect here: names are asked whole");
	if (resolvers > 0 && f->resolvers.count > 1)
		import_warn(f->i, "second_resolver_ignored",
			"only the first resolver in DNS is used: an exit has one");
	if (count_of(&f->addresses, family) > 1)
		import_warn(f->i, "second_address_ignored",
			"only the first address in Address is used: an exit has one");
	if (f->i->peer_address6)
		import_warn(f->i, "ipv6_ignored",
			"what the file says of IPv6 is left out: give ip_address6, the IPv6 address that "
			"the world must see, and this exit carries both");
	else if (count_of(&f->addresses, other) + count_of(&f->allowed, other) > 0 ||
		 other_resolver)
		import_warn(f->i, family == AF_INET ? "ipv6_ignored" : "ipv4_ignored",
			"what the file says of %s is left out: this exit carries %s only",
			family == AF_INET ? "IPv6" : "IPv4", family == AF_INET ? "IPv4" : "IPv6");
}

static enum import_code file_finish(struct wg_file *f)
{
	enum import_code r = missing_check(f);
	if (r != IMPORT_READ)
		return r;
	const cJSON *peer = cJSON_GetObjectItemCaseSensitive(f->i->row, "wg_public_key");
	if (strcmp(peer->valuestring, f->i->own_public_key) == 0)
		return import_refuse(f->i, IMPORT_INVALID, "wg_public_key",
			"PublicKey belongs to this file's own PrivateKey: it must be the "
			"provider's");
	int family = first_of(&f->addresses, AF_INET) ? AF_INET : AF_INET6;
	r = addresses_set(f, family);
	if (r == IMPORT_READ) {
		if (family == AF_INET)
			address6_keep(f);
		dropped_warn(f, family);
		import_label(f->i, f->comment);
	}
	return r;
}

enum import_code import_wg_quick(struct import *i, const char *text)
{
	_cleanup_(freep) struct wg_file *f = xnew(struct wg_file);
	f->i = i;
	i->row = json_new_object();
	json_set_text(i->row, "tunnel_type", "wireguard");
	enum import_code r = lines_read(f, text);
	if (r == IMPORT_READ)
		r = file_finish(f);
	wipe_freep(&f->comment);
	return r;
}
