// SPDX-License-Identifier: Apache-2.0
// The process that forks verify children: this program itself, with children that say whose they are.
// uses: agent/verify/verify_server.c
#include "agent/verify/verify_server.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/sock.h"
#include "lib/wait.h"

enum { WAIT_MS = 60000 };

// A child says which process it is and who forked it, reads a letter and obeys.
struct family {
	pid_t self, server;
};

static void child_live(int ns_fd, int socket_fd)
{
	struct family f = {.self = getpid(), .server = getppid()};
	char letter;
	if (fcntl(ns_fd, F_GETFD) < 0)
		_exit(1);
	if (write(socket_fd, &f, sizeof(f)) != sizeof(f) || read(socket_fd, &letter, 1) != 1)
		_exit(1);
	if (letter == 'c')
		raise(SIGABRT);
	_exit(write(socket_fd, &letter, 1) == 1 ? 0 : 1);
}

static struct family child_begin(struct verify_child *child)
{
	struct wait w = wait_for(WAIT_MS, -1);
	struct family f;
	struct err e;
	*child = (struct verify_child)VERIFY_CHILD_INIT;
	assert_int_equal(verify_child_begin(STDERR_FILENO, &w, child, &e), 0);
	assert_int_equal(sock_read_all(child->socket_fd, &f, sizeof(f), &w, &e), 0);
	return f;
}

// What it answers to the letter; 0: it ended without.
static char child_told(struct verify_child *child, char letter)
{
	struct wait w = wait_for(WAIT_MS, -1);
	struct err e;
	char answer;
	assert_int_equal(sock_write_all(child->socket_fd, &letter, 1, &w, &e), 0);
	int r = sock_read_all(child->socket_fd, &answer, 1, &w, &e);
	return r == SOCK_CLOSED ? '\0' : answer;
}

static void ends(int pidfd)
{
	struct wait w = wait_for(WAIT_MS, -1);
	struct err e;
	assert_int_equal(wait_fd(&w, pidfd, POLLIN, "the end", &e), 0);
}

static void every_verification_is_a_process_of_its_own_with_one_parent(void **state)
{
	struct verify_child one, two;
	(void)state;
	struct family first = child_begin(&one), second = child_begin(&two);
	assert_int_not_equal(first.self, second.self);
	assert_int_equal(first.server, second.server);
	assert_int_not_equal(first.server, getpid());
	assert_int_equal(child_told(&two, 'x'), 'x');
	assert_int_equal(child_told(&one, 'y'), 'y');
	verify_child_end(&one);
	verify_child_end(&two);
}

static void one_that_is_given_up_is_killed_and_the_server_goes_on(void **state)
{
	_cleanup_(closep) int pidfd = -1;
	struct verify_child one, two;
	(void)state;
	struct family first = child_begin(&one);
	pidfd = dup(one.pidfd);
	verify_child_end(&one);
	ends(pidfd);
	assert_int_equal(child_begin(&two).server, first.server);
	verify_child_end(&two);
}

static void a_crash_is_the_last_of_that_address_space_but_others_end_their_work(void **state)
{
	_cleanup_(closep) int server = -1;
	struct verify_child at_work, crashes, next;
	struct err e;
	(void)state;
	struct family before = child_begin(&at_work);
	assert_int_equal(proc_pidfd(before.server, &server, &e), 0);
	assert_int_equal(child_begin(&crashes).server, before.server);
	assert_int_equal(child_told(&crashes, 'c'), '\0');
	ends(crashes.pidfd);
	// The server hears of it by a signal, which nothing here announces.
	for (;;) {
		bool replaced = child_begin(&next).server != before.server;
		assert_int_equal(child_told(&next, 'x'), 'x');
		verify_child_end(&next);
		if (replaced)
			break;
	}
	assert_int_equal(child_told(&at_work, 'y'), 'y');
	verify_child_end(&at_work);
	verify_child_end(&crashes);
	ends(server);
}

static void a_server_that_was_killed_takes_its_children_along_and_is_replaced(void **state)
{
	struct verify_child one, two;
	(void)state;
	struct family first = child_begin(&one);
	assert_int_equal(kill(first.server, SIGKILL), 0);
	ends(one.pidfd);
	assert_int_not_equal(child_begin(&two).server, first.server);
	assert_int_equal(child_told(&two, 'x'), 'x');
	verify_child_end(&one);
	verify_child_end(&two);
}

// Another process with a server of its own, which vanishes without a word.
static void nothing_stays_when_the_agent_is_gone(void **state)
{
	_cleanup_(closep) int server = -1, child = -1;
	struct wait w = wait_for(WAIT_MS, -1);
	int pair[2], fds[2];
	size_t count;
	char byte;
	struct err e;
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid_t agent = fork();
	assert_true(agent >= 0);
	if (agent == 0) {
		struct verify_child own = VERIFY_CHILD_INIT;
		struct family f = child_begin(&own);
		fds[1] = own.pidfd;
		if (proc_pidfd(f.server, &fds[0], &e) < 0 ||
			sock_send(pair[1], "f", 1, fds, 2, &w, &e) != 0)
			_exit(1);
		pause();
	}
	assert_int_equal(sock_recv(pair[0], &byte, 1, fds, 2, &count, &w, &e), 0);
	assert_int_equal(count, 2);
	server = fds[0];
	child = fds[1];
	assert_int_equal(kill(agent, SIGKILL), 0);
	assert_int_equal(waitpid(agent, NULL, 0), agent);
	ends(server);
	ends(child);
	close(pair[0]);
	close(pair[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_stays_when_the_agent_is_gone), // first: it starts its own
		cmocka_unit_test(every_verification_is_a_process_of_its_own_with_one_parent),
		cmocka_unit_test(one_that_is_given_up_is_killed_and_the_server_goes_on),
		cmocka_unit_test(
			a_crash_is_the_last_of_that_address_space_but_others_end_their_work),
		cmocka_unit_test(a_server_that_was_killed_takes_its_children_along_and_is_replaced),
	};
	if (argc == 2 && strcmp(argv[1], "verify") == 0) {
		verify_server_run(child_live, true);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
