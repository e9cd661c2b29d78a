// SPDX-License-Identifier: Apache-2.0
// sing-box's outbound for a proxy: a table of what each type may say, and how it is written.
#include "agent/tunnel/proxy_outbound.h"

#include <errno.h>
#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tunnel/member.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/key_list.h"
#include "lib/mem.h"

enum { PEM_MAX = 32 * 1024, PORT_MAX = 65535, DIGEST_SIZE = 32 };

// Types of proxies and of transports, as bits in the order of their names.
static const char *const types[] = {"socks", "http", "shadowsocks", "vmess", "vless", "trojan",
	"hysteria2", "tuic", "anytls", NULL};
enum {
	SOCKS = 1 << 0,
	HTTP = 1 << 1,
	SHADOWSOCKS = 1 << 2,
	VMESS = 1 << 3,
	VLESS = 1 << 4,
	TROJAN = 1 << 5,
	HYSTERIA2 = 1 << 6,
	TUIC = 1 << 7,
	ANYTLS = 1 << 8,
	ALL = (1 << 9) - 1,
	QUIC = HYSTERIA2 | TUIC,
};

static const char *const transports[] = {"ws", "http", "grpc", "httpupgrade", NULL};
enum {
	WS = 1 << 0,
	H2 = 1 << 1,
	GRPC = 1 << 2,
	UPGRADE = 1 << 3,
};

static bool server_take(const char *text, struct addr *ret)
{
	struct err e;
	return addr_parse(text, ret, &e) == 0 && !strchr(text, '/');
}

static int address_put(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	struct addr addr;
	char text[ADDR_TEXT_MAX];
	if (!cJSON_IsString(value) || !server_take(value->valuestring, &addr))
		return member_refuse(b, m, "an address: names are not looked up", e);
	json_set_text(b->to, m->name, addr_text(&addr, text));
	return 0;
}

static bool is_protocol(const char *text)
{
	size_t len = strlen(text);
	return len >= 1 && len <= 255; // RFC 7301
}

static int protocols_put(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	return member_list(b, m, value, is_protocol, e);
}

static bool is_digest(const char *text)
{
	uint8_t bytes[DIGEST_SIZE];
	size_t len;
	return sodium_base642bin(bytes, sizeof(bytes), text, strlen(text), NULL, &len, NULL,
		       sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       len == sizeof(bytes);
}

static int digests_put(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	return member_list(b, m, value, is_digest, e);
}

static unsigned long port_take(const char **at)
{
	size_t digits = strspn(*at, "0123456789");
	unsigned long port = digits >= 1 && digits <= 5 ? strtoul(*at, NULL, 10) : 0;
	*at += digits;
	return port <= PORT_MAX ? port : 0;
}

// "20000:30000"; sing-box takes no single port here.
static bool is_port_range(const char *text)
{
	unsigned long first = port_take(&text);
	if (first == 0 || *text++ != ':')
		return false;
	unsigned long last = port_take(&text);
	return last >= first && *text == '\0';
}

static int ranges_put(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	return member_list(b, m, value, is_port_range, e);
}

// Lines of a PEM file; only certificates.
static int certificate_put(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	const char *text = cJSON_IsString(value) ? value->valuestring : "";
	if (strlen(text) > PEM_MAX || strncmp(text, begin, strlen(begin)) != 0 ||
		strstr(text, "PRIVATE KEY"))
		return member_refuse(b, m, "certificates in PEM", e);
	cJSON *list = json_set_array(b->to, m->name);
	while (*text) {
		size_t len = strcspn(text, "\r\n");
		_cleanup_(freep) char *line = xstrndup(text, len);
		if (len > 0)
			json_add_text(list, line);
		text += len + strspn(text + len, "\r\n");
	}
	return 0;
}

// --- secrets with a form of their own

static bool are_keys(const char *text, const struct key_list_rule *rule)
{
	unsigned sizes[KEY_LIST_MAX], count = key_list_sizes(text, sizes);
	for (unsigned k = 0; k < count; k++)
		if (sizes[k] != rule->size)
			return false;
	return count >= 1 && count <= rule->most;
}

static int password_put(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	const char *method = NULL;
	if (!member_is_text(value, MEMBER_TEXT_MAX) || value->valuestring[0] == '\0')
		return member_refuse(
			b, m, "a text of 1 to 1024 bytes without control characters", e);
	if (b->kind == SHADOWSOCKS && json_get_text(b->from, "method", &method, e) < 0)
		return err_wrap(e, "%s", b->where);
	const struct key_list_rule *rule = key_list_rule(method);
	if (rule && !are_keys(value->valuestring, rule))
		return member_refuse(b, m, "keys of its method's size in base64, with padding", e);
	return member_text(b, m, value, e);
}

static int obfs_put(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	const cJSON *password = cJSON_GetObjectItemCaseSensitive(b->secret, "obfs_password");
	if (member_word_bit(value, m->words) == 0)
		return member_refuse(b, m, "salamander", e);
	if (!member_is_text(password, MEMBER_TEXT_MAX) || password->valuestring[0] == '\0')
		return err_say(e, EINVAL,
			"proxy_secret.obfs_password must be a text without control characters, "
			"because %s.obfs is given",
			b->where);
	cJSON *obfs = json_set_object(b->to, m->name);
	json_set_text(obfs, "type", value->valuestring);
	json_set(obfs, "password", cJSON_CreateStringReference(password->valuestring));
	return 0;
}

// --- objects

static const char *const tls_versions[] = {"1.2", "1.3", NULL};

static const struct member tls_members[] = {
	{.name = "server_name", .kinds = ALL, .put = member_text},
	{.name = "certificate", .kinds = ALL, .put = certificate_put},
	{.name = "alpn", .kinds = ALL, .put = protocols_put},
	{.name = "certificate_public_key_sha256", .kinds = ALL, .put = digests_put},
	{.name = "min_version", .kinds = ALL, .put = member_word, .words = tls_versions},
	{0},
};

// Nothing here can turn off the check of the server's certificate.
static int tls_put(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	if (!cJSON_IsObject(value))
		return member_refuse(b, m, "an object", e);
	struct member_build tls = {.where = "proxy_config.tls", .kind = b->kind, .from = value};
	tls.to = json_set_object(b->to, m->name);
	json_set_bool(tls.to, "enabled", true);
	if (members_put(&tls, tls_members, e) < 0)
		return -1;
	if (cJSON_HasObjectItem(tls.to, "certificate") &&
		cJSON_HasObjectItem(tls.to, "certificate_public_key_sha256"))
		return err_say(e, EINVAL,
			"proxy_config.tls pins the server's key or names who signs it, not both: "
			"leave out certificate or certificate_public_key_sha256");
	return 0;
}

static int host_put(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	if (!member_is_text(value, MEMBER_TEXT_MAX))
		return member_refuse(b, m, "a text", e);
	if (b->kind == WS)
		json_set_text(json_set_object(b->to, "headers"), "Host", value->valuestring);
	else if (b->kind == H2)
		json_add_text(json_set_array(b->to, m->name), value->valuestring);
	else
		json_set_text(b->to, m->name, value->valuestring);
	return 0;
}

static const struct member transport_members[] = {
	{.name = "type", .kinds = ~0u, .put = member_word, .words = transports},
	{.name = "path", .kinds = WS | H2 | UPGRADE, .put = member_text},
	{.name = "host", .kinds = WS | H2 | UPGRADE, .put = host_put},
	{.name = "max_early_data", .kinds = WS, .put = member_number},
	{.name = "early_data_header_name", .kinds = WS, .put = member_text},
	{.name = "service_name", .kinds = GRPC, .put = member_text},
	{0},
};

static int transport_put(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	struct member_build transport = {.where = "proxy_config.transport", .from = value};
	transport.kind =
		member_word_bit(cJSON_GetObjectItemCaseSensitive(value, "type"), transports);
	if (transport.kind == 0)
		return member_refuse(
			b, m, "an object whose type is ws, http, grpc or httpupgrade", e);
	transport.to = json_set_object(b->to, m->name);
	return members_put(&transport, transport_members, e);
}

static const char *const methods[] = {"2022-blake3-aes-128-gcm", "2022-blake3-aes-256-gcm",
	"2022-blake3-chacha20-poly1305", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm",
	"chacha20-ietf-poly1305", "xchacha20-ietf-poly1305", NULL};
static const char *const flows[] = {"", "xtls-rprx-vision", NULL};
static const char *const securities[] = {
	"auto", "none", "zero", "aes-128-gcm", "chacha20-poly1305", NULL};
static const char *const encodings[] = {"", "packetaddr", "xudp", NULL};
static const char *const controls[] = {"cubic", "new_reno", "bbr", NULL};
static const char *const relays[] = {"native", "quic", NULL};
static const char *const obfuscations[] = {"salamander", NULL};

static const struct member members[] = {
	{.name = "type", .kinds = ALL, .put = member_word, .words = types},
	{.name = "tag", .kinds = ALL, .fixed = PROXY_OUTBOUND},
	{.name = "server", .kinds = ALL, .needed = ALL, .put = address_put},
	{.name = "server_port", .kinds = ALL, .needed = ALL, .put = member_port},
	{.name = "version", .kinds = SOCKS, .fixed = "5"},
	{.name = "username", .kinds = SOCKS | HTTP, .put = member_text},
	{.name = "method",
		.kinds = SHADOWSOCKS,
		.needed = SHADOWSOCKS,
		.put = member_word,
		.words = methods},
	{.name = "uuid",
		.kinds = VMESS | VLESS | TUIC,
		.needed = VMESS | VLESS | TUIC,
		.put = member_uuid,
		.secret = true},
	{.name = "password",
		.kinds = ALL & ~(VMESS | VLESS),
		.needed = SHADOWSOCKS | TROJAN | HYSTERIA2 | TUIC | ANYTLS,
		.put = password_put,
		.secret = true},
	{.name = "flow", .kinds = VLESS, .put = member_word, .words = flows},
	{.name = "security", .kinds = VMESS, .put = member_word, .words = securities},
	{.name = "alter_id", .kinds = VMESS, .put = member_number},
	{.name = "packet_encoding", .kinds = VMESS | VLESS, .put = member_word, .words = encodings},
	{.name = "congestion_control", .kinds = TUIC, .put = member_word, .words = controls},
	{.name = "udp_relay_mode", .kinds = TUIC, .put = member_word, .words = relays},
	{.name = "heartbeat", .kinds = TUIC, .put = member_duration},
	{.name = "server_ports", .kinds = HYSTERIA2, .put = ranges_put},
	{.name = "hop_interval", .kinds = HYSTERIA2, .put = member_duration},
	{.name = "up_mbps", .kinds = HYSTERIA2, .put = member_number},
	{.name = "down_mbps", .kinds = HYSTERIA2, .put = member_number},
	{.name = "obfs", .kinds = HYSTERIA2, .put = obfs_put, .words = obfuscations},
	{.name = "obfs_password", .kinds = HYSTERIA2, .put = member_nothing, .secret = true},
	{.name = "udp", .kinds = SOCKS, .put = member_nothing},
	{.name = "udp_over_tcp", .kinds = SOCKS | SHADOWSOCKS, .put = member_flag},
	{.name = "tls",
		.kinds = ALL & ~(SOCKS | SHADOWSOCKS),
		.needed = TROJAN | QUIC | ANYTLS,
		.put = tls_put},
	{.name = "transport", .kinds = VMESS | VLESS | TROJAN, .put = transport_put},
	{0},
};

static int type_parse(const cJSON *config, unsigned *ret, struct err *e)
{
	*ret = member_word_bit(cJSON_GetObjectItemCaseSensitive(config, "type"), types);
	return *ret ? 0
		    : err_say(e, EINVAL,
			      "proxy_config.type must be socks, http, shadowsocks, vmess, vless, "
			      "trojan, hysteria2, tuic or anytls");
}

// Vision works on the TLS connection itself: without one, or with a transport in between, every
// connection through it would fail.
static int flow_check(const cJSON *outbound, struct err *e)
{
	const cJSON *flow = cJSON_GetObjectItemCaseSensitive(outbound, "flow");
	if (!flow || flow->valuestring[0] == '\0')
		return 0;
	if (cJSON_HasObjectItem(outbound, "tls") && !cJSON_HasObjectItem(outbound, "transport"))
		return 0;
	return err_say(e, EINVAL, "proxy_config.flow needs tls and no transport");
}

int proxy_outbound_put(cJSON *list, const cJSON *config, const cJSON *secret, struct err *e)
{
	struct member_build b = {.where = "proxy_config", .from = config, .secret = secret};
	if (type_parse(config, &b.kind, e) < 0)
		return -1;
	if (secret && !cJSON_IsObject(secret))
		return err_say(e, EINVAL, "proxy_secret must be an object");
	b.to = json_add(list, json_new_object());
	return members_put(&b, members, e) < 0 ? -1 : flow_check(b.to, e);
}

int proxy_doors_parse(const cJSON *config, struct proxy_doors *ret, struct err *e)
{
	struct proxy_doors doors = {.udp = true};
	const cJSON *more_ports = NULL;
	const char *server;
	int64_t port;
	const char *encoding = NULL;
	bool over_tcp = false;
	unsigned kind;
	if (type_parse(config, &kind, e) < 0)
		return -1;
	if (json_opt_text(config, "packet_encoding", &encoding, e) < 0 ||
		json_get_text(config, "server", &server, e) < 0 ||
		json_get_int(config, "server_port", 1, PORT_MAX, &port, e) < 0 ||
		json_opt_array(config, "server_ports", &more_ports, e) < 0 ||
		json_opt_bool(config, "udp", &doors.udp, e) < 0 ||
		json_opt_bool(config, "udp_over_tcp", &over_tcp, e) < 0)
		return err_wrap(e, "proxy_config");
	if (!server_take(server, &doors.server))
		return err_say(e, EINVAL,
			"proxy_config.server must be an address: names are not looked up");
	doors.udp = doors.udp && kind != HTTP;
	doors.tcp_port = kind & QUIC ? 0 : (uint16_t)port;
	if (kind & QUIC || (kind == SHADOWSOCKS && !over_tcp))
		doors.udp_port = (uint16_t)port;
	doors.udp_associated = kind == SOCKS && doors.udp && !over_tcp;
	// sing-box's default is none for VMess and xudp for VLESS.
	doors.udp_single = encoding ? encoding[0] == '\0' : kind == VMESS;
	doors.udp_any = doors.udp_associated || (kind == HYSTERIA2 && more_ports);
	*ret = doors;
	return 0;
}
