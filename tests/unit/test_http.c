// SPDX-License-Identifier: Apache-2.0
// HTTP requests against a small server in a thread: answers, limits, deadlines.
#include "lib/http.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/args.h"
#include "lib/err.h"
#include "lib/sock.h"
#include "lib/wait.h"

static char directory[] = "/tmp/ccp-http-XXXXXX";
static char path[64];
static struct addr_port address = {.addr = ADDR_V4(127, 0, 0, 1)};
static int listeners[2] = {-1, -1}; // Unix, TCP
static int quit_fd = -1;
static pthread_t server;

// What the server says by the first word of the path; "hang" says nothing.
static const struct {
	const char *word, *answer;
} answers[] = {
	{"/echo", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
	{"/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nnothing"},
	{"/moved", "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n"},
	{"/long", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789"},
	{"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "4\r\none\n\r\n3\r\ntwo\r\n0\r\n\r\n"},
	{"/cut", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"},
	{"/hang", ""},
};

static char last_request[2048];

static void serve(int fd)
{
	struct wait w = wait_for(2000, quit_fd);
	size_t len = 0;
	struct err e;

	while (len < sizeof(last_request) - 1) {
		if (wait_fd(&w, fd, POLLIN, "a request", &e) != 0)
			return;
		ssize_t got = read(fd, last_request + len, sizeof(last_request) - 1 - len);
		if (got <= 0)
			return;
		len += (size_t)got;
		last_request[len] = '\0';
		if (strstr(last_request, "\r\n\r\n"))
			break;
	}
	const char *target = strchr(last_request, ' ');
	for (size_t i = 0; target && i < ARRAY_SIZE(answers); i++) {
		if (strncmp(target + 1, answers[i].word, strlen(answers[i].word)) != 0)
			continue;
		(void)!sock_write_all(fd, answers[i].answer, strlen(answers[i].answer), &w, &e);
		if (!answers[i].answer[0])
			(void)!wait_fd(&w, fd, POLLIN, "the client's end", &e);
	}
}

static void *server_main(void *data)
{
	(void)data;
	for (;;) {
		struct pollfd fds[] = {{.fd = quit_fd, .events = POLLIN},
			{.fd = listeners[0], .events = POLLIN},
			{.fd = listeners[1], .events = POLLIN}};
		if (poll(fds, 3, -1) < 0 || fds[0].revents)
			return NULL;
		_cleanup_(closep) int fd = -1;
		struct err e;
		if (sock_accept(listeners[fds[1].revents ? 0 : 1], &fd, &e) == 0)
			serve(fd);
	}
}

static int start_server(void **state)
{
	struct err e;

	(void)state;
	snprintf(path, sizeof(path), "%s/s", mkdtemp(directory));
	quit_fd = eventfd(0, EFD_CLOEXEC);
	if (sock_listen_unix(path, SOCK_STREAM, 0600, &listeners[0], &e) < 0 ||
		sock_listen_tcp(&address, 5, &listeners[1], &e) < 0)
		return -1;
	address.port = unit_port(listeners[1]);
	return pthread_create(&server, NULL, server_main, NULL);
}

static int stop_server(void **state)
{
	uint64_t one = 1;

	(void)state;
	if (write(quit_fd, &one, sizeof(one)) != sizeof(one))
		return -1;
	pthread_join(server, NULL);
	unlink(path);
	return rmdir(directory);
}

static int get(const char *target, struct http_request *request, int timeout_ms,
	struct http_answer *answer, struct err *e)
{
	_cleanup_(http_freep) struct http *http = http_new();
	_cleanup_(freep) char *url = xasprintf("http://docker%s", target);
	struct wait w = wait_for(timeout_ms, -1);

	request->method = "GET";
	request->url = url;
	request->unix_path = path;
	return http_do(http, request, &w, answer, e);
}

static void an_answer_of_any_status_is_an_answer(void **state)
{
	static const struct {
		const char *target, *body;
		int status;
	} cases[] = {{"/echo", "hello", 200}, {"/missing", "nothing", 404}, {"/moved", "", 302},
		{"/chunked", "one\ntwo", 200}};
	struct http_request request = {0};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(http_answer_done) struct http_answer answer = {0};
		assert_int_equal(get(cases[i].target, &request, 5000, &answer, &e), 0);
		assert_int_equal(answer.status, cases[i].status);
		assert_string_equal(answer.body, cases[i].body);
	}
}

static void a_body_and_headers_are_sent_over_tcp_past_any_proxy(void **state)
{
	_cleanup_(http_freep) struct http *http = http_new();
	_cleanup_(freep) char *url =
		xasprintf("http://pinned.invalid:%u/echo?token=x", address.port);
	_cleanup_(freep) char *pin = xasprintf("pinned.invalid:%u:127.0.0.1", address.port);
	_cleanup_(http_answer_done) struct http_answer answer = {0};
	const char *const headers[] = {"Content-Type: application/json", NULL};
	const char *const resolve[] = {pin, NULL};
	struct http_request request = {.method = "POST",
		.url = url,
		.headers = headers,
		.resolve = resolve,
		.body = "{}",
		.body_len = 2};
	struct wait w = wait_for(5000, -1);
	struct err e;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(http_do(http, &request, &w, &answer, &e), 0);
	unsetenv("http_proxy");
	assert_string_equal(answer.remote_address, "127.0.0.1");
	assert_non_null(strstr(last_request, "POST /echo?token=x HTTP/1.1"));
	assert_non_null(strstr(last_request, "Content-Type: application/json"));
}

static void limits_and_broken_answers_are_errors_without_the_query(void **state)
{
	struct http_request small = {.answer_max_bytes = 10}, plain = {0};
	struct http_answer answer;
	struct err e;

	(void)state;
	assert_int_equal(get("/long?token=secret", &small, 5000, &answer, &e), -1);
	assert_int_equal(e.code, EMSGSIZE);
	assert_null(strstr(e.message, "secret"));
	assert_int_equal(get("/cut", &plain, 5000, &answer, &e), -1);
	assert_null(answer.body);
}

static bool note_and_refuse(void *data, const struct addr_port *to)
{
	*(struct addr_port *)data = *to;
	return false;
}

static bool note_and_admit(void *data, const struct addr_port *to)
{
	return !note_and_refuse(data, to);
}

static void a_connection_is_made_to_an_admitted_address_only(void **state)
{
	_cleanup_(http_freep) struct http *http = http_new();
	_cleanup_(freep) char *url = xasprintf("http://pinned.invalid:%u/echo", address.port);
	_cleanup_(freep) char *pin = xasprintf("pinned.invalid:%u:127.0.0.1", address.port);
	const char *const resolve[] = {pin, NULL};
	struct addr_port asked = {0};
	struct http_request request = {.method = "GET",
		.url = url,
		.resolve = resolve,
		.admit = note_and_refuse,
		.admit_data = &asked,
		.name = "the other end"};
	struct wait w = wait_for(5000, -1);
	struct http_answer answer;
	struct err e;

	(void)state;
	last_request[0] = '\0';
	assert_int_equal(http_do(http, &request, &w, &answer, &e), -1);
	assert_int_equal(strncmp(e.message, "the other end: ", 15), 0);
	assert_true(addr_equal(&asked.addr, &address.addr));
	assert_int_equal(asked.port, address.port);
	assert_string_equal(last_request, "");
	request.admit = note_and_admit;
	assert_int_equal(http_do(http, &request, &w, &answer, &e), 0);
	assert_string_equal(answer.body, "hello");
	http_answer_done(&answer);
}

static void an_answer_that_is_too_long_may_be_cut(void **state)
{
	struct http_request request = {.answer_max_bytes = 10, .answer_cut = true};
	struct http_answer answer;
	struct err e;

	(void)state;
	assert_int_equal(get("/long", &request, 5000, &answer, &e), 0);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.body, "0123456789");
	http_answer_done(&answer);
}

static void a_silent_server_ends_by_deadline_or_cancel(void **state)
{
	_cleanup_(http_freep) struct http *http = http_new();
	_cleanup_(closep) int cancel = eventfd(1, EFD_CLOEXEC);
	struct http_request request = {0};
	struct wait canceled = wait_for(5000, cancel);
	struct http_answer answer;
	struct err e;
	int64_t began = wait_now_ms();

	(void)state;
	assert_int_equal(get("/hang", &request, 100, &answer, &e), WAIT_TIMEOUT);
	request = (struct http_request){.method = "GET", .url = "http://x/hang", .unix_path = path};
	assert_int_equal(http_do(http, &request, &canceled, &answer, &e), WAIT_CANCELED);
	assert_true(wait_now_ms() - began < 5000);
}

static void other_protocols_and_nobody_there_are_errors(void **state)
{
	_cleanup_(http_freep) struct http *http = http_new();
	struct http_request file = {.method = "GET", .url = "file:///etc/passwd"};
	struct http_request absent = {
		.method = "GET", .url = "http://x/", .unix_path = "/nonexistent"};
	struct wait w = wait_for(5000, -1);
	struct http_answer answer;
	struct err e;

	(void)state;
	assert_int_equal(http_do(http, &file, &w, &answer, &e), -1);
	assert_int_equal(http_do(http, &absent, &w, &answer, &e), -1);
	assert_true(err_is_retryable(&e) || e.code == ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_of_any_status_is_an_answer),
		cmocka_unit_test(a_body_and_headers_are_sent_over_tcp_past_any_proxy),
		cmocka_unit_test(limits_and_broken_answers_are_errors_without_the_query),
		cmocka_unit_test(a_connection_is_made_to_an_admitted_address_only),
		cmocka_unit_test(an_answer_that_is_too_long_may_be_cut),
		cmocka_unit_test(a_silent_server_ends_by_deadline_or_cancel),
		cmocka_unit_test(other_protocols_and_nobody_there_are_errors),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
