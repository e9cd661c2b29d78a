// SPDX-License-Identifier: Apache-2.0
// Sockets: listen, connect, questions with descriptors, peers.
#include "lib/sock.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/wait.h"

static char directory[] = "/tmp/ccp-sock-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/s", mkdtemp(directory));
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static int user_timeout_ms(int fd)
{
	int value = -1;
	socklen_t len = sizeof(value);
	(void)getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &len);
	return value;
}

static int connect_tcp(
	const struct addr_port *address, const struct wait *w, int *ret_fd, struct err *e)
{
	struct sockaddr_storage to;
	socklen_t len = addr_to_socket(&address->addr, address->port, &to);
	_cleanup_(closep) int fd =
		socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = sock_connect(fd, (struct sockaddr *)&to, len, "the listener", w, e);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

static void a_port_is_taken_once(void **state)
{
	struct addr_port address = {.addr = ADDR_V4(127, 0, 0, 1)};
	_cleanup_(closep) int first = -1, second = -1, client = -1, server = -1;
	struct wait w = wait_for(5000, -1);
	struct addr remote;
	char text[8];
	struct err e;

	(void)state;
	assert_int_equal(sock_listen_tcp(&address, 5, &first, &e), 0);
	address.port = unit_port(first);
	assert_int_equal(sock_listen_tcp(&address, 5, &second, &e), -1);
	assert_int_equal(e.code, EADDRINUSE);
	assert_int_equal(sock_accept(first, &server, &e), SOCK_NONE);
	assert_int_equal(connect_tcp(&address, &w, &client, &e), 0);
	assert_int_equal(wait_fd(&w, first, POLLIN, "a client", &e), 0);
	assert_int_equal(sock_accept(first, &server, &e), 0);
	assert_int_equal(sock_remote_address(server, &remote, &e), 0);
	assert_true(addr_equal(&remote, &address.addr));
	assert_int_equal(sock_keepalive(client, 10, 5, 3, &e), 0);
	assert_int_equal(user_timeout_ms(client), 0); // who does not read for a while is not dead
	assert_int_equal(sock_nodelay(client, &e), 0);
	assert_int_equal(sock_write_all(client, "hello", 5, &w, &e), 0);
	assert_int_equal(sock_read_all(server, text, 5, &w, &e), 0);
	assert_memory_equal(text, "hello", 5);
	close(TAKE_FD(client));
	assert_int_equal(sock_read_all(server, text, 1, &w, &e), SOCK_CLOSED);
	close(TAKE_FD(first));
	assert_int_equal(connect_tcp(&address, &w, &client, &e), -1);
	assert_int_equal(e.code, ECONNREFUSED);
}

static void a_stale_socket_file_is_replaced_and_a_live_one_is_not(void **state)
{
	_cleanup_(closep) int first = -1, second = -1, third = -1;
	struct stat st;
	struct err e;

	(void)state;
	assert_int_equal(sock_listen_unix(path, SOCK_SEQPACKET, 0660, &first, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(sock_listen_unix(path, SOCK_SEQPACKET, 0660, &second, &e), -1);
	assert_int_equal(e.code, EADDRINUSE);
	close(TAKE_FD(first)); // the file stays, as after a kill
	assert_int_equal(sock_listen_unix(path, SOCK_SEQPACKET, 0660, &third, &e), 0);
}

static void an_overlong_path_is_refused(void **state)
{
	char longer[200];
	int fd;
	struct err e;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(sock_listen_unix(longer, SOCK_STREAM, 0600, &fd, &e), -1);
	assert_int_equal(e.code, ENAMETOOLONG);
}

struct request {
	int number;
};

struct reply {
	int doubled;
	char padding[100];
};

// Answers one question with a pipe's reading end, in which the text waits; or with less than a
// whole answer.
static void *answer_one(void *data)
{
	int listener = *(int *)data;
	_cleanup_(closep) int fd = -1;
	struct wait w = wait_for(5000, -1);
	struct request request;
	struct reply reply = {0};
	struct sock_peer peer;
	int pipe_fds[2];
	struct err e;

	if (wait_fd(&w, listener, POLLIN, "a client", &e) != 0 ||
		sock_accept(listener, &fd, &e) != 0)
		return NULL;
	if (sock_recv(fd, &request, sizeof(request), NULL, 0, NULL, &w, &e) != 0)
		return NULL;
	if (sock_peer(fd, &peer, &e) != 0 || peer.pid != getpid() || peer.uid != getuid())
		return NULL;
	if (request.number == 0)
		return sock_send(fd, &reply, 3, NULL, 0, &w, &e) == 0 ? data : NULL;
	if (request.number < 0)
		return data; // hangs up
	if (pipe(pipe_fds) != 0 || write(pipe_fds[1], "through", 7) != 7)
		return NULL;
	reply.doubled = request.number * 2;
	int r = sock_send(fd, &reply, sizeof(reply), pipe_fds, 2, &w, &e);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return r == 0 ? data : NULL;
}

// One request and its answer, over a connection of their own.
static int ask(
	int number, struct reply *reply, int *fds, size_t fds_max, size_t *ret_count, struct err *e)
{
	struct request request = {number};
	struct wait w = wait_for(5000, -1);
	_cleanup_(closep) int fd = -1;
	int listener;
	pthread_t thread;
	void *fine = NULL;

	unlink(path);
	assert_int_equal(sock_listen_unix(path, SOCK_SEQPACKET, 0600, &listener, e), 0);
	assert_int_equal(pthread_create(&thread, NULL, answer_one, &listener), 0);
	assert_int_equal(sock_connect_unix(path, SOCK_SEQPACKET, &w, &fd, e), 0);
	assert_int_equal(sock_send(fd, &request, sizeof(request), NULL, 0, &w, e), 0);
	int r = sock_recv(fd, reply, sizeof(*reply), fds, fds_max, ret_count, &w, e);
	pthread_join(thread, &fine);
	close(listener);
	assert_ptr_equal(fine, &listener);
	return r;
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 200; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void a_question_gets_an_answer_with_descriptors(void **state)
{
	struct reply reply;
	int fds[2];
	size_t count;
	char text[8] = {0};
	struct err e;

	(void)state;
	assert_int_equal(ask(21, &reply, fds, 2, &count, &e), 0);
	assert_int_equal(reply.doubled, 42);
	assert_int_equal(count, 2);
	assert_int_equal(read(fds[0], text, 7), 7);
	assert_string_equal(text, "through");
	close(fds[0]);
	close(fds[1]);
}

static void wrong_answers_leave_no_descriptor_behind(void **state)
{
	struct reply reply;
	int fds[2];
	size_t count;
	struct err e;

	(void)state;
	int before = open_descriptors();
	assert_int_equal(
		ask(1, &reply, fds, 1, &count, &e), -1); // two descriptors came, one was expected
	assert_int_equal(ask(0, &reply, fds, 2, &count, &e), -1); // too short
	assert_int_equal(e.code, EBADMSG);
	assert_int_equal(ask(-1, &reply, fds, 2, &count, &e), SOCK_CLOSED);
	assert_int_equal(open_descriptors(), before);
}

static void a_silent_peer_ends_by_deadline(void **state)
{
	_cleanup_(closep) int listener = -1, fd = -1;
	struct reply reply;
	struct wait w = wait_for(50, -1);
	struct err e;

	(void)state;
	unlink(path);
	assert_int_equal(sock_listen_unix(path, SOCK_SEQPACKET, 0600, &listener, &e), 0);
	assert_int_equal(sock_connect_unix(path, SOCK_SEQPACKET, &w, &fd, &e), 0);
	assert_int_equal(sock_recv(fd, &reply, sizeof(reply), NULL, 0, NULL, &w, &e), WAIT_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_is_taken_once),
		cmocka_unit_test(a_stale_socket_file_is_replaced_and_a_live_one_is_not),
		cmocka_unit_test(an_overlong_path_is_refused),
		cmocka_unit_test(a_question_gets_an_answer_with_descriptors),
		cmocka_unit_test(wrong_answers_leave_no_descriptor_behind),
		cmocka_unit_test(a_silent_peer_ends_by_deadline),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
