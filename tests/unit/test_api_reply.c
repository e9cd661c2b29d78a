// SPDX-License-Identifier: Apache-2.0
// What a shell reads of an answer, where a secret goes in it, and what is sent.
// uses: api/reply.c api/answer.c
#include "api/answer.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/head.h"
#include "api/reply.h"
#include "api/request.h"
#include "lib/json.h"

static void an_object_becomes_lines_that_cannot_be_forged(void **state)
{
	(void)state;
	_cleanup_(json_freep) cJSON *object = cJSON_Parse(
		"{\"a\":1,\"b\":[\"x\",\"y z\"],\"c\":true,\"d\":null,\"e\":{\"f\":1},\"g\":\"1\\nready=true\\r\"}");
	_cleanup_(freep) char *lines = reply_lines(object);
	assert_string_equal(lines, "a=1\nb=x\nb=y z\nc=true\nd=\ng=1 ready=true \n");
}

static void a_secret_goes_into_its_empty_place_only(void **state)
{
	static const struct {
		const char *json;
		const char *secret;
		const char *want;
	} cases[] = {
		{"{\"id\":1,\"password\":\"\"}", "s3cret", "{\"id\":1,\"password\":\"s3cret\"}"},
		{"{\"id\":1,\"password\":null}", "s3cret", "{\"id\":1,\"password\":null}"},
		{"{\"name\":\"\\\"password\\\":\\\"\\\"\",\"password\":\"\"}", "s3cret",
			"{\"name\":\"\\\"password\\\":\\\"\\\"\",\"password\":\"s3cret\"}"},
		{"{\"id\":1,\"password\":\"\"}", NULL, "{\"id\":1,\"password\":null}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *json = xstrdup(cases[i].json);
		reply_set_secret(&json, "password", cases[i].secret);
		assert_string_equal(json, cases[i].want);
		free(json);
	}
}

static void an_answer_says_what_it_sends_and_frees_what_it_made(void **state)
{
	static const char constant[] = "lives on";
	struct request made = {0}, kept = {0}, empty = {0};
	(void)state;
	reply_text(&made, 200, "text/plain", xstrdup("made for it"));
	assert_string_equal(made.reply.data, "made for it");
	assert_int_equal(made.reply.len, strlen("made for it"));
	reply_done(&made.reply); // or it leaks
	reply_file(&kept, 200, "text/plain", constant);
	assert_ptr_equal(kept.reply.data, constant);
	assert_int_equal(kept.reply.len, strlen(constant));
	reply_done(&kept.reply);
	reply_empty(&empty, 204);
	assert_int_equal(empty.reply.len, 0);
	reply_done(&empty.reply);
}

struct numbers {
	int next, available, last;
	int done;
};

static ssize_t numbers_read(void *data, char *to, size_t max)
{
	struct numbers *numbers = data;
	if (numbers->next > numbers->last)
		return -1;
	return numbers->next > numbers->available ? 0 : snprintf(to, max, "%d\n", numbers->next++);
}

static void numbers_done(void *data)
{
	struct numbers *numbers = data;
	numbers->done++;
}

static struct reply_stream stream_of(struct numbers *numbers)
{
	return (struct reply_stream){numbers_read, numbers_done, numbers};
}

// What is there now, without the head when it begins with one.
static char *received(int fd)
{
	static char text[64 * 1024];
	ssize_t got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[got > 0 ? got : 0] = '\0';
	char *content = strstr(text, "\r\n\r\n");
	return strncmp(text, "HTTP/1.1 ", 9) == 0 && content ? content + 4 : text;
}

static void each_kind_of_answer_reaches_the_client(void **state)
{
	static const char constant[] = "lives on";
	static const struct head get = {.method = "GET"}, head = {.method = "HEAD"},
				 old = {.method = "GET", .is_http10 = true};
	struct numbers numbers = {1, 3, 3, 0}, of_old = {1, 3, 3, 0}, of_head = {1, 3, 3, 0};
	struct request made = {0}, kept = {0}, empty = {0}, stream = {0}, plain = {0}, none = {0};
	(void)state;
	reply_text(&made, 200, "text/plain", xstrdup("made for it"));
	reply_file(&kept, 200, "text/plain", constant);
	reply_empty(&empty, 204);
	reply_stream(&stream, 200, "text/plain", stream_of(&numbers));
	reply_stream(&plain, 200, "text/plain", stream_of(&of_old));
	reply_stream(&none, 200, "text/plain", stream_of(&of_head));
	const struct {
		struct request *request;
		const struct head *head;
		const char *content;
	} cases[] = {
		{&made, &get, "made for it"},
		{&made, &head, ""},
		{&kept, &get, constant},
		{&empty, &get, ""},
		{&stream, &get, "002\r\n1\n\r\n002\r\n2\n\r\n002\r\n3\n\r\n000\r\n\r\n"},
		{&plain, &old, "1\n2\n3\n"},
		{&none, &head, ""},
	};
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct answer answer = {0};
		answer_begin(&answer, cases[i].request, cases[i].head);
		assert_int_equal(answer_send(&answer, cases[i].request, pair[0]), ANSWER_SENT);
		assert_string_equal(received(pair[1]), cases[i].content);
		reply_done(&cases[i].request->reply);
	}
	assert_int_equal(numbers.done + of_old.done + of_head.done, 3);
	close(pair[0]);
	close(pair[1]);
}

static void a_stream_waits_for_its_source_and_for_its_client(void **state)
{
	static const struct head get = {.method = "GET"};
	struct numbers numbers = {1, 1, 100000, 0};
	struct request r = {0};
	struct answer answer = {0};
	int pair[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	reply_stream(&r, 200, "text/plain", stream_of(&numbers));
	answer_begin(&answer, &r, &get);
	assert_int_equal(answer_send(&answer, &r, pair[0]), ANSWER_WAITS);
	assert_string_equal(received(pair[1]), "002\r\n1\n\r\n");
	numbers.available = 2;
	assert_int_equal(answer_send(&answer, &r, pair[0]), ANSWER_WAITS);
	assert_string_equal(received(pair[1]), "002\r\n2\n\r\n");
	numbers.available = numbers.last;
	assert_int_equal(answer_send(&answer, &r, pair[0]), ANSWER_BLOCKED);
	while (*received(pair[1]) != '\0')
		;
	assert_int_not_equal(answer_send(&answer, &r, pair[0]), ANSWER_LOST);
	close(pair[1]);
	assert_int_equal(answer_send(&answer, &r, pair[0]), ANSWER_LOST);
	reply_done(&r.reply);
	assert_int_equal(numbers.done, 1);
	close(pair[0]);
}

static void a_cookie_goes_out_once_and_is_wiped(void **state)
{
	static const struct head get = {.method = "GET"};
	struct request r = {0};
	struct answer answer = {0};
	int pair[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	reply_empty(&r, 204);
	memset(r.reply.cookie, 'c', sizeof(r.reply.cookie) - 1);
	memset(r.head.id, 'i', sizeof(r.head.id) - 1);
	memset(r.reply.etag, 'e', sizeof(r.reply.etag) - 1);
	answer.is_last = true;
	answer_begin(&answer, &r, &get); // the longest head there is fits
	assert_int_equal(answer_send(&answer, &r, pair[0]), ANSWER_SENT);
	char text[2048] = "";
	assert_true(recv(pair[1], text, sizeof(text) - 1, 0) > 0);
	const char *line = strstr(text, "\r\nSet-Cookie: ccc");
	assert_non_null(line);
	assert_int_equal(strcspn(line + strlen("\r\nSet-Cookie: "), "\r"), COOKIE_LINE_SIZE - 1);
	reply_done(&r.reply);
	assert_int_equal(r.reply.cookie[0], 0);
	close(pair[0]);
	close(pair[1]);
}

static void statuses_have_titles(void **state)
{
	(void)state;
	assert_string_equal(reply_title(204), "No Content");
	assert_string_equal(reply_title(431), "Request Header Fields Too Large");
	assert_string_equal(reply_title(299), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_becomes_lines_that_cannot_be_forged),
		cmocka_unit_test(a_secret_goes_into_its_empty_place_only),
		cmocka_unit_test(an_answer_says_what_it_sends_and_frees_what_it_made),
		cmocka_unit_test(each_kind_of_answer_reaches_the_client),
		cmocka_unit_test(a_stream_waits_for_its_source_and_for_its_client),
		cmocka_unit_test(a_cookie_goes_out_once_and_is_wiped),
		cmocka_unit_test(statuses_have_titles),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
