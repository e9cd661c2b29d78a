// SPDX-License-Identifier: Apache-2.0
// What a shell reads of an answer, where a secret goes in it, and how each kind reaches the client.
// uses: api/reply.c
#include "api/reply.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

struct numbers {
	int next, last;
	int done;
};

static ssize_t numbers_read(void *data, uint64_t position, char *to, size_t max)
{
	struct numbers *numbers = data;
	(void)position;
	if (numbers->next > numbers->last)
		return MHD_CONTENT_READER_END_OF_STREAM;
	return snprintf(to, max, "%d\n", numbers->next++);
}

static void numbers_done(void *data)
{
	struct numbers *numbers = data;
	numbers->done++;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context)
{
	struct request *r = data;
	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	(void)upload_size;
	(void)context;
	struct MHD_Response *response = reply_response(&r->reply);
	enum MHD_Result queued = MHD_queue_response(connection, r->reply.status, response);
	MHD_destroy_response(response);
	return queued;
}

// What a client of HTTP/1.0 gets of r's answer.
static char *sent(struct request *r)
{
	static const char head[] = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
	static const struct sockaddr address = {.sa_family = AF_UNIX};
	int pair[2];
	struct MHD_Daemon *daemon = MHD_start_daemon(
		MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, r, MHD_OPTION_END);

	assert_non_null(daemon);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(MHD_add_connection(daemon, pair[1], &address, sizeof(address)), MHD_YES);
	assert_int_equal(send(pair[0], head, strlen(head), 0), strlen(head));
	char text[4096] = "";
	size_t len = 0;
	ssize_t got = -1;
	for (int i = 0; i < 100 && got != 0; i++) {
		MHD_run(daemon);
		got = recv(pair[0], text + len, sizeof(text) - 1 - len, 0);
		len += got > 0 ? (size_t)got : 0;
	}
	close(pair[0]);
	MHD_stop_daemon(daemon);
	const char *body = strstr(text, "\r\n\r\n");
	assert_non_null(body);
	return xstrdup(body + 4);
}

static void each_kind_of_answer_reaches_the_client(void **state)
{
	static const char constant[] = "lives on";
	struct numbers numbers = {.next = 1, .last = 3};
	(void)state;

	struct request buffer = {0};
	reply_text(&buffer, 200, "text/plain", xstrdup("made for it"));
	_cleanup_(freep) char *of_buffer = sent(&buffer);
	assert_string_equal(of_buffer, "made for it");

	struct request file = {0};
	reply_file(&file, 200, "text/plain", constant);
	_cleanup_(freep) char *of_file = sent(&file);
	assert_string_equal(of_file, constant);

	struct request stream = {0};
	reply_stream(&stream, 200, "text/plain",
		(struct reply_stream){numbers_read, numbers_done, &numbers});
	_cleanup_(freep) char *of_stream = sent(&stream);
	assert_string_equal(of_stream, "1\n2\n3\n");
	assert_int_equal(numbers.done, 1);

	struct request empty = {0};
	reply_empty(&empty, 204);
	_cleanup_(freep) char *of_empty = sent(&empty);
	assert_string_equal(of_empty, "");
}

static void an_answer_that_was_not_sent_is_freed(void **state)
{
	struct numbers numbers = {0};
	(void)state;
	struct request buffer = {0};
	reply_text(&buffer, 200, "text/plain", xstrdup("leaks otherwise"));
	reply_done(&buffer.reply);
	struct request stream = {0};
	reply_stream(&stream, 200, "text/plain",
		(struct reply_stream){numbers_read, numbers_done, &numbers});
	reply_done(&stream.reply);
	assert_int_equal(numbers.done, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_becomes_lines_that_cannot_be_forged),
		cmocka_unit_test(a_secret_goes_into_its_empty_place_only),
		cmocka_unit_test(each_kind_of_answer_reaches_the_client),
		cmocka_unit_test(an_answer_that_was_not_sent_is_freed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
