// SPDX-License-Identifier: Apache-2.0
// Which refresh cookies are read, and which pages may send them.
// uses: api/cookie.c
#include "api/cookie.h"

#include "tests/unit/unit.h"

#include <string.h>

#include "api/head.h"
#include "lib/mem.h"

#define ID "6b8f1c9e-1111-4222-8333-444455556666"
#define SECRET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM01-_" // 43 characters
#define OURS COOKIE_NAME "=" ID "." SECRET

static void our_cookie_is_found_among_others(void **state)
{
	static const char *const headers[] = {
		OURS, OURS ";", "a=b; " OURS, "a=b;" OURS "; c=d",
		"ccp_refresh=x; __host-ccp_refresh=x; " OURS,
		OURS "; " COOKIE_NAME "=x", // the first one counts
	};
	char sha256[HASH_SHA256_HEX_SIZE];
	(void)state;
	hash_sha256_hex(SECRET, strlen(SECRET), sha256);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		struct cookie cookie = {0};
		assert_true(cookie_read(headers[i], &cookie));
		assert_string_equal(cookie.id, ID);
		assert_string_equal(cookie.sha256, sha256);
	}
}

static void what_is_not_of_its_form_is_not_there(void **state)
{
	static const char *const headers[] = {
		NULL,
		"",
		";",
		"; ;",
		COOKIE_NAME,
		COOKIE_NAME "=",
		COOKIE_NAME " =" ID "." SECRET,
		"x" OURS,
		"a=" OURS,
		OURS "x",
		OURS " ",
		COOKIE_NAME "=" ID SECRET "x",
		COOKIE_NAME "=" ID "." SECRET "." SECRET,
		COOKIE_NAME "=" ID ".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM01-",
		COOKIE_NAME "=" ID ".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM01-=",
		COOKIE_NAME "=6B8F1C9E-1111-4222-8333-444455556666." SECRET,
		COOKIE_NAME "=6b8f1c9e+1111-4222-8333-444455556666." SECRET,
		COOKIE_NAME "=\"" ID "." SECRET "\"",
		COOKIE_NAME "=x; " OURS,
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		struct cookie cookie = {0};
		assert_false(cookie_read(headers[i], &cookie));
		assert_string_equal(cookie.id, "");
	}
}

static void only_pages_of_this_server_may_send_it(void **state)
{
	static const struct {
		const char *host, *origin, *site;
		bool may;
	} cases[] = {
		{"ccp.example", "https://ccp.example", "same-origin", true},
		{"ccp.example", "https://ccp.example", NULL, true},
		{"ccp.example", NULL, "same-origin", true},
		{"CCP.example:8443", "https://ccp.example:8443", "same-origin", true},
		{"localhost:8080", "http://localhost:8080", "same-origin", true},
		{"127.0.0.1:8080", "http://127.0.0.1:8080", NULL, true},
		{"[::1]:8080", "http://[::1]:8080", NULL, true},
		{"localhost", "http://localhost", NULL, true},
		// The browser does not say which page asks.
		{"ccp.example", NULL, NULL, false},
		{NULL, "https://ccp.example", NULL, false},
		// Another page, another host of the site, the user's own hand.
		{"ccp.example", "https://ccp.example", "cross-site", false},
		{"ccp.example", "https://ccp.example", "same-site", false},
		{"ccp.example", "https://ccp.example", "none", false},
		{"ccp.example", "https://ccp.example", "", false},
		{"ccp.example", "https://ccp.example", "same-origin, cross-site", false},
		{"ccp.example", "https://evil.example", "same-origin", false},
		{"ccp.example", "https://a.ccp.example", NULL, false},
		{"ccp.example", "https://ccp.example.evil", NULL, false},
		{"ccp.example", "https://ccp.example:8443", NULL, false},
		{"ccp.example", "https://ccp.example/", NULL, false},
		{"ccp.example", "https://ccp.example https://evil.example", NULL, false},
		{"ccp.example", "null", "same-origin", false},
		{"ccp.example", "", "same-origin", false},
		{"ccp.example", "ccp.example", NULL, false},
		{"ccp.example", "ftp://ccp.example", NULL, false},
		// In the clear.
		{"ccp.example", "http://ccp.example", NULL, false},
		{"ccp.example", "http://ccp.example", "same-origin", false},
		{"localhost:8080", "http://localhost:9090", NULL, false},
		{"localhost", "http://localhost.evil", "same-origin", false},
		{"localhost.evil", "http://localhost.evil", NULL, false},
		{"localhos", "http://localhos", NULL, false},
		{"127.0.0.11:80", "http://127.0.0.11:80", NULL, false},
		{"[::1", "http://[::1", NULL, false},
		{"[::11]:80", "http://[::11]:80", NULL, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct head head = {.values = {[HEAD_HOST] = cases[i].host,
					    [HEAD_ORIGIN] = cases[i].origin,
					    [HEAD_SEC_FETCH_SITE] = cases[i].site}};
		if (cookie_is_for(&head) != cases[i].may)
			fail_msg("case %zu", i);
	}
}

static void what_is_given_can_be_read_and_taken_away(void **state)
{
	char line[COOKIE_LINE_SIZE];
	(void)state;
	cookie_line(line, ID, SECRET, 604800);
	assert_string_equal(
		line, OURS "; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Strict");
	assert_string_equal(cookie_end_line,
		COOKIE_NAME "=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_cookie_is_found_among_others),
		cmocka_unit_test(what_is_not_of_its_form_is_not_there),
		cmocka_unit_test(only_pages_of_this_server_may_send_it),
		cmocka_unit_test(what_is_given_can_be_read_and_taken_away),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
