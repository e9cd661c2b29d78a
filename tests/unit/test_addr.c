// SPDX-License-Identifier: Apache-2.0
// Addresses: what is taken, what is refused, what is equal.
// uses: agent/addr.c
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/addr.h"
#include "lib/err.h"
#include "lib/mem.h"

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
		"10.0.0.1/8/8", "1.2.3.4/99999999999999999999",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct err e;
	struct addr a;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(addr_parse(bad[i], &a, &e), -1);
}

static void an_endpoint_is_address_and_port(void **state)
{
	static const char *const bad[] = {"203.0.113.7", "203.0.113.7:", "203.0.113.7:0",
		"203.0.113.7:65536", "2001:db8::7:51820x", "[203.0.113.7]:1", "2001:db8::7:1",
		"[2001:db8::7:1", "]:1", ":1", "vpn.example.net:51820"};
	struct err e;
	struct addr a;
	uint16_t port;
	struct sockaddr_storage s;
	(void)state;
	assert_int_equal(addr_parse_port("203.0.113.7:51820", &a, &port, &e), 0);
	assert_int_equal(port, 51820);
	assert_int_equal(addr_socket(&a, port, &s), sizeof(struct sockaddr_in));
	assert_int_equal(((struct sockaddr_in *)&s)->sin_port, htons(51820));
	assert_int_equal(addr_parse_port("[2001:db8::7]:1", &a, &port, &e), 0);
	assert_int_equal(a.family, AF_INET6);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(addr_parse_port(bad[i], &a, &port, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_come_back_as_they_were),
		cmocka_unit_test(without_a_prefix_the_whole_address_counts),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(an_endpoint_is_address_and_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
