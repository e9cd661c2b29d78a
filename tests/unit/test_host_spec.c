// SPDX-License-Identifier: Apache-2.0
// A host's spec: every field is read, every bad one is refused by its name.
// uses: agent/host/host_spec.c agent/host/exit.c agent/tunnel/tunnel.c agent/tunnel/wg.c agent/tunnel/wg_user.c agent/tunnel/wg_kernel.c agent/tunnel/tun_read.c agent/tunnel/exit_ask.c
// uses: agent/tunnel/wg_netlink.c agent/net/genl.c
// uses: agent/tunnel/uapi.c agent/tunnel/budget.c agent/tunnel/launch.c agent/tunnel/engine.c agent/tunnel/wireguard.c agent/evidence.c
// uses: agent/net/link.c agent/net/nl.c agent/net/netns.c agent/net/cage.c agent/net/cage_door.c agent/net/cage_rules.c
// uses: agent/net/nft_expr.c agent/net/nft_table.c agent/tunnel/proxy.c agent/tunnel/proxy_log.c agent/tunnel/proxy_config.c
// uses: agent/tunnel/proxy_outbound.c agent/tunnel/proxy_seccomp.c agent/tunnel/member.c
#include "agent/host/host_spec.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"

#define KEY_01 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

static const char whole[] =
	"{\"host_id\":\"0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c11\",\"short_id\":\"k7m2p9\","
	"\"ids\":{\"base\":2147287040,\"owner\":2147418112},\"refusal\":null,"
	"\"status\":\"running\",\"wanted\":\"stopped\",\"image\":\"ccp-managed-user:latest\","
	"\"image_id\":null,\"timezone\":\"Europe/Berlin\",\"memory_limit_mb\":4096,\"cpu_limit\":1.5,"
	"\"pids_limit\":512,\"disk_limit_gb\":null,\"sudo\":true,"
	"\"tunnel\":{\"uid\":2147446782,\"cpu_limit\":0.75,\"memory_limit_mb\":256},"
	"\"switch_to\":null,\"switch_fallback\":\"back\","
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

static void an_exit_is_copied_with_what_it_points_to(const struct host_spec *s)
{
	struct exit_copy copy;
	struct err e;
	assert_int_equal(exit_copy_make(&s->exit, &copy, &e), 0);
	assert_ptr_not_equal(copy.spec.label, s->exit.label);
	assert_string_equal(copy.spec.label, s->exit.label);
	assert_ptr_equal(copy.spec.tunnel.kind, s->exit.tunnel.kind);
	exit_copy_done(&copy);
	assert_null(copy.json);
}

static void an_exit_has_both_sides_of_ipv6_or_none(void **state)
{
	static const struct {
		const char *outside, *inside, *error; // NULL: it is taken
	} cases[] = {
		{"\"2001:db8::7\"", "\"fd00::9/128\"", NULL},
		{"\"2001:db8::7\"", "null", "ip_address6 and peer_address6 go together"},
		{"null", "\"fd00::9/128\"", "ip_address6 and peer_address6 go together"},
		{"null", "null", NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(json_freep) cJSON *json = cJSON_Parse(whole);
		cJSON *exit = cJSON_GetObjectItem(json, "exit");
		struct exit_spec x;
		struct err e;
		cJSON_AddItemToObject(exit, "ip_address6", cJSON_Parse(cases[i].outside));
		cJSON_AddItemToObject(exit, "peer_address6", cJSON_Parse(cases[i].inside));
		int r = exit_spec_read(exit, &x, &e);
		assert_int_equal(r, cases[i].error ? -1 : 0);
		if (cases[i].error) {
			assert_non_null(strstr(e.message, cases[i].error));
			continue;
		}
		struct wall_spec wall;
		exit_wall_spec(&x, &wall);
		assert_int_equal(x.ipv6, i == 0);
		assert_int_equal(wall.ipv6, i == 0);
		assert_int_equal(x.tunnel.link.address6.family, i == 0 ? AF_INET6 : 0);
	}
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
	assert_int_equal(s->ids.base, 2147287040);
	assert_int_equal(s->ids.owner, 2147418112);
	assert_null(s->refusal);
	assert_int_equal(s->memory_limit_mb, 4096);
	assert_int_equal(s->cpu_limit_milli, 1500);
	assert_int_equal(s->pids_limit, 512);
	assert_int_equal(s->tunnel_budget.cpu_milli, 750);
	assert_int_equal(s->tunnel_budget.memory_mb, 256);
	assert_int_equal(s->tunnel_uid, 2147446782);
	assert_int_equal(s->disk_limit_gb, 0);
	assert_true(s->sudo && s->has_exit && !s->exit.ipv6);
	assert_string_equal(addr_text(&s->exit.expected, text), "198.51.100.7");
	assert_string_equal(
		addr_text(&s->exit.tunnel.wireguard.endpoint.addr, text), "203.0.113.5");
	assert_int_equal(s->exit.tunnel.wireguard.endpoint.port, 51820);
	assert_string_equal(addr_cidr(&s->exit.tunnel.link.address, text), "198.18.64.9/32");
	assert_int_equal(s->exit.tunnel.link.mtu, 1420);
	an_exit_is_copied_with_what_it_points_to(s);
	assert_int_equal(s->light_s, 60);
	assert_int_equal(s->full_s, 600);
	assert_int_equal(s->proof_life_s, 900);
	assert_int_equal(cJSON_GetArraySize(s->verify.echo_urls), 3);
	assert_string_equal(s->verify.dns_check_zone, "check.example");
}

#define PROXY \
	"{\"label\":\"px\",\"ip_address\":\"198.51.100.7\",\"tunnel_type\":\"proxy\"," \
	"\"dns_server\":\"198.18.0.53\",\"secret_sealed\":\"box\",\"proxy_config\":"

static void an_exit_through_a_proxy_is_read(void **state)
{
	_cleanup_(freep) char *text = changed(NULL, "exit",
		PROXY "{\"type\":\"socks\",\"server\":\"203.0.113.9\",\"server_port\":1080,"
		      "\"udp\":true}}");
	_cleanup_(host_spec_freep) struct host_spec *s = NULL;
	struct err e;
	char address[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(host_spec_read(text, &s, &e), 0);
	const struct tunnel_spec *t = &s->exit.tunnel;
	assert_string_equal(t->kind->type, "proxy");
	assert_string_equal(t->sealed, "box");
	assert_string_equal(addr_cidr(&t->link.address, address), "172.19.0.1/32");
	assert_int_equal(t->link.mtu, 9000);
	assert_string_equal(addr_text(&t->resolver, address), "198.18.0.53");
	assert_string_equal(addr_text(&t->proxy.doors.server, address), "203.0.113.9");
	assert_true(t->proxy.doors.tcp_port == 1080 && t->proxy.doors.udp_any);
	an_exit_is_copied_with_what_it_points_to(s);
}

static void the_exit_to_move_to_is_read(void **state)
{
	const struct {
		const char *to, *fallback, *label;
		bool back;
	} rows[] = {
		{"null", "\"back\"", NULL, true},
		{PROXY "{\"type\":\"http\",\"server\":\"203.0.113.9\",\"server_port\":8080}}",
			"\"back\"", "px", true},
		{PROXY "{\"type\":\"http\",\"server\":\"203.0.113.9\",\"server_port\":8080}}",
			"\"closed\"", "px", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(freep) char *moved = changed(NULL, "switch_to", rows[i].to);
		_cleanup_(json_freep) cJSON *json = cJSON_Parse(moved);
		cJSON_ReplaceItemInObject(json, "switch_fallback", cJSON_Parse(rows[i].fallback));
		_cleanup_(freep) char *text = cJSON_PrintUnformatted(json);
		_cleanup_(host_spec_freep) struct host_spec *s = NULL;
		struct err e;
		assert_int_equal(host_spec_read(text, &s, &e), 0);
		assert_true(s->has_switch == !!rows[i].label);
		assert_int_equal(s->switch_back, rows[i].back);
		if (rows[i].label)
			assert_string_equal(s->switch_to.label, rows[i].label);
		assert_string_equal(s->exit.label, "home");
	}
	_cleanup_(freep) char *bad = changed(NULL, "switch_to", "{}");
	struct host_spec *none = NULL;
	struct err e;
	assert_int_equal(host_spec_read(bad, &none, &e), -1);
	assert_non_null(strstr(e.message, "switch_to"));
}

static void an_exit_through_a_proxy_that_is_not_whole_is_refused(void **state)
{
	static const struct {
		const char *exit, *named;
	} bad[] = {
		{PROXY "null}", "proxy_config"},
		{PROXY "{\"type\":\"socks\",\"server\":\"px.example\",\"server_port\":1}}",
			"proxy_config.server"},
		{"{\"label\":\"px\",\"ip_address\":\"198.51.100.7\",\"tunnel_type\":\"proxy\","
		 "\"dns_server\":\"none\",\"proxy_config\":{}}",
			"dns_server"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(freep) char *text = changed(NULL, "exit", bad[i].exit);
		struct host_spec *s = NULL;
		assert_int_equal(host_spec_read(text, &s, &e), -1);
		if (!strstr(e.message, bad[i].named))
			fail_msg("%s is not named: %s", bad[i].named, e.message);
	}
}

static void an_image_that_is_pinned_is_read(void **state)
{
	_cleanup_(freep) char *text = changed(NULL, "image_id", "\"sha256:abc\"");
	_cleanup_(host_spec_freep) struct host_spec *s = NULL;
	struct err e;

	(void)state;
	assert_int_equal(host_spec_read(text, &s, &e), 0);
	assert_string_equal(s->image_id, "sha256:abc");
}

static void without_ids_a_container_has_the_machines(void **state)
{
	_cleanup_(freep) char *text = changed(NULL, "ids", "null");
	_cleanup_(host_spec_freep) struct host_spec *s = NULL;
	struct err e;

	(void)state;
	assert_int_equal(host_spec_read(text, &s, &e), 0);
	assert_true(s->ids.base == 0 && s->ids.owner == 0);
}

static void a_bad_field_is_refused_by_its_name(void **state)
{
	static const struct {
		const char *part, *name, *json;
	} bad[] = {
		{NULL, "host_id", NULL},
		{NULL, "host_id", "\"../etc\""},
		{NULL, "host_id", "\"0B2F7A52-6F0F-4B25-9F6E-3A0F2A1F0C11\""},
		{NULL, "short_id", "\"abcdefghijklmnopqrstuvwxyz0123456789\""},
		{NULL, "image_id",
			"\"1234567890123456789012345678901234567890123456789012345678901234567890"
			"1234567890\""},
		{NULL, "status", "7"},
		{NULL, "wanted", NULL},
		{NULL, "timezone", "7"},
		{NULL, "memory_limit_mb", "1.5"},
		{NULL, "cpu_limit", "\"2\""},
		{NULL, "pids_limit", "-1"},
		{NULL, "disk_limit_gb", "\"7\""},
		{NULL, "sudo", "1"},
		{NULL, "exit", "[]"},
		{NULL, "verify", NULL},
		{NULL, "ids", "7"},
		{NULL, "refusal", "true"},
		{"ids", "base", NULL},
		{"ids", "base", "65535"},
		{"ids", "base", "2147418112"},
		{"ids", "owner", "\"2147418112\""},
		{"ids", "owner", "0"},
		{"exit", "label", NULL},
		{"exit", "ip_address", "\"198.51.100.300\""},
		{"exit", "tunnel_type", "\"carrier pigeon\""},
		{"exit", "endpoint", "\"exit.example:51820\""},
		{"exit", "endpoint", "\"203.0.113.5\""},
		{"exit", "endpoint", "\"203.0.113.5:70000\""},
		{"exit", "allowed_ips", "\"0.0.0.0/0\""},
		{"exit", "dns_server", "null"},
		{"exit", "peer_address", "\"198.18.64.9/33\""},
		{"exit", "public_key", "\"short\""},
		{"exit", "allowed_ips", "[7]"},
		{"exit", "allowed_ips", "[]"},
		{"exit", "mtu", "1420.5"},
		{NULL, "tunnel", NULL},
		{"tunnel", "uid", NULL},
		{"tunnel", "uid", "0"},
		{"tunnel", "cpu_limit", NULL},
		{"tunnel", "memory_limit_mb", "\"256\""},
		{"verify", "light_s", "1.5"},
		{"verify", "full_s", "\"600\""},
		{"verify", "proof_life_s", NULL},
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
		{NULL, "refusal", "\"no engine for it\"", "machine_unfit", "no engine for it"},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(an_exit_has_both_sides_of_ipv6_or_none),
		cmocka_unit_test(an_exit_through_a_proxy_is_read),
		cmocka_unit_test(the_exit_to_move_to_is_read),
		cmocka_unit_test(an_exit_through_a_proxy_that_is_not_whole_is_refused),
		cmocka_unit_test(an_image_that_is_pinned_is_read),
		cmocka_unit_test(without_ids_a_container_has_the_machines),
		cmocka_unit_test(a_bad_field_is_refused_by_its_name),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(what_a_start_lacks_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
