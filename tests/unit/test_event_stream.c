// SPDX-License-Identifier: Apache-2.0
// Docker's event stream as bytes: lines come whole, however the bytes are cut.
// uses: agent/container/event_stream.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/container/event_stream.h"
#include "lib/err.h"
#include "lib/mem.h"

// Too large for a stack.
static struct event_stream stream;

#define HEAD "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"

// What the stream makes of the bytes, `step` at a time: "(" for its beginning, each line and ";".
// Returns the last result of event_stream_next.
static int feed(const char *bytes, size_t len, size_t step, struct str *seen, struct err *e)
{
	int r = STREAM_MORE;
	for (size_t at = 0; at < len && r >= 0; at += step) {
		size_t room, part = len - at < step ? len - at : step, line_len;
		const char *line;
		char *space = event_stream_space(&stream, &room);
		assert_true(part <= room);
		memcpy(space, bytes + at, part);
		event_stream_added(&stream, part);
		while ((r = event_stream_next(&stream, &line, &line_len, e)) > 0) {
			if (r == STREAM_LINE)
				assert_int_equal(strlen(line), line_len);
			str_addf(seen, "%s", r == STREAM_LINE ? line : "(");
			str_add(seen, r == STREAM_LINE ? ";" : "");
		}
	}
	return r;
}

static void lines_come_whole_however_the_bytes_are_cut(void **state)
{
	static const char bytes[] = HEAD "{\"a\":1}\n\n{\"b\":2}\r\n{\"c\"";
	(void)state;
	for (size_t step = 1; step <= sizeof(bytes); step++) {
		_cleanup_(str_done) struct str seen = STR_INIT(1024);
		struct err e;
		event_stream_init(&stream);
		assert_int_equal(feed(bytes, sizeof(bytes) - 1, step, &seen, &e), STREAM_MORE);
		assert_string_equal(str_text(&seen), "({\"a\":1};{\"b\":2};");
	}
}

static void the_beginning_is_told_once_the_header_has_ended(void **state)
{
	static const struct {
		const char *bytes, *seen;
	} heads[] = {
		{"HTTP/1.0 200 OK\r\nA: b\r\n", ""},
		{"HTTP/1.0 200 OK\r\nA: b\r\n\r", ""},
		{"HTTP/1.0 200 OK\r\nA: b\r\n\r\n", "("},
		{"HTTP/1.1 200 OK\n\n", "("},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		_cleanup_(str_done) struct str seen = STR_INIT(1024);
		struct err e;
		event_stream_init(&stream);
		assert_int_equal(
			feed(heads[i].bytes, strlen(heads[i].bytes), 7, &seen, &e), STREAM_MORE);
		assert_string_equal(str_text(&seen), heads[i].seen);
	}
}

static void any_other_answer_is_refused(void **state)
{
	static const char *const bad[] = {"HTTP/1.1 400 Bad Request\r\n", "HTTP/2 200\r\n", "\r\n",
		"{\"a\":1}\n", "HTTP/1.0 20\n"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(str_done) struct str seen = STR_INIT(1024);
		struct err e;
		event_stream_init(&stream);
		assert_int_equal(feed(bad[i], strlen(bad[i]), 100, &seen, &e), -1);
		assert_int_equal(e.code, EPROTO);
	}
}

static void a_line_that_does_not_end_is_an_error_and_one_that_just_fits_is_none(void **state)
{
	static char bytes[EVENT_STREAM_LINE_MAX];
	_cleanup_(str_done) struct str seen = STR_INIT(1024 * 1024);
	struct err e;
	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	event_stream_init(&stream);
	assert_int_equal(feed(HEAD, strlen(HEAD), 1000, &seen, &e), STREAM_MORE);
	bytes[sizeof(bytes) - 1] = '\n';
	assert_int_equal(feed(bytes, sizeof(bytes), 4096, &seen, &e), STREAM_MORE);
	assert_int_equal(seen.len, 1 + sizeof(bytes));
	bytes[sizeof(bytes) - 1] = 'x';
	assert_int_equal(feed(bytes, sizeof(bytes), 4096, &seen, &e), -1);
	assert_int_equal(e.code, EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_whole_however_the_bytes_are_cut),
		cmocka_unit_test(the_beginning_is_told_once_the_header_has_ended),
		cmocka_unit_test(any_other_answer_is_refused),
		cmocka_unit_test(
			a_line_that_does_not_end_is_an_error_and_one_that_just_fits_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
