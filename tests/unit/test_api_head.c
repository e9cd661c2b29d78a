// SPDX-License-Identifier: Apache-2.0
// Which heads and chunked bodies are read, how, and which are refused.
// uses: api/head.c api/chunks.c
#include "api/head.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/chunks.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"

static int parse(const char *bytes, size_t len, struct head *ret, size_t *ret_len)
{
	static char *copy; // the head's texts point into it
	const char *why = NULL;
	free(copy);
	copy = xcalloc(len > 0 ? len : 1, 1); // no byte more, before or behind
	memcpy(copy, bytes, len);
	int r = head_parse(copy, len, ret, ret_len, &why);
	assert_int_equal(!why, r == 0);
	return r;
}

static void a_head_is_read_whatever_follows_it(void **state)
{
	static const char text[] =
		"\r\nPOST /a/b?c=d HTTP/1.1\r\nhost: h.example:80\r\nCONTENT-length: 007\r\n"
		"Accept: \t text/plain \t \r\nX-Empty:\r\nExpect: 100-Continue\r\n"
		"Connection: te, Close\r\nAuthorization:Bearer x:y\r\n\r\nGET / HTTP/1.1\n";
	struct head head;
	size_t len = 0;
	(void)state;
	assert_int_equal(parse(text, strlen(text), &head, &len), 0);
	assert_int_equal(len, strlen(text) - strlen("GET / HTTP/1.1\n"));
	assert_string_equal(head.method, "POST");
	assert_string_equal(head.target, "/a/b?c=d");
	assert_string_equal(head.values[HEAD_HOST], "h.example:80");
	assert_string_equal(head.values[HEAD_ACCEPT], "text/plain");
	assert_string_equal(head.values[HEAD_AUTHORIZATION], "Bearer x:y");
	assert_null(head.values[HEAD_CONTENT_TYPE]);
	assert_int_equal(head.body_bytes, 7);
	assert_false(head.is_chunked);
	assert_false(head.is_http10);
	assert_true(head.wants_close);
	assert_true(head.wants_continue);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(parse(text, i, &head, &(size_t){0}), HEAD_MORE);
}

static void what_a_head_says_of_the_body_and_the_connection(void **state)
{
	static const struct {
		const char *text;
		int64_t body_bytes;
		bool is_chunked, is_http10, wants_close, wants_continue;
	} cases[] = {
		{GET "\r\n", 0, false, false, false, false},
		{GET "Content-Length: 0\r\n\r\n", 0, false, false, false, false},
		{GET "Content-Length: 999999999999999999\r\n\r\n", 999999999999999999, false, false,
			false, false},
		{GET "Content-Length: 1000000000000000000\r\n\r\n", INT64_MAX, false, false, false,
			false},
		{GET "Transfer-Encoding:\tChunked \r\n\r\n", 0, true, false, false, false},
		{GET "Connection: closed\r\nConnection: clone, keep-alive\r\n\r\n", 0, false, false,
			false, false},
		{GET "Connection: keep-alive\r\nConnection: x,close\r\n\r\n", 0, false, false, true,
			false},
		{"GET / HTTP/1.0\r\n\r\n", 0, false, true, true, false},
		{"GET / HTTP/1.0\r\nExpect: 100-continue\r\nConnection: keep-alive\r\n\r\n", 0,
			false, true, true, false},
	};
	struct head head;
	size_t len;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].text, strlen(cases[i].text), &head, &len), 0);
		assert_int_equal(head.body_bytes, cases[i].body_bytes);
		assert_int_equal(head.is_chunked, cases[i].is_chunked);
		assert_int_equal(head.is_http10, cases[i].is_http10);
		assert_int_equal(head.wants_close, cases[i].wants_close);
		assert_int_equal(head.wants_continue, cases[i].wants_continue);
	}
}

static void what_two_readers_may_understand_differently_is_refused(void **state)
{
#define HEAD(text) \
	{ \
		text, sizeof(text) - 1 \
	}
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		HEAD("GET / HTTP/1.1\nHost: a\n\n"),
		HEAD("GET / HTTP/1.1\r\nHost: a\r\n\n"),
		HEAD("\n\r\n"),
		HEAD("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET / HTTP/1.1\r\rHost"),
		HEAD("GET / HTTP/1.1\r\nHost: a\rb"),
		HEAD("GET / HTTP/1.1\r\nHost: a\0"),
		HEAD("GET / HTTP/1.1\r\nHost: a\x01"),
		HEAD("GET / HTTP/1.1\r\nHost: a\x7f"),
		HEAD(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
		HEAD("GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET /\r\nHost: a\r\n\r\n"),
		HEAD("GET\r\nHost: a\r\n\r\n"),
		HEAD("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET /\t HTTP/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
		HEAD("GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
		HEAD("GET / http/1.1\r\nHost: a\r\n\r\n"),
		HEAD("GET / HTTP/1.1\r\n\r\n"),
		HEAD("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
		HEAD("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
		HEAD("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
		HEAD("GET / HTTP/1.1\r\nHost: a/\r\n\r\n"),
		HEAD("GET / HTTP/1.1\r\nHost: \"$(x)\"\r\n\r\n"),
		HEAD("GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
		HEAD("GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
		HEAD(GET "Host: a\r\n\r\n"),
		HEAD(GET ":\r\nA: b\r\n\r\n"),
		HEAD(GET ": b\r\n\r\n"),
		HEAD(GET "A\r\n\r\n"),
		HEAD(GET "A: b\r\n c\r\n\r\n"),
		HEAD(GET "A: b\r\n\tc: d\r\n\r\n"),
		HEAD(GET "Content-Length : 1\r\n\r\n"),
		HEAD(GET "Content-Length\t: 1\r\n\r\n"),
		HEAD(GET "Content-Length:\r\n\r\n"),
		HEAD(GET "Content-Length: 1x\r\n\r\n"),
		HEAD(GET "Content-Length: 1 1\r\n\r\n"),
		HEAD(GET "Content-Length: +1\r\n\r\n"),
		HEAD(GET "Content-Length: -1\r\n\r\n"),
		HEAD(GET "Content-Length: 0x1\r\n\r\n"),
		HEAD(GET "Content-Length: 1,1\r\n\r\n"),
		HEAD(GET "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
		HEAD(GET "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
		HEAD(GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
		HEAD(GET "Transfer-Encoding: xchunked\r\n\r\n"),
		HEAD(GET "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		HEAD(GET "Transfer-Encoding: identity\r\n\r\n"),
		HEAD(GET "Transfer-Encoding:\r\n\r\n"),
		HEAD("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		HEAD(GET "Expect: 200-ok\r\n\r\n"),
		HEAD(GET "Authorization: a\r\nAuthorization: b\r\n\r\n"),
	};
	struct head head;
	size_t len;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (parse(cases[i].text, cases[i].len, &head, &len) != HEAD_WRONG)
			fail_msg("case %zu is not refused: %s", i, cases[i].text);
}

static void a_head_has_a_greatest_length(void **state)
{
	static char text[HEAD_MAX + 1];
	struct head head;
	size_t len;
	(void)state;
	int fixed = snprintf(text, sizeof(text), "%sA: ", GET);
	memset(text + fixed, 'a', sizeof(text) - (size_t)fixed);
	assert_int_equal(parse(text, HEAD_MAX - 1, &head, &len), HEAD_MORE);
	assert_int_equal(parse(text, HEAD_MAX, &head, &len), HEAD_TOO_LONG);
	memcpy(text + HEAD_MAX - 4, "\r\n\r\n", 4);
	assert_int_equal(parse(text, HEAD_MAX, &head, &len), 0);
	assert_int_equal(len, HEAD_MAX);
	memcpy(text + HEAD_MAX - 4, "a\r\n\r\n", 5);
	assert_int_equal(parse(text, HEAD_MAX + 1, &head, &len), HEAD_TOO_LONG);
}

// Decodes in pieces of `step` bytes; the outcome at the end, and what is left.
static int decode(const char *text, size_t len, size_t step, char *ret, size_t *ret_left)
{
	struct chunks chunks = {0};
	const char *at = text;
	int r = CHUNKS_MORE;
	*ret = '\0';
	while (r == CHUNKS_MORE && at < text + len) {
		size_t left = (size_t)(text + len - at);
		const char *end = at + (left < step ? left : step);
		const char *data;
		size_t data_len;
		while ((r = chunks_next(&chunks, &at, end, &data, &data_len)) == 0)
			strncat(ret, data, data_len);
	}
	*ret_left = (size_t)(text + len - at);
	return r;
}

static void a_chunked_body_is_read_in_any_pieces(void **state)
{
	static const char text[] = "3\r\nabc\r\n00B\r\n0123456789!\r\n1\r\n\r\r\n000\r\n\r\nGET";
	char body[64];
	size_t left;
	(void)state;
	for (size_t step = 1; step <= strlen(text); step++) {
		assert_int_equal(decode(text, strlen(text), step, body, &left), CHUNKS_END);
		assert_string_equal(body, "abc0123456789!\r");
		assert_int_equal(left, 3);
	}
	assert_int_equal(decode(text, strlen(text) - 4, 99, body, &left), CHUNKS_MORE);
}

static void chunks_that_two_readers_may_understand_differently_are_refused(void **state)
{
	static const char *const cases[] = {"\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n",
		" 1\r\n", "1 \r\n", "1;a=b\r\n", "1\na\n", "1\ra", "1\r\nab", "1\r\na\n",
		"1\r\na\ra", "12345678\r\n", "0\r\nA: b\r\n\r\n", "0\r\n\n", "0\n\n", "0\r\n\ra"};
	char body[64];
	size_t left;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (decode(cases[i], strlen(cases[i]), 1, body, &left) != CHUNKS_WRONG)
			fail_msg("case %zu is not refused: %s", i, cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_read_whatever_follows_it),
		cmocka_unit_test(what_a_head_says_of_the_body_and_the_connection),
		cmocka_unit_test(what_two_readers_may_understand_differently_is_refused),
		cmocka_unit_test(a_head_has_a_greatest_length),
		cmocka_unit_test(a_chunked_body_is_read_in_any_pieces),
		cmocka_unit_test(chunks_that_two_readers_may_understand_differently_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
