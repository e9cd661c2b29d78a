// SPDX-License-Identifier: Apache-2.0
// What is said to a target, byte by byte where a server reads it.
// uses: agent/verify/verify_request.c agent/verify/verify_query.c
#include "tests/unit/unit.h"

#include <string.h>

#include "agent/verify/verify_request.h"

static struct query query_to(enum query_kind kind, const char *host, const char *port)
{
	struct query q = {.kind = kind};
	strcpy(q.host, host);
	strcpy(q.port, port);
	return q;
}

static size_t number(const uint8_t *at, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < size; i++)
		n = n << 8 | at[i];
	return n;
}

// The extension's bytes; NULL: it is not there. Every length on the way must fit its surroundings.
static const uint8_t *extension(const uint8_t *hello, size_t len, size_t type, size_t *ret_len)
{
	const uint8_t *found = NULL;
	assert_int_equal(hello[0], 22);
	assert_int_equal(number(hello + 3, 2), len - 5);
	assert_int_equal(hello[5], 1);
	assert_int_equal(number(hello + 6, 3), len - 9);
	size_t at = 9 + 2 + 32;
	at += 1 + hello[at]; // session
	at += 2 + number(hello + at, 2); // suites
	at += 1 + hello[at]; // compression
	assert_int_equal(number(hello + at, 2), len - at - 2);
	for (at += 2; at < len; at += 4 + number(hello + at + 2, 2)) {
		if (number(hello + at, 2) != type)
			continue;
		assert_null(found);
		found = hello + at + 4;
		*ret_len = number(hello + at + 2, 2);
	}
	assert_int_equal(at, len);
	return found;
}

static void a_hello_is_whole_and_names_its_server(void **state)
{
	const struct query q = query_to(QUERY_THIN, "target.example", "443");
	uint8_t hello[REQUEST_MAX];
	size_t len = request_make(&q, hello), got = 0;
	(void)state;
	const uint8_t *name = extension(hello, len, 0, &got);
	assert_non_null(name);
	assert_int_equal(got, 2 + 1 + 2 + strlen("target.example"));
	assert_memory_equal(name + 5, "target.example", strlen("target.example"));
	assert_true(len < 300);
	assert_null(extension(hello, len, 21, &got));
	const uint8_t *share = extension(hello, len, 51, &got);
	assert_non_null(share);
	assert_int_equal(got, 2 + 4 + 32);
}

static void a_wide_hello_is_padded_and_an_address_is_no_name(void **state)
{
	static const char *const hosts[] = {"198.18.0.81", "2001:db8::1"};
	uint8_t hello[REQUEST_MAX];
	size_t got = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		const struct query q = query_to(QUERY_TARGET, hosts[i], "443");
		size_t len = request_make(&q, hello);
		assert_int_equal(len, REQUEST_WIDE);
		assert_null(extension(hello, len, 0, &got));
		assert_non_null(extension(hello, len, 21, &got));
		assert_true(got > 2000);
	}
}

static void two_hellos_share_no_random_bytes(void **state)
{
	const struct query q = query_to(QUERY_TARGET, "198.18.0.81", "443");
	uint8_t one[REQUEST_MAX], other[REQUEST_MAX];
	(void)state;
	assert_int_equal(request_make(&q, one), request_make(&q, other));
	assert_memory_not_equal(one + 11, other + 11, 32);
}

static void what_is_not_at_443_is_asked_in_http(void **state)
{
	uint8_t bytes[REQUEST_MAX + 1] = {0};
	struct query q = query_to(QUERY_THIN, "target.example", "80");
	(void)state;
	bytes[request_make(&q, bytes)] = '\0';
	assert_string_equal((char *)bytes,
		"GET / HTTP/1.1\r\nHost: target.example:80\r\nUser-Agent: ccp-verify\r\n"
		"Connection: close\r\n\r\n");
	q = query_to(QUERY_SIZED, "2001:db8::1", "8443");
	size_t len = request_make(&q, bytes);
	bytes[len] = '\0';
	assert_true(len >= REQUEST_WIDE && strlen((char *)bytes) == len);
	assert_non_null(strstr((char *)bytes, "Host: [2001:db8::1]:8443\r\n"));
	assert_non_null(strstr((char *)bytes, "X-Padding: 000"));
	assert_string_equal((char *)bytes + len - 4, "\r\n\r\n");
}

static void the_longest_name_fits(void **state)
{
	struct query q = {.kind = QUERY_TARGET};
	uint8_t bytes[REQUEST_MAX];
	(void)state;
	memset(q.host, 'a', sizeof(q.host) - 1);
	strcpy(q.port, "443");
	assert_int_equal(request_make(&q, bytes), REQUEST_WIDE);
	strcpy(q.port, "65535");
	assert_true(request_make(&q, bytes) <= REQUEST_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hello_is_whole_and_names_its_server),
		cmocka_unit_test(a_wide_hello_is_padded_and_an_address_is_no_name),
		cmocka_unit_test(two_hellos_share_no_random_bytes),
		cmocka_unit_test(what_is_not_at_443_is_asked_in_http),
		cmocka_unit_test(the_longest_name_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
