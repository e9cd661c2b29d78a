// SPDX-License-Identifier: Apache-2.0
// Links of Hysteria 2 (v2.hysteria.network/docs/developers/URI-Scheme) and TUIC.
#include "lib/import_scheme.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/import_link.h"
#include "lib/import_make.h"
#include "lib/import_stream.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { MBPS_MAX = 65535, RANGES_MAX = 16 };

// --- ports of Hysteria 2

// Adds "443" or "5000-6000" (or with ':') to the ranges.
static bool range_add(cJSON *ranges, char *text)
{
	char *last = text + strcspn(text, "-:");
	bool is_range = *last != '\0';
	if (is_range)
		*last++ = '\0';
	unsigned from = uri_port_parse(text), to = is_range ? uri_port_parse(last) : from;
	if (from == 0 || to < from || cJSON_GetArraySize(ranges) == RANGES_MAX)
		return false;
	_cleanup_(freep) char *range = xasprintf("%u:%u", from, to);
	json_add_text(ranges, range);
	return true;
}

static bool ranges_add(cJSON *ranges, const char *text)
{
	_cleanup_(freep) char *list = xstrdup(text);
	char *rest;
	bool added = false;
	for (char *p = strtok_r(list, ", ", &rest); p; p = strtok_r(NULL, ", ", &rest)) {
		if (!range_add(ranges, p))
			return false;
		added = true;
	}
	return added;
}

static enum import_code ports_refuse(struct import *i)
{
	return import_refuse(i, IMPORT_INVALID, "server_ports",
		"the ports are numbers and ranges from 1 to 65535, such as 443,5000-6000, at most "
		"%d",
		RANGES_MAX);
}

// Several ports in the port's place, or in mport. Of the first the first is server_port.
static enum import_code hysteria2_ports(struct import *i, struct uri *u)
{
	static const char *const names[] = {"mport", "ports", "server_ports", NULL};
	const char *more = uri_param_any(u, names);
	_cleanup_(json_freep) cJSON *ranges = json_new_array();
	if (u->port && strpbrk(u->port, ",-")) {
		if (!ranges_add(ranges, u->port))
			return ports_refuse(i);
		u->port[strcspn(u->port, ",-")] = '\0';
	}
	if (more && !ranges_add(ranges, more))
		return ports_refuse(i);
	if (cJSON_GetArraySize(ranges) > 0)
		json_set(i->proxy_config, "server_ports", TAKE_PTR(ranges));
	return IMPORT_READ;
}

static bool is_unit(const char *text)
{
	return strcmp(text, "ms") == 0 || strcmp(text, "s") == 0 || strcmp(text, "m") == 0;
}

// `is_bare`: a number alone is seconds.
static bool is_duration(const char *text, bool is_bare)
{
	size_t digits = strspn(text, "0123456789");
	return digits >= 1 && digits <= 5 &&
	       (text[digits] == '\0' ? is_bare : is_unit(text + digits));
}

// "10-30": any interval between these does.
static enum import_code interval_set(struct import *i, const char *name, const char *value)
{
	if (link_is_off(value))
		return IMPORT_READ;
	size_t len = strcspn(value, "-");
	_cleanup_(freep) char *first = xstrndup(value, len);
	if (!is_duration(first, true) || (value[len] && !is_duration(value + len + 1, true)))
		return import_refuse(i, IMPORT_INVALID, "hop_interval",
			"%s is a duration such as 30s, or a range of them such as 10s-30s", name);
	if (value[len])
		import_warn(i, "first_interval_used",
			"%s is a range of intervals: the first of them is used", name);
	bool alone = first[strspn(first, "0123456789")] == '\0';
	_cleanup_(freep) char *text = xasprintf("%s%s", first, alone ? "s" : "");
	json_set_text(i->proxy_config, "hop_interval", text);
	return IMPORT_READ;
}

static enum import_code hysteria2_hop(struct import *i, struct uri *u)
{
	static const char *const names[] = {
		"hop_interval", "hop-interval", "hopInterval", "mportHopInt", "hopInt", NULL};
	if (!cJSON_HasObjectItem(i->proxy_config, "server_ports"))
		return IMPORT_READ;
	const char *value = uri_param_any(u, names);
	return interval_set(i, uri_param_name(u, value), value);
}

// --- the rest of Hysteria 2

// The whole of "user:password" is one password.
static enum import_code hysteria2_password(struct import *i, struct uri *u)
{
	static const char *const names[] = {"auth", "password", NULL};
	const char *value = uri_param_any(u, names);
	if (u->user)
		return link_user_password(i, u);
	uri_plus_warn(i, u, value);
	return value ? import_secret(i, "password", value)
		     : import_refuse(i, IMPORT_INVALID, "password",
			       "the password is missing: hysteria2://PASSWORD@ADDRESS:PORT");
}

static enum import_code hysteria2_obfs(struct import *i, struct uri *u)
{
	static const char *const names[] = {
		"obfs-password", "obfs_password", "obfsPassword", "obfsParam", NULL};
	const char *obfs = uri_param(u, "obfs"), *password = uri_param_any(u, names);
	if (password)
		import_keep(i, password);
	if (link_is_off(obfs))
		return !password ? IMPORT_READ
				 : import_refuse(i, IMPORT_INVALID, "obfs",
					   "there is a password of obfs and no obfs: add "
					   "obfs=salamander, or leave the password out");
	if (strcasecmp(obfs, "salamander") != 0)
		return import_refuse(i, IMPORT_UNSUPPORTED, "obfs",
			"obfs %s is not supported: ask the provider for salamander or for none",
			import_quote(i, obfs));
	json_set_text(i->proxy_config, "obfs", "salamander");
	uri_plus_warn(i, u, password);
	return password ? import_secret(i, "obfs_password", password)
			: import_refuse(i, IMPORT_INVALID, "obfs_password",
				  "obfs salamander needs obfs-password");
}

// "100", "100 Mbps", "100+Mbps"
static enum import_code mbps_set(struct import *i, const char *member, const char *value)
{
	static const char *const units[] = {"", "m", "mbps", NULL};
	size_t digits = value ? strspn(value, "0123456789") : 0;
	if (link_is_off(value))
		return IMPORT_READ;
	const char *unit = value + digits + strspn(value + digits, " +");
	_cleanup_(freep) char *number = xstrndup(value, digits);
	long mbps = import_is_one_of(unit, units) ? link_number(number, 0, MBPS_MAX) : -1;
	if (mbps < 0)
		return import_refuse(i, IMPORT_INVALID, member,
			"%s is a number of Mbit/s, at most %d", member, MBPS_MAX);
	json_set_number(i->proxy_config, member, mbps);
	return IMPORT_READ;
}

static enum import_code hysteria2_speed(struct import *i, struct uri *u)
{
	static const char *const ups[] = {"upmbps", "up_mbps", "up", NULL};
	static const char *const downs[] = {"downmbps", "down_mbps", "down", NULL};
	enum import_code r = mbps_set(i, "up_mbps", uri_param_any(u, ups));
	return r == IMPORT_READ ? mbps_set(i, "down_mbps", uri_param_any(u, downs)) : r;
}

enum import_code import_hysteria2(struct import *i, const char *scheme, const char *rest)
{
	static const struct link_kind kind = {"hysteria2", uri_divide,
		{hysteria2_password, hysteria2_obfs, hysteria2_ports, link_server_443,
			hysteria2_hop, hysteria2_speed, stream_tls_alone}};
	(void)scheme;
	return link_read(i, rest, &kind);
}

// --- TUIC

static enum import_code version_refuse(struct import *i)
{
	return import_refuse(i, IMPORT_UNSUPPORTED, "uuid",
		"TUIC of version 4 (with a token) is not supported: ask for version 5, "
		"tuic://UUID:PASSWORD@ADDRESS:PORT");
}

static enum import_code tuic_user(struct import *i, struct uri *u)
{
	_cleanup_(wipe_freep) char *user = NULL;
	const char *version = uri_param(u, "version"), *token = uri_param(u, "token");
	import_keep(i, token);
	enum import_code r = link_user(i, u, "tuic://UUID:PASSWORD@ADDRESS:PORT", &user);
	if ((token && *token) || (version && strchr("1234", *version) && *version))
		return version_refuse(i);
	if (r != IMPORT_READ)
		return r;
	char *colon = strchr(user, ':');
	import_keep(i, colon ? colon + 1 : NULL);
	if (!colon)
		return import_refuse(i, IMPORT_INVALID, "password",
			"the password is missing: tuic://UUID:PASSWORD@ADDRESS:PORT");
	*colon = '\0';
	r = link_uuid(i, user);
	return r == IMPORT_READ ? import_secret(i, "password", colon + 1) : r;
}

struct word {
	const char *name, *as;
};

// Writes the member by what the value is called in sing-box.
static enum import_code word_set(
	struct import *i, const char *member, const char *value, const struct word *words)
{
	if (!value)
		return IMPORT_READ;
	for (; words->name; words++)
		if (strcasecmp(words->name, value) == 0) {
			json_set_text(i->proxy_config, member, words->as);
			return IMPORT_READ;
		}
	return import_refuse(i, IMPORT_UNSUPPORTED, member, "%s %s is not supported: leave it out",
		member, import_quote(i, value));
}

static enum import_code tuic_options(struct import *i, struct uri *u)
{
	static const char *const controls[] = {"congestion_control", "congestion-control",
		"congestion_controller", "congestion-controller", "congestion", NULL};
	static const char *const relays[] = {
		"udp_relay_mode", "udp-relay-mode", "udpRelayMode", NULL};
	static const struct word control_words[] = {{"cubic", "cubic"}, {"bbr", "bbr"},
		{"new_reno", "new_reno"}, {"newreno", "new_reno"}, {"reno", "new_reno"}, {0}};
	static const struct word relay_words[] = {{"native", "native"}, {"quic", "quic"}, {0}};
	enum import_code r =
		word_set(i, "congestion_control", uri_param_any(u, controls), control_words);
	return r == IMPORT_READ
		       ? word_set(i, "udp_relay_mode", uri_param_any(u, relays), relay_words)
		       : r;
}

static enum import_code tuic_heartbeat(struct import *i, struct uri *u)
{
	static const char *const names[] = {
		"heartbeat", "heartbeat_interval", "heartbeat-interval", NULL};
	static const char *const streams[] = {"udp_over_stream", "udp-over-stream", NULL};
	if (!link_is_off(uri_param_any(u, streams)))
		return import_refuse(i, IMPORT_UNSUPPORTED, "udp_relay_mode",
			"udp_over_stream is not supported: ask for udp_relay_mode=native");
	const char *value = uri_param_any(u, names);
	if (link_is_off(value))
		return IMPORT_READ;
	if (!is_duration(value, false))
		return import_refuse(i, IMPORT_INVALID, "heartbeat",
			"%s is a duration with its unit, such as 10s", uri_param_name(u, value));
	json_set_text(i->proxy_config, "heartbeat", value);
	return IMPORT_READ;
}

enum import_code import_tuic(struct import *i, const char *scheme, const char *rest)
{
	static const struct link_kind kind = {"tuic", uri_divide,
		{tuic_user, link_server_443, tuic_options, tuic_heartbeat, stream_tls_alone}};
	(void)scheme;
	return link_read(i, rest, &kind);
}
