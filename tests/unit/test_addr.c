// SPDX-License-Identifier: Apache-2.0
// Addresses: what is taken, what is refused, what is equal.
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/err.h"

static void addresses_come_back_as_they_were(void **state)
{
	static const char *const same[] = {"10.66.0.2/32", "198.18.0.53/15", "fd00::2/64",
		"2001:db8::9/128", "0.0.0.0/0", "::/0"};
	struct err e;
	char text[ADDR_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		struct addr a;
		assert_int_equal(addr_parse(same[i], &a, &e), 0);
		assert_string_equal(addr_cidr(&a, text), same[i]);
	}
}

static void without_a_prefix_the_whole_address_counts(void **state)
{
	struct addr a, b;
	struct err e;
	char text[ADDR_TEXT_MAX];
	(void)state;
	assert_int_equal(addr_parse("203.0.113.7", &a, &e), 0);
	assert_int_equal(a.prefix, 32);
	assert_int_equal(addr_parse("203.0.113.7/24", &b, &e), 0);
	assert_true(addr_equal(&a, &b));
	assert_string_equal(addr_text(&b, text), "203.0.113.7");
	assert_int_equal(addr_parse("::ffff:203.0.113.7", &b, &e), 0);
	assert_false(addr_equal(&a, &b));
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {"", "10.0.0", "10.0.0.1/33", "10.0.0.1/", "10.0.0.1/-1",
		"10.0.0.1/ 8", " 10.0.0.1", "10.0.0.1 ", "example.net", "fe80::1%eth0", "::/129",
		"10.0.0.1/8/8", "10.0.0.1/08", "1.2.3.4/99999999999999999999",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct err e;
	struct addr a;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(addr_parse(bad[i], &a, &e), -1);
}

static void an_address_with_a_port_is_numeric(void **state)
{
	static const char *const bad[] = {"", ":", "203.0.113.7",
		"203.0.113.7:", "203.0.113.7:65536", "203.0.113.7:-1", "203.0.113.7: 80",
		"203.0.113.7:080", "203.0.113.7:80x", "203.0.113.7:99999999999999999999",
		"203.0.113.7/32:80", "2001:db8::7:51820x", "[203.0.113.7]:1", "2001:db8::7:1",
		"[2001:db8::7:1", "[2001:db8::7]", "]:1", "[:1", "[]:1", ":1", "1.2.3:80",
		"vpn.example.net:51820"};
	struct err e;
	struct addr_port a;
	struct sockaddr_storage s;
	(void)state;
	assert_int_equal(addr_parse_port("203.0.113.7:51820", &a, &e), 0);
	assert_int_equal(a.port, 51820);
	assert_int_equal(addr_to_socket(&a.addr, a.port, &s), sizeof(struct sockaddr_in));
	assert_int_equal(((struct sockaddr_in *)&s)->sin_port, htons(51820));
	assert_int_equal(addr_parse_port("[2001:db8::7]:1", &a, &e), 0);
	assert_int_equal(a.addr.family, AF_INET6);
	assert_int_equal(addr_parse_port("0.0.0.0:0", &a, &e), 0);
	assert_int_equal(a.port, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (addr_parse_port(bad[i], &a, &e) != -1)
			fail_msg("taken: %s", bad[i]);
}

static void a_socket_address_comes_back(void **state)
{
	static const char *const same[] = {
		"203.0.113.7:51820", "[2001:db8::7]:1", "[::ffff:1.2.3.4]:9"};
	struct sockaddr_storage s;
	struct addr_port a;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		assert_int_equal(addr_parse_port(same[i], &a, &e), 0);
		addr_to_socket(&a.addr, a.port, &s);
		struct addr_port back = addr_from_socket((struct sockaddr *)&s);
		assert_true(addr_equal(&back.addr, &a.addr));
		assert_int_equal(back.addr.prefix, a.addr.prefix);
		assert_int_equal(back.port, a.port);
	}
	s.ss_family = AF_UNIX;
	assert_int_equal(addr_from_socket((struct sockaddr *)&s).addr.family, 0);
}

static void host_bits_are_seen(void **state)
{
	static const struct {
		const char *text;
		bool set;
	} cases[] = {{"10.0.0.0/8", false}, {"10.0.0.1/8", true}, {"10.0.0.1/32", false},
		{"0.0.0.0/0", false}, {"128.0.0.0/0", true}, {"10.64.0.0/9", true},
		{"2001:db8::/32", false}, {"2001:db8::1/127", true}, {"::/0", false}};
	struct addr a;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(addr_parse(cases[i].text, &a, &e), 0);
		assert_int_equal(addr_has_host_bits(&a), cases[i].set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_come_back_as_they_were),
		cmocka_unit_test(without_a_prefix_the_whole_address_counts),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(an_address_with_a_port_is_numeric),
		cmocka_unit_test(a_socket_address_comes_back),
		cmocka_unit_test(host_bits_are_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
