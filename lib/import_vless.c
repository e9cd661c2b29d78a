// SPDX-License-Identifier: Apache-2.0
// Links of VLESS (Xray's proposal for share links), Trojan and AnyTLS (their own URI schemes).
#include "lib/import_scheme.h"

#include <string.h>
#include <strings.h>

#include "lib/import_link.h"
#include "lib/import_make.h"
#include "lib/import_stream.h"
#include "lib/json.h"
#include "lib/mem.h"

#define VISION "xtls-rprx-vision"

// --- VLESS

// Shadowrocket writes "auto:UUID".
static enum import_code vless_user(struct import *i, struct uri *u)
{
	static const char *const plain[] = {"", "auto", "none", NULL};
	_cleanup_(wipe_freep) char *cipher = NULL;
	enum import_code r = link_user_uuid(i, u, "vless://UUID@ADDRESS:PORT", &cipher);
	if (r == IMPORT_READ && !import_is_one_of(cipher, plain))
		return import_refuse(i, IMPORT_INVALID, "uuid",
			"in front of '@' there is more than a UUID: vless://UUID@ADDRESS:PORT");
	return r;
}

static enum import_code vless_encryption(struct import *i, struct uri *u)
{
	const char *value = uri_param(u, "encryption");
	if (link_is_off(value))
		return IMPORT_READ;
	_cleanup_(freep) char *name = xstrndup(value, strcspn(value, ".")); // keys come behind
	return import_refuse(i, IMPORT_UNSUPPORTED, "text",
		"encryption %s of VLESS is not supported: ask the provider for encryption=none "
		"inside TLS (security=tls)",
		import_quote(i, name));
}

static enum import_code flow_refuse(struct import *i, const char *flow)
{
	return import_refuse(i, IMPORT_UNSUPPORTED, "flow",
		"flow %s is not supported: ask the provider for " VISION " or for none",
		import_quote(i, flow));
}

// Shadowrocket's xtls=2 is vision. Its variant for port 443 differs in what the client refuses
// only.
static enum import_code vless_flow(struct import *i, struct uri *u)
{
	static const char *const visions[] = {VISION, VISION "-udp443", NULL};
	const char *flow = uri_param(u, "flow"), *xtls = uri_param(u, "xtls");
	if (link_is_off(flow) && !link_is_off(xtls))
		flow = strcmp(xtls, "2") == 0 ? VISION : "xtls-rprx-direct";
	if (link_is_off(flow))
		return IMPORT_READ;
	if (!import_is_one_of(flow, visions))
		return flow_refuse(i, flow);
	if (!cJSON_HasObjectItem(i->proxy_config, "tls") ||
		cJSON_HasObjectItem(i->proxy_config, "transport"))
		return import_refuse(i, IMPORT_INVALID, "flow",
			"flow " VISION " needs TLS (security=tls) and plain TCP (type=tcp): ask "
			"the provider which of them is wrong");
	json_set_text(i->proxy_config, "flow", VISION);
	return IMPORT_READ;
}

static enum import_code vless_privacy(struct import *i, struct uri *u)
{
	(void)u;
	stream_plain_warn(i, "VLESS");
	return IMPORT_READ;
}

enum import_code import_vless(struct import *i, const char *scheme, const char *rest)
{
	static const struct link_kind kind = {"vless", uri_divide_wrapped,
		{vless_user, link_server, vless_encryption, stream_set, vless_flow, link_packets,
			vless_privacy}};
	(void)scheme;
	return link_read(i, rest, &kind);
}

// --- Trojan

// Of XTLS and of trojan-go.
static enum import_code trojan_others(struct import *i, struct uri *u)
{
	static const char *const words[] = {"flow", "encryption", NULL};
	for (const char *const *word = words; *word; word++) {
		const char *value = uri_param(u, *word);
		_cleanup_(freep) char *name = value ? xstrndup(value, strcspn(value, ";")) : NULL;
		if (!link_is_off(value))
			return import_refuse(i, IMPORT_UNSUPPORTED, "text",
				"%s %s of Trojan is not supported: ask the provider for Trojan "
				"without it",
				*word, import_quote(i, name));
	}
	return IMPORT_READ;
}

enum import_code import_trojan(struct import *i, const char *scheme, const char *rest)
{
	static const struct link_kind kind = {"trojan", uri_divide,
		{link_user_password, link_server_443, trojan_others, stream_inside_tls}};
	(void)scheme;
	return link_read(i, rest, &kind);
}

// --- AnyTLS

enum import_code import_anytls(struct import *i, const char *scheme, const char *rest)
{
	static const struct link_kind kind = {
		"anytls", uri_divide, {link_user_password, link_server_443, stream_tls_alone}};
	(void)scheme;
	return link_read(i, rest, &kind);
}
