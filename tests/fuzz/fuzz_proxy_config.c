// SPDX-License-Identifier: Apache-2.0
// Fuzzes the proxy engine's configuration: whatever an exit says, there is one way out.
// uses: agent/tunnel/proxy_config.c agent/tunnel/proxy_outbound.c agent/tunnel/member.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tunnel/proxy_config.h"
#include "agent/tunnel/proxy_outbound.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
	if (!promise)
		abort();
}

static const cJSON *get(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool is(const cJSON *value, const char *text)
{
	return cJSON_IsString(value) && strcmp(value->valuestring, text) == 0;
}

// The engine knows more members of TLS than we write, and some turn its checks off.
static void tls_must_check(const cJSON *tls)
{
	static const char *const names[] = {"enabled", "server_name", "certificate", "alpn",
		"certificate_public_key_sha256", "min_version"};
	const cJSON *item;
	cJSON_ArrayForEach (item, tls) {
		size_t i = 0;
		while (i < ARRAY_SIZE(names) && strcmp(item->string, names[i]) != 0)
			i++;
		must(i < ARRAY_SIZE(names));
	}
	must(!tls || cJSON_IsTrue(get(tls, "enabled")));
}

static void one_way_out(const char *text)
{
	static const struct json_limits limits = {
		.bytes = PROXY_CONFIG_MAX, .depth = 16, .values = 8192};
	_cleanup_(json_freep) cJSON *all = NULL;
	struct err e;
	must(json_parse(text, strlen(text), &limits, &all, &e) == 0);
	const cJSON *outbounds = get(all, "outbounds"), *servers = get(get(all, "dns"), "servers");
	const cJSON *outbound = cJSON_GetArrayItem(outbounds, 0);
	must(cJSON_GetArraySize(all) == 5 && cJSON_GetArraySize(outbounds) == 1 &&
		cJSON_GetArraySize(servers) == 1);
	must(is(get(outbound, "tag"), PROXY_OUTBOUND) && !is(get(outbound, "type"), "direct"));
	must(is(get(cJSON_GetArrayItem(servers, 0), "detour"), PROXY_OUTBOUND));
	must(is(get(get(all, "route"), "final"), PROXY_OUTBOUND));
	must(!get(outbound, "detour") && !get(outbound, "bind_interface"));
	tls_must_check(get(outbound, "tls"));
}

// A secret that is longer than the names in sentences, and not in the public part too, is in none.
static void no_secret_in(const char *message, const cJSON *secret, const cJSON *config)
{
	enum { LONG_ENOUGH = 40 };
	_cleanup_(freep) char *public_text = config ? json_print(config) : xstrdup("");
	const cJSON *item;
	cJSON_ArrayForEach (item, secret) {
		const char *text = cJSON_IsString(item) ? item->valuestring : "";
		must(strlen(text) < LONG_ENOUGH || strstr(public_text, text) ||
			!strstr(message, text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct proxy_place place = {
		.name = "c0123456789ab", .resolver = ADDR_V4(198, 18, 0, 53)};
	_cleanup_(json_freep) cJSON *json = NULL;
	_cleanup_(wipe_freep) char *text = NULL;
	struct proxy_doors doors;
	struct err e;
	if (json_parse((const char *)data, size, &json_from_client, &json, &e) < 0)
		return 0;
	const cJSON *config = get(json, "proxy_config"), *secret = get(json, "proxy_secret");
	if (proxy_config_text(config, secret, &place, &text, &e) < 0) {
		no_secret_in(e.message, secret, config);
		return 0;
	}
	one_way_out(text);
	must(proxy_doors_parse(config, &doors, &e) == 0);
	must(doors.tcp_port > 0 || doors.udp_port > 0);
	return 0;
}
