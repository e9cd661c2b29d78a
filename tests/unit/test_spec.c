// SPDX-License-Identifier: Apache-2.0
// A host's spec: every field is read, every bad one is refused by its name.
// uses: agent/host/spec.c agent/tunnel/wireguard.c agent/container/docker.c
#include "agent/host/spec.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/seal.h"

#define KEY_01 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define KEY_02 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="

static const char whole[] =
	"{\"host_id\":\"0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c11\",\"short_id\":\"k7m2p9\","
	"\"status\":\"running\",\"wanted\":\"stopped\",\"image\":\"ccp-managed-user:latest\","
	"\"image_id\":null,\"timezone\":\"Europe/Berlin\",\"memory_limit_mb\":4096,\"cpu_limit\":1.5,"
	"\"pids_limit\":512,\"disk_limit_gb\":null,\"sudo\":true,"
	"\"exit\":{\"label\":\"home\",\"ip_address\":\"198.51.100.7\",\"tunnel_type\":\"wireguard\","
	"\"endpoint\":\"203.0.113.5:51820\",\"public_key\":\"" KEY_01 "\","
	"\"preshared_key_sealed\":null,\"allowed_ips\":[\"0.0.0.0/0\",\"::/0\"],"
	"\"dns_server\":\"198.18.0.53\",\"peer_address\":\"198.18.64.9/32\",\"mtu\":1420},"
	"\"verify\":{\"light_s\":60,\"full_s\":600,\"proof_life_s\":900,"
	"\"echo_urls\":[\"http://a/\",\"http://b/\",\"http://c/\"],"
	"\"connect_targets\":[\"t:443\"],\"dns_check_zone\":\"check.example\"}}";

// The whole spec with one member (of `part`, NULL: the top) replaced or, with NULL, removed.
static char *changed(const char *part, const char *name, const char *json)
{
	_cleanup_(json_freep) cJSON *spec = cJSON_Parse(whole);
	cJSON *object = !part ? spec : cJSON_GetObjectItem(spec, part);

	assert_non_null(object);
	assert_true(cJSON_HasObjectItem(object, name));
	cJSON_DeleteItemFromObject(object, name);
	if (json)
		cJSON_AddItemToObject(object, name, cJSON_Parse(json));
	return json_print(spec);
}

static void everything_is_read(void **state)
{
	_cleanup_(host_spec_freep) struct host_spec *s = NULL;
	struct err e;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(host_spec_read(whole, &s, &e), 0);
	assert_string_equal(s->short_id, "k7m2p9");
	assert_string_equal(s->status, "running");
	assert_string_equal(s->wanted, "stopped");
	assert_string_equal(s->image_id, "");
	assert_int_equal(s->memory_limit_mb, 4096);
	assert_int_equal(s->cpu_limit_milli, 1500);
	assert_int_equal(s->pids_limit, 512);
	assert_int_equal(s->disk_limit_gb, 0);
	assert_true(s->sudo && s->has_exit && !s->exit.ipv6);
	assert_string_equal(addr_text(&s->exit.expected, text), "198.51.100.7");
	assert_string_equal(addr_text(&s->exit.endpoint.addr, text), "203.0.113.5");
	assert_int_equal(s->exit.endpoint.port, 51820);
	assert_string_equal(addr_cidr(&s->exit.address, text), "198.18.64.9/32");
	assert_int_equal(s->exit.mtu, 1420);
	assert_int_equal(s->light_s, 60);
	assert_int_equal(s->full_s, 600);
	assert_int_equal(s->proof_life_s, 900);
	assert_int_equal(cJSON_GetArraySize(s->echo_urls), 3);
	assert_string_equal(s->dns_check_zone, "check.example");
}

static void a_bad_field_is_refused_by_its_name(void **state)
{
	static const struct {
		const char *part, *name, *json;
	} bad[] = {
		{NULL, "host_id", NULL},
		{NULL, "host_id", "\"../etc\""},
		{NULL, "host_id", "\"0B2F7A52-6F0F-4B25-9F6E-3A0F2A1F0C11\""},
		{NULL, "short_id", "\"a b\""},
		{NULL, "short_id", "\"-rf\""},
		{NULL, "short_id", "\"abcdefghijklmnopqrstuvwxyz0123456789\""},
		{NULL, "status", "7"},
		{NULL, "wanted", NULL},
		{NULL, "image", "\"../x\""},
		{NULL, "image_id", "\"a?b\""},
		{NULL, "timezone", "\"/etc/passwd\""},
		{NULL, "timezone", "\"../../x\""},
		{NULL, "timezone", "\"A\\nB\""},
		{NULL, "memory_limit_mb", "63"},
		{NULL, "memory_limit_mb", "1.5"},
		{NULL, "cpu_limit", "0"},
		{NULL, "cpu_limit", "1e9"},
		{NULL, "cpu_limit", "\"2\""},
		{NULL, "pids_limit", "15"},
		{NULL, "disk_limit_gb", "0"},
		{NULL, "sudo", "1"},
		{NULL, "exit", "[]"},
		{NULL, "verify", NULL},
		{"exit", "label", NULL},
		{"exit", "ip_address", "\"198.51.100.300\""},
		{"exit", "tunnel_type", "\"proxy\""},
		{"exit", "endpoint", "\"exit.example:51820\""},
		{"exit", "endpoint", "\"203.0.113.5\""},
		{"exit", "endpoint", "\"203.0.113.5:70000\""},
		{"exit", "allowed_ips", "\"0.0.0.0/0\""},
		{"exit", "dns_server", "null"},
		{"exit", "peer_address", "\"198.18.64.9/33\""},
		{"exit", "mtu", "500"},
		{"verify", "light_s", "0"},
		{"verify", "full_s", "\"600\""},
		{"verify", "proof_life_s", "2"},
		{"verify", "echo_urls", "{}"},
		{"verify", "connect_targets", NULL},
		{"verify", "dns_check_zone", "3"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(freep) char *text = changed(bad[i].part, bad[i].name, bad[i].json);
		struct host_spec *s = NULL;
		struct err e;

		assert_int_equal(host_spec_read(text, &s, &e), -1);
		if (!strstr(e.message, bad[i].name))
			fail_msg("%s is not named: %s", bad[i].name, e.message);
		assert_null(s);
	}
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "null", "{\"host_id\":"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct host_spec *s = NULL;
		struct err e;

		assert_int_equal(host_spec_read(bad[i], &s, &e), -1);
	}
}

static void what_a_start_lacks_is_named(void **state)
{
	static const struct {
		const char *part, *name, *json, *code, *word;
	} lacks[] = {
		{NULL, "exit", "null", "egress_binding_missing", "no exit"},
		{"verify", "echo_urls", "[\"http://a/\",\"http://b/\"]", "settings_incomplete",
			"echo_urls"},
		{"verify", "dns_check_zone", "null", "settings_incomplete", "dns_check_zone"},
		{"verify", "connect_targets", "[]", "settings_incomplete", "connect_targets"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lacks); i++) {
		_cleanup_(freep) char *text = changed(lacks[i].part, lacks[i].name, lacks[i].json);
		_cleanup_(host_spec_freep) struct host_spec *s = NULL;
		const char *code = NULL;
		struct err e;

		assert_int_equal(host_spec_read(text, &s, &e), 0);
		assert_int_equal(host_spec_can_start(s, &code, &e), -1);
		assert_string_equal(code, lacks[i].code);
		assert_non_null(strstr(e.message, lacks[i].word));
	}
}

static void the_tunnel_gets_both_keys_and_a_sealed_one_opened(void **state)
{
	static const uint8_t private_key[KEY32_SIZE] = {9};
	struct seal_pair pair, other;
	char public_text[KEY32_TEXT_SIZE];
	_cleanup_(freep) char *box = NULL;
	_cleanup_(freep) char *quoted = NULL;
	_cleanup_(freep) char *text = NULL;
	_cleanup_(host_spec_freep) struct host_spec *s = NULL;
	struct wireguard_config config;
	struct err e;

	(void)state;
	seal_pair_make(&pair);
	seal_pair_make(&other);
	key32_text(pair.public_key, public_text);
	assert_int_equal(seal_make(public_text, KEY_02, strlen(KEY_02), &box, &e), 0);
	quoted = xasprintf("\"%s\"", box);
	text = changed("exit", "preshared_key_sealed", quoted);
	assert_int_equal(host_spec_read(text, &s, &e), 0);
	assert_int_equal(host_spec_wireguard(s, private_key, "/k", &pair, &config, &e), 0);
	assert_memory_equal(config.private_key, private_key, sizeof(private_key));
	assert_int_equal(config.public_key[0], 1);
	assert_int_equal(config.preshared_key[31], 2);
	assert_int_equal(config.allowed_count, 2);
	assert_int_equal(config.endpoint.port, 51820);
	assert_string_equal(config.key_path, "/k");
	assert_int_equal(host_spec_wireguard(s, private_key, "/k", &other, &config, &e), -1);
	assert_null(strstr(e.message, KEY_02));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(a_bad_field_is_refused_by_its_name),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(what_a_start_lacks_is_named),
		cmocka_unit_test(the_tunnel_gets_both_keys_and_a_sealed_one_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
