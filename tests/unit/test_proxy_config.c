// SPDX-License-Identifier: Apache-2.0
// The proxy engine's configuration: compared whole with golden files, accepted by the engine, and
// refused where it would not be safe.
// uses: agent/tunnel/proxy_config.c agent/tunnel/proxy_outbound.c agent/tunnel/member.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tunnel/proxy_config.h"
#include "agent/tunnel/proxy_outbound.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

#define GOLDEN "tests/unit/golden/proxy/"

// In the golden files its name stands for it.
static const char certificate[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBhjCCAS2gAwIBAgIUI9RyPCvJcAwrzVT7igyvkJkdhTkwCgYIKoZIzj0EAwIw\n"
	"GTEXMBUGA1UEAwwOcHgubGFiLmV4YW1wbGUwHhcNMjYxMTI3MTUxMDM5WhcNMzYx\n"
	"MTI0MTUxMDM5WjAZMRcwFQYDVQQDDA5weC5sYWIuZXhhbXBsZTBZMBMGByqGSM49\n"
	"AgEGCCqGSM49AwEHA0IABMJuPHju+0r7aM8yP0iXSodSl+53jVm4QKN9Tqup73j3\n"
	"qy0/2wr6Cp0ApnsU9FUkruBy8yHTN8nZRCTAxvMPZWGjUzBRMB0GA1UdDgQWBBTg\n"
	"U1toJhPq2bn9LYhwMScwbfij2DAfBgNVHSMEGDAWgBTgU1toJhPq2bn9LYhwMScw\n"
	"bfij2DAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIHLZRGTOe/ad\n"
	"DtguXBr6mVLU52A3HeQed9lop62UAkzDAiBOgF9v+9VLvXMpfpSzkDquzf6o4JPa\n"
	"/79WWTrRIU9Ogg==\n"
	"-----END CERTIFICATE-----\n";

static const struct proxy_place place = {
	.name = "c0123456789ab", .resolver = ADDR_V4(198, 18, 0, 53)};

static char *file_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = xcalloc(1, 1 << 16);
	if (!file)
		fail_msg("%s cannot be opened", path);
	assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
	fclose(file);
	return text;
}

static cJSON *parse(const char *text)
{
	cJSON *json;
	struct err e;
	if (json_parse(text, strlen(text), &json_from_client, &json, &e) < 0)
		fail_msg("%s: %s", text, e.message);
	return json;
}

static cJSON *get(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

// --- golden files

// Puts the certificate in the place of its name.
static void certificate_fill(cJSON *config)
{
	cJSON *tls = get(config, "tls");
	if (get(tls, "certificate"))
		cJSON_ReplaceItemInObjectCaseSensitive(
			tls, "certificate", cJSON_CreateString(certificate));
}

static cJSON *outbound_of(const cJSON *all)
{
	return cJSON_GetArrayItem(get(all, "outbounds"), 0);
}

// The other way: what the engine gets must be the certificate's lines.
static void certificate_cut(cJSON *all)
{
	cJSON *tls = get(outbound_of(all), "tls"), *lines = get(tls, "certificate"), *line;
	_cleanup_(str_done) struct str text = STR_INIT(1 << 14);
	if (!lines)
		return;
	cJSON_ArrayForEach (line, lines)
		str_addf(&text, "%s\n", line->valuestring);
	assert_string_equal(str_text(&text), certificate);
	cJSON *name = cJSON_CreateArray();
	json_add_text(name, "CERTIFICATE");
	cJSON_ReplaceItemInObjectCaseSensitive(tls, "certificate", name);
}

static void golden_compare(const char *name, const char *text)
{
	_cleanup_(freep) char *path = xasprintf("%s%s.json", GOLDEN, name);
	_cleanup_(json_freep) cJSON *made = parse(text);
	certificate_cut(made);
	_cleanup_(freep) char *made_text = cJSON_Print(made);
	if (getenv("CCP_GOLDEN")) {
		FILE *file = fopen(path, "we");
		assert_non_null(file);
		fprintf(file, "%s\n", made_text);
		fclose(file);
	}
	_cleanup_(freep) char *golden_file = file_text(path);
	_cleanup_(json_freep) cJSON *golden = parse(golden_file);
	_cleanup_(freep) char *golden_text = cJSON_Print(golden);
	assert_string_equal(made_text, golden_text);
}

// What holds whatever the exit: nothing leaves but through it.
static void only_way_check(const char *text)
{
	_cleanup_(json_freep) cJSON *all = parse(text);
	assert_int_equal(cJSON_GetArraySize(get(all, "outbounds")), 1);
	assert_int_equal(cJSON_GetArraySize(get(all, "endpoints")), 0);
	assert_string_equal(get(outbound_of(all), "tag")->valuestring, PROXY_OUTBOUND);
	assert_string_equal(get(get(all, "route"), "final")->valuestring, PROXY_OUTBOUND);
	const cJSON *servers = get(get(all, "dns"), "servers");
	assert_int_equal(cJSON_GetArraySize(servers), 1);
	assert_string_equal(
		get(cJSON_GetArrayItem(servers, 0), "detour")->valuestring, PROXY_OUTBOUND);
	assert_null(strstr(text, "insecure"));
}

// The program that tools/pins names.
static void engine_find(char *ret, size_t size)
{
	FILE *bash = popen("bash -c '. tools/pins && printf %s \"$sing_box\"'", "re");
	assert_non_null(bash);
	ret[fread(ret, 1, size - 1, bash)] = '\0';
	assert_int_equal(pclose(bash), 0);
}

static void engine_check(const char *engine, const char *name, const char *text)
{
	_cleanup_(freep) char *command = xasprintf("'%s' check -c stdin", engine);
	FILE *check = popen(command, "we");
	assert_non_null(check);
	fputs(text, check);
	if (pclose(check) != 0)
		fail_msg("%s refuses %s: is it there (tools/install-deps run)?", engine, name);
}

static void each_configuration_is_the_golden_one_and_the_engine_takes_it(void **state)
{
	_cleanup_(freep) char *text = file_text(GOLDEN "inputs.json");
	_cleanup_(json_freep) cJSON *inputs = parse(text);
	char engine[4096];
	cJSON *input;
	(void)state;
	engine_find(engine, sizeof(engine));
	assert_int_equal(cJSON_GetArraySize(inputs), 31);
	cJSON_ArrayForEach (input, inputs) {
		_cleanup_(wipe_freep) char *made = NULL;
		struct err e;
		certificate_fill(get(input, "proxy_config"));
		if (proxy_config_text(get(input, "proxy_config"), get(input, "proxy_secret"),
			    &place, &made, &e) < 0)
			fail_msg("%s: %s", input->string, e.message);
		golden_compare(input->string, made);
		only_way_check(made);
		engine_check(engine, input->string, made);
	}
}

// --- refusals

#define SERVER "\"server\":\"198.51.100.1\",\"server_port\":443"
#define UUID "\"uuid\":\"4f1b6a52-8f0e-4c1c-9a65-0d3c1a2b3c4d\""
#define SECRET "correct-horse-battery" // in no sentence
#define PASSWORD "{\"password\":\"" SECRET "\"}"

static int make(const char *config_text, const char *secret_text, char **ret, struct err *e)
{
	_cleanup_(json_freep) cJSON *config = parse(config_text);
	_cleanup_(json_freep) cJSON *secret = secret_text ? parse(secret_text) : NULL;
	return proxy_config_text(config, secret, &place, ret, e);
}

static const struct {
	const char *config, *secret, *sentence;
} refusals[] = {
	{"{}", NULL, "proxy_config.type must be"},
	{"[]", NULL, "proxy_config.type must be"},
	{"{\"type\":\"direct\"," SERVER "}", NULL, "proxy_config.type must be"},
	{"{\"type\":\"naive\"," SERVER "}", NULL, "proxy_config.type must be"},
	{"{\"type\":\"socks\"}", NULL, "\"server\" is missing"},
	{"{\"type\":\"socks\",\"server\":\"proxy.example\",\"server_port\":1}", NULL,
		"server must be an address"},
	{"{\"type\":\"socks\",\"server\":\"10.0.0.1/8\",\"server_port\":1}", NULL,
		"server must be an address"},
	{"{\"type\":\"socks\",\"server\":\"198.51.100.1\",\"server_port\":0}", NULL,
		"\"server_port\" must be from 1 to 65535"},
	{"{\"type\":\"socks\",\"server\":\"198.51.100.1\",\"server_port\":\"1\"}", NULL,
		"\"server_port\" must be a whole number"},
	{"{\"type\":\"socks\"," SERVER ",\"tls\":{}}", NULL, "proxy_config.tls is not known"},
	{"{\"type\":\"socks\"," SERVER ",\"version\":\"4\"}", NULL,
		"proxy_config.version is not known"},
	{"{\"type\":\"socks\"," SERVER ",\"tag\":\"other\"}", NULL,
		"proxy_config.tag is not known"},
	{"{\"type\":\"socks\"," SERVER ",\"detour\":\"other\"}", NULL,
		"proxy_config.detour is not known"},
	{"{\"type\":\"socks\"," SERVER ",\"udp\":1}", NULL, "\"udp\" must be true or false"},
	{"{\"type\":\"socks\"," SERVER ",\"username\":\"a\\nb\"}", NULL,
		"proxy_config.username must be a text"},
	{"{\"type\":\"socks\"," SERVER ",\"password\":\"" SECRET "\"}", NULL,
		"proxy_config.password is not known"},
	{"{\"type\":\"socks\"," SERVER "}", "[\"" SECRET "\"]", "proxy_secret must be an object"},
	{"{\"type\":\"socks\"," SERVER "}", "{\"" SECRET "\":\"\"}",
		"proxy_secret has a member that is not known"},
	{"{\"type\":\"socks\"," SERVER "}", "{" UUID "}",
		"proxy_secret has a member that is not known"},
	{"{\"type\":\"shadowsocks\"," SERVER "}", PASSWORD, "proxy_config.method must be given"},
	{"{\"type\":\"shadowsocks\"," SERVER ",\"method\":\"rc4-md5\"}", PASSWORD,
		"proxy_config.method must be one of \"2022-blake3-aes-128-gcm\", "},
	{"{\"type\":\"shadowsocks\"," SERVER ",\"method\":\"none\"}", PASSWORD,
		"proxy_config.method must be one of"},
	{"{\"type\":\"shadowsocks\"," SERVER ",\"method\":\"aes-256-gcm\"}", NULL,
		"proxy_secret.password must be given"},
	{"{\"type\":\"shadowsocks\"," SERVER ",\"method\":\"2022-blake3-aes-256-gcm\"}", PASSWORD,
		"proxy_secret.password must be keys of its method's size"},
	{"{\"type\":\"shadowsocks\"," SERVER ",\"method\":\"2022-blake3-aes-128-gcm\"}",
		"{\"password\":\"AAECAwQFBgcICQoLDA0ODw\"}", "with padding"},
	{"{\"type\":\"shadowsocks\"," SERVER ",\"method\":\"2022-blake3-chacha20-poly1305\"}",
		"{\"password\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=:"
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}",
		"proxy_secret.password must be keys"},
	{"{\"type\":\"shadowsocks\"," SERVER ",\"method\":\"aes-256-gcm\",\"plugin\":\"x\"}",
		PASSWORD, "proxy_config.plugin is not known"},
	{"{\"type\":\"vmess\"," SERVER "}", "{\"uuid\":\"" SECRET "\"}",
		"proxy_secret.uuid must be a UUID"},
	{"{\"type\":\"vmess\"," SERVER ",\"security\":\"rc4\"}", "{" UUID "}",
		"proxy_config.security must be one of \"auto\", "},
	{"{\"type\":\"vmess\"," SERVER ",\"transport\":{\"type\":\"quic\"}}", "{" UUID "}",
		"proxy_config.transport must be an object whose type is ws"},
	{"{\"type\":\"vmess\"," SERVER ",\"transport\":{\"type\":\"grpc\",\"path\":\"/\"}}",
		"{" UUID "}", "proxy_config.transport.path is not known"},
	{"{\"type\":\"vless\"," SERVER ",\"flow\":\"xtls-rprx-vision\"}", "{" UUID "}",
		"proxy_config.flow needs tls"},
	{"{\"type\":\"vless\"," SERVER ",\"flow\":\"xtls-rprx-vision\",\"tls\":{},"
	 "\"transport\":{\"type\":\"ws\"}}",
		"{" UUID "}", "proxy_config.flow needs tls"},
	{"{\"type\":\"trojan\"," SERVER "}", PASSWORD, "proxy_config.tls must be given"},
	{"{\"type\":\"trojan\"," SERVER ",\"tls\":true}", PASSWORD,
		"proxy_config.tls must be an object"},
	{"{\"type\":\"trojan\"," SERVER ",\"tls\":{\"insecure\":true}}", PASSWORD,
		"proxy_config.tls.insecure is not known"},
	{"{\"type\":\"trojan\"," SERVER ",\"tls\":{\"enabled\":false}}", PASSWORD,
		"proxy_config.tls.enabled is not known"},
	{"{\"type\":\"trojan\"," SERVER ",\"tls\":{\"utls\":{}}}", PASSWORD,
		"proxy_config.tls.utls is not known"},
	{"{\"type\":\"trojan\"," SERVER ",\"tls\":{\"reality\":{}}}", PASSWORD,
		"proxy_config.tls.reality is not known"},
	{"{\"type\":\"trojan\"," SERVER ",\"tls\":{\"min_version\":\"1.0\"}}", PASSWORD,
		"proxy_config.tls.min_version must be one of \"1.2\", \"1.3\""},
	{"{\"type\":\"trojan\"," SERVER ",\"tls\":{\"alpn\":[\"\"]}}", PASSWORD,
		"proxy_config.tls.alpn must be a list"},
	{"{\"type\":\"trojan\"," SERVER ",\"tls\":{\"alpn\":[]}}", PASSWORD,
		"proxy_config.tls.alpn must be a list"},
	{"{\"type\":\"trojan\"," SERVER ",\"tls\":{\"certificate\":\"/etc/shadow\"}}", PASSWORD,
		"proxy_config.tls.certificate must be certificates in PEM"},
	{"{\"type\":\"trojan\"," SERVER
	 ",\"tls\":{\"certificate\":\"-----BEGIN CERTIFICATE-----\\nx\\n\","
	 "\"certificate_public_key_sha256\":["
	 "\"R1pxd2VydHl1aW9wYXNkZmdoamtsenhjdmJubTEyMzQ=\"]}}",
		PASSWORD, "not both"},
	{"{\"type\":\"trojan\"," SERVER ",\"tls\":{\"certificate_public_key_sha256\":[\"QUI=\"]}}",
		PASSWORD, "proxy_config.tls.certificate_public_key_sha256 must be a list"},
	{"{\"type\":\"hysteria2\"," SERVER ",\"tls\":{},\"obfs\":\"salamander\"}", PASSWORD,
		"proxy_secret.obfs_password must be a text"},
	{"{\"type\":\"hysteria2\"," SERVER ",\"tls\":{},\"obfs\":\"other\"}", PASSWORD,
		"proxy_config.obfs must be salamander"},
	{"{\"type\":\"hysteria2\"," SERVER ",\"tls\":{},\"server_ports\":[\"9:8\"]}", PASSWORD,
		"proxy_config.server_ports must be a list"},
	{"{\"type\":\"hysteria2\"," SERVER ",\"tls\":{},\"server_ports\":[\"443\"]}", PASSWORD,
		"proxy_config.server_ports must be a list"},
	{"{\"type\":\"hysteria2\"," SERVER ",\"tls\":{},\"server_ports\":[\"0:8\"]}", PASSWORD,
		"proxy_config.server_ports must be a list"},
	{"{\"type\":\"hysteria2\"," SERVER ",\"tls\":{},\"up_mbps\":1.5}", PASSWORD,
		"\"up_mbps\" must be a whole number"},
	{"{\"type\":\"tuic\"," SERVER ",\"tls\":{},\"heartbeat\":\"soon\"}",
		"{" UUID ",\"password\":\"x\"}", "proxy_config.heartbeat must be a duration"},
	{"{\"type\":\"anytls\"," SERVER ",\"tls\":{}}", "{\"password\":\"\"}",
		"proxy_secret.password must be a text of 1"},
};

static void what_is_unknown_or_unsafe_is_refused_by_name_and_no_secret_is_repeated(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		char *text = NULL;
		struct err e;
		if (make(refusals[i].config, refusals[i].secret, &text, &e) != -1)
			fail_msg("%s was taken: %s", refusals[i].config, text);
		if (!strstr(e.message, refusals[i].sentence))
			fail_msg("%s: %s", refusals[i].config, e.message);
		assert_null(strstr(e.message, SECRET));
		assert_null(text);
	}
}

static void a_member_that_is_null_is_none(void **state)
{
	_cleanup_(wipe_freep) char *with = NULL, *without = NULL;
	struct err e;
	(void)state;
	assert_int_equal(make("{\"type\":\"http\"," SERVER ",\"tls\":null,\"username\":null}",
				 "{\"password\":null}", &with, &e),
		0);
	assert_int_equal(make("{\"type\":\"http\"," SERVER "}", NULL, &without, &e), 0);
	assert_string_equal(with, without);
}

static void the_resolver_is_one_address_of_ipv4(void **state)
{
	_cleanup_(json_freep) cJSON *config = parse("{\"type\":\"http\"," SERVER "}");
	_cleanup_(wipe_freep) char *text = NULL;
	struct proxy_place other = {.name = "c0123456789ab"};
	struct err e;
	(void)state;
	assert_int_equal(addr_parse("10.9.8.7/8", &other.resolver, &e), 0);
	assert_int_equal(proxy_config_text(config, NULL, &other, &text, &e), 0);
	assert_non_null(strstr(text, "\"server\":\"10.9.8.7\""));
	assert_non_null(strstr(text, "\"ip_cidr\":[\"10.9.8.7/32\"]"));
	assert_int_equal(addr_parse("2001:db8::53", &other.resolver, &e), 0);
	wipe_freep(&text);
	assert_int_equal(proxy_config_text(config, NULL, &other, &text, &e), -1);
	assert_non_null(strstr(e.message, "IPv4"));
}

static void a_certificate_that_is_too_long_is_refused(void **state)
{
	enum { LINES = 700, LINE = 64 };
	_cleanup_(str_done) struct str config = STR_INIT(1 << 17);
	char line[LINE + 1] = {0}, *text = NULL;
	struct err e;
	(void)state;
	memset(line, 'A', LINE);
	str_add(&config, "{\"type\":\"http\"," SERVER
			 ",\"tls\":{\"certificate\":\"-----BEGIN CERTIFICATE-----");
	for (int i = 0; i < LINES; i++)
		str_addf(&config, "\\n%s", line);
	str_add(&config, "\"}}");
	assert_int_equal(make(str_text(&config), NULL, &text, &e), -1);
	assert_non_null(strstr(e.message, "certificates in PEM"));
}

// --- doors

static void the_doors_are_the_servers_port_by_what_the_type_speaks(void **state)
{
	static const struct {
		const char *config;
		uint16_t tcp, udp;
		bool any, carries_udp;
	} rows[] = {
		{"\"socks\"", 443, 0, true, true},
		{"\"socks\",\"udp\":false", 443, 0, false, false},
		{"\"socks\",\"udp_over_tcp\":true", 443, 0, false, true},
		{"\"http\"", 443, 0, false, false},
		{"\"shadowsocks\"", 443, 443, false, true},
		{"\"shadowsocks\",\"udp_over_tcp\":true", 443, 0, false, true},
		{"\"vmess\"", 443, 0, false, true},
		{"\"vless\"", 443, 0, false, true},
		{"\"trojan\"", 443, 0, false, true},
		{"\"anytls\"", 443, 0, false, true},
		{"\"tuic\"", 0, 443, false, true},
		{"\"hysteria2\"", 0, 443, false, true},
		{"\"hysteria2\",\"server_ports\":null", 0, 443, false, true},
		{"\"hysteria2\",\"server_ports\":[\"1:2\"]", 0, 443, true, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(freep) char *text = xasprintf("{" SERVER ",\"type\":%s}", rows[i].config);
		_cleanup_(json_freep) cJSON *config = parse(text);
		struct proxy_doors doors;
		struct addr server = ADDR_V4(198, 51, 100, 1);
		struct err e;
		assert_int_equal(proxy_doors_parse(config, &doors, &e), 0);
		assert_true(addr_equal(&doors.server, &server));
		assert_int_equal(doors.tcp_port, rows[i].tcp);
		assert_int_equal(doors.udp_port, rows[i].udp);
		assert_int_equal(doors.udp_any, rows[i].any);
		assert_int_equal(doors.udp, rows[i].carries_udp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_configuration_is_the_golden_one_and_the_engine_takes_it),
		cmocka_unit_test(
			what_is_unknown_or_unsafe_is_refused_by_name_and_no_secret_is_repeated),
		cmocka_unit_test(a_member_that_is_null_is_none),
		cmocka_unit_test(the_resolver_is_one_address_of_ipv4),
		cmocka_unit_test(a_certificate_that_is_too_long_is_refused),
		cmocka_unit_test(the_doors_are_the_servers_port_by_what_the_type_speaks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
