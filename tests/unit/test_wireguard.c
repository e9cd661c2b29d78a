// SPDX-License-Identifier: Apache-2.0
// WireGuard's texts: keys, allowed addresses, UAPI in both directions.
// uses: agent/tunnel/wireguard.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "agent/tunnel/wireguard.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/seal.h"

#define HEX_01 "0101010101010101010101010101010101010101010101010101010101010101"
#define HEX_02 "0202020202020202020202020202020202020202020202020202020202020202"
#define HEX_03 "0303030303030303030303030303030303030303030303030303030303030303"

#define KEY_02 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="

// An exit with this endpoint and `count` times that allowed address.
static int exit_parse(const char *endpoint, const char *allowed, int count,
	struct wireguard_config *ret, struct err *e)
{
	_cleanup_(json_freep) cJSON *exit = json_new_object();
	json_set_text(exit, "endpoint", endpoint);
	json_set_text(exit, "public_key", KEY_02);
	cJSON *list = json_set_array(exit, "allowed_ips");
	for (int i = 0; i < count; i++)
		json_add_text(list, allowed);
	return wireguard_exit_parse(exit, ret, e);
}

static void an_exit_has_at_least_one_allowed_address_and_at_most_64(void **state)
{
	struct wireguard_config c = {0};
	struct err e;
	(void)state;
	assert_int_equal(exit_parse("198.51.100.1:51820", "10.0.0.0/8", 1, &c, &e), 0);
	assert_int_equal(c.allowed_count, 1);
	assert_int_equal(c.public_key[31], 2);
	assert_int_equal(exit_parse("198.51.100.1:51820", "10.0.0.0/8", 0, &c, &e), -1);
	assert_int_equal(exit_parse("198.51.100.1:51820", "everything", 1, &c, &e), -1);
	// the constraint wg_allowed_ips_are_given
	assert_int_equal(exit_parse("198.51.100.1:51820", "10.0.0.0/8", 64, &c, &e), 0);
	assert_int_equal(exit_parse("198.51.100.1:51820", "10.0.0.0/8", 65, &c, &e), -1);
	assert_int_equal(e.code, E2BIG);
}

static struct wireguard_config config_make(const char *endpoint)
{
	struct wireguard_config c = {0};
	struct err e;
	memset(c.private_key, 1, sizeof(c.private_key));
	assert_int_equal(exit_parse(endpoint, "0.0.0.0/0", 1, &c, &e), 0);
	return c;
}

static void the_engine_is_told_everything_in_one_text(void **state)
{
	struct wireguard_config c = config_make("198.51.100.1:51820");
	(void)state;
	_cleanup_(wipe_freep) char *text = wireguard_set_text(&c);
	assert_string_equal(text,
		"set=1\nprivate_key=" HEX_01 "\nreplace_peers=true\npublic_key=" HEX_02
		"\nendpoint=198.51.100.1:51820\npersistent_keepalive_interval=25\n"
		"replace_allowed_ips=true\nallowed_ip=0.0.0.0/0\n\n");
}

static void a_peer_is_replaced_without_sending_our_key_again(void **state)
{
	struct wireguard_config c = config_make("198.51.100.1:51820");
	(void)state;
	_cleanup_(wipe_freep) char *text = wireguard_again_text(&c);
	assert_string_equal(text,
		"set=1\nreplace_peers=true\npublic_key=" HEX_02
		"\nendpoint=198.51.100.1:51820\npersistent_keepalive_interval=25\n"
		"replace_allowed_ips=true\nallowed_ip=0.0.0.0/0\n\n");
}

static void a_preshared_key_and_an_ipv6_endpoint_are_told(void **state)
{
	struct wireguard_config c = config_make("[2001:db8::1]:7");
	(void)state;
	memset(c.preshared_key, 3, sizeof(c.preshared_key));
	_cleanup_(wipe_freep) char *text = wireguard_set_text(&c);
	assert_non_null(strstr(text, "\npreshared_key=" HEX_03 "\nendpoint=[2001:db8::1]:7\n"));
}

static void a_preshared_key_is_opened_by_the_right_pair_alone(void **state)
{
	struct seal_pair pair, other;
	char public_text[KEY32_TEXT_SIZE];
	_cleanup_(freep) char *box = NULL;
	struct wireguard_config c = config_make("198.51.100.1:51820");
	struct err e;
	(void)state;
	seal_pair_make(&pair);
	seal_pair_make(&other);
	key32_text(pair.public_key, public_text);
	assert_int_equal(seal_make(public_text, KEY_02, strlen(KEY_02), &box, &e), 0);
	assert_int_equal(wireguard_preshared_key_open(&c, NULL, &pair, &e), 0);
	assert_int_equal(c.preshared_key[31], 0);
	assert_int_equal(wireguard_preshared_key_open(&c, box, &pair, &e), 0);
	assert_int_equal(c.preshared_key[31], 2);
	assert_int_equal(c.private_key[0], 1);
	assert_int_equal(wireguard_preshared_key_open(&c, box, &other, &e), -1);
	assert_null(strstr(e.message, KEY_02));
	assert_int_equal(c.private_key[0], 0);
}

static char *sealed_make(const struct seal_pair *pair, const char *secret)
{
	char public_text[KEY32_TEXT_SIZE], *box;
	struct err e;
	key32_text(pair->public_key, public_text);
	assert_int_equal(seal_make(public_text, secret, strlen(secret), &box, &e), 0);
	return box;
}

// The configuration with a host's key, and with the exit's own of which KEY_02 is the private half.
static struct wireguard_config own_make(void)
{
	struct wireguard_config c = config_make("198.51.100.1:51820");
	uint8_t private_key[KEY32_SIZE];
	memset(private_key, 2, sizeof(private_key));
	crypto_scalarmult_base(c.own_public_key, private_key);
	return c;
}

static void an_exits_own_key_takes_the_place_of_the_hosts(void **state)
{
	struct seal_pair pair;
	struct wireguard_config c = own_make();
	struct err e;
	(void)state;
	seal_pair_make(&pair);
	_cleanup_(freep) char *one =
		sealed_make(&pair, "{\"private_key\":\"" KEY_02 "\",\"preshared_key\":null}");
	assert_true(wireguard_has_own_key(&c));
	assert_int_equal(wireguard_own_key_open(&c, one, &pair, &e), 0);
	assert_int_equal(c.private_key[31], 2);
	assert_int_equal(c.preshared_key[31], 0);
	_cleanup_(freep) char *both = sealed_make(
		&pair, "{\"private_key\":\"" KEY_02 "\",\"preshared_key\":\"" KEY_02 "\"}");
	assert_int_equal(wireguard_own_key_open(&c, both, &pair, &e), 0);
	assert_int_equal(c.preshared_key[31], 2);

	struct wireguard_config hosts = config_make("198.51.100.1:51820");
	assert_false(wireguard_has_own_key(&hosts));
	assert_int_equal(wireguard_own_key_open(&hosts, NULL, &pair, &e), 0);
	assert_int_equal(hosts.private_key[0], 1);
}

static void an_own_key_that_cannot_be_used_leaves_no_secret(void **state)
{
	static const struct {
		const char *secret, *why;
	} cases[] = {
		{"{\"private_key\":\"AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\"}",
			"it is not the private key of wg_own_public_key: enter both again"},
		{"{\"private_key\":\"short\"}", "private_key is not 32 bytes in base64"},
		{"{\"private_key\":\"" KEY_02 "\",\"preshared_key\":\"short\"}",
			"preshared_key is not 32 bytes in base64"},
		{"{\"preshared_key\":\"" KEY_02 "\"}",
			"\"private_key\" is missing: it must be a string"},
		{KEY_02, "the secret is not a JSON object: enter it again"},
		{"[\"" KEY_02 "\"]", "the secret is not a JSON object: enter it again"},
		{NULL, "it is missing: enter it again"},
	};
	struct seal_pair pair, other;
	struct err e;
	(void)state;
	seal_pair_make(&pair);
	seal_pair_make(&other);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct wireguard_config c = own_make();
		_cleanup_(freep) char *box =
			cases[i].secret ? sealed_make(&pair, cases[i].secret) : NULL;
		assert_int_equal(wireguard_own_key_open(&c, box, &pair, &e), -1);
		_cleanup_(freep) char *why =
			xasprintf("open the exit's own private key: %s", cases[i].why);
		assert_string_equal(e.message, why);
		assert_int_equal(c.private_key[0], 0);
	}
	struct wireguard_config c = own_make();
	_cleanup_(freep) char *box = sealed_make(&pair, "{\"private_key\":\"" KEY_02 "\"}");
	assert_int_equal(wireguard_own_key_open(&c, box, &other, &e), -1);
	assert_non_null(strstr(e.message, "another installation's key"));
	assert_int_equal(c.private_key[0], 0);
}

static void the_longest_configuration_fits(void **state)
{
	struct wireguard_config c = {0};
	struct err e;
	(void)state;
	assert_int_equal(exit_parse("[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
				 "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128",
				 WIREGUARD_ALLOWED_MAX, &c, &e),
		0);
	_cleanup_(wipe_freep) char *text = wireguard_set_text(&c);
	assert_non_null(text);
	assert_non_null(strstr(text, "\n\n"));
}

static void an_answer_tells_handshake_and_bytes(void **state)
{
	struct wireguard_status s;
	struct err e;
	uint8_t twos[KEY32_SIZE];
	(void)state;
	memset(twos, 2, sizeof(twos));
	assert_int_equal(
		wireguard_answer_parse("private_key=" HEX_01 "\nlisten_port=1\npublic_key=" HEX_02
				       "\nprotocol_version=1\nendpoint=198.51.100.1:51820\n"
				       "last_handshake_time_sec=1700000000\n"
				       "last_handshake_time_nsec=5\ntx_bytes=180\nrx_bytes=92\n"
				       "allowed_ip=0.0.0.0/0\nerrno=0\n\n",
			&s, &e),
		0);
	assert_int_equal(s.handshake_ns, 1700000000000000005);
	assert_int_equal(s.rx_bytes, 92);
	assert_int_equal(s.tx_bytes, 180);
	assert_memory_equal(s.public_key, twos, sizeof(twos));
	assert_int_equal(wireguard_answer_parse("errno=0\n\n", &s, &e), 0);
	assert_int_equal(s.handshake_ns, 0);
}

static void an_answer_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"", "\n", "\n\n", "errno=0\n", "errno=0",
		"tx_bytes=1\n\n", "errno=0\n\nmore\n\n", "noise\nerrno=0\n\n",
		"tx_bytes=-1\nerrno=0\n\n", "tx_bytes=x\nerrno=0\n\n",
		"tx_bytes=99999999999999999999\nerrno=0\n\n",
		"last_handshake_time_nsec=1000000000\nerrno=0\n\n",
		"last_handshake_time_sec=18446744073709551615\nerrno=0\n\n",
		"public_key=00\nerrno=0\n\n",
		"public_key=" HEX_01 "\npublic_key=" HEX_02 "\nerrno=0\n\n", "errno=\n\n"};
	struct wireguard_status s;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(wireguard_answer_parse(bad[i], &s, &e), -1);
		assert_int_equal(e.code, EBADMSG);
	}
	assert_int_equal(wireguard_answer_parse("errno=-22\n\n", &s, &e), -1);
	assert_int_equal(e.code, EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exit_has_at_least_one_allowed_address_and_at_most_64),
		cmocka_unit_test(the_engine_is_told_everything_in_one_text),
		cmocka_unit_test(a_peer_is_replaced_without_sending_our_key_again),
		cmocka_unit_test(a_preshared_key_and_an_ipv6_endpoint_are_told),
		cmocka_unit_test(a_preshared_key_is_opened_by_the_right_pair_alone),
		cmocka_unit_test(an_exits_own_key_takes_the_place_of_the_hosts),
		cmocka_unit_test(an_own_key_that_cannot_be_used_leaves_no_secret),
		cmocka_unit_test(the_longest_configuration_fits),
		cmocka_unit_test(an_answer_tells_handshake_and_bytes),
		cmocka_unit_test(an_answer_that_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
