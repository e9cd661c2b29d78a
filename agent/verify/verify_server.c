// SPDX-License-Identifier: Apache-2.0
// Verify children are forked by a process that has loaded what they need.
#include "agent/verify/verify_server.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/sock.h"
#include "lib/wait.h"

enum { DIES_MS = 5000 }; // a killed process has gone

static const struct wait forever = {.until_ms = INT64_MAX, .cancel_fd = -1};

// The agent's side.

struct verify_server {
	int fd; // when it closes, the server ends
	pid_t pid;
	int users; // children whose parent it is, and requests
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct verify_server *current;

static int server_start(struct verify_server **ret, struct err *e)
{
	static const char *const argv[] = {"ccp-agent", "verify", NULL};
	// No proxy, no resolver options, nothing of ours. What its libraries call is found once, not by each child.
	static const char *const envp[] = {"LD_BIND_NOW=1", NULL};
	const struct proc_child program = {.path = "/proc/self/exe", .argv = argv, .envp = envp};
	_cleanup_(closep) int ours = -1, its = -1;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, errno, "make a socket pair");
	ours = pair[0];
	its = pair[1];
	if (proc_spawn(&program, its, its, &pid, e) < 0)
		return -1;
	*ret = xnew(struct verify_server);
	**ret = (struct verify_server){.fd = TAKE_FD(ours), .pid = pid};
	return 0;
}

static int server_take(struct verify_server **ret, struct err *e)
{
	pthread_mutex_lock(&lock);
	int r = current ? 0 : server_start(&current, e);
	if (r == 0) {
		current->users++;
		*ret = current;
	}
	pthread_mutex_unlock(&lock);
	return r;
}

// `retired`: no request goes to it any more. The last of its users lets it end.
static void server_leave(struct verify_server *s, bool retired)
{
	struct err ignored;

	pthread_mutex_lock(&lock);
	if (retired && current == s)
		current = NULL;
	bool over = --s->users == 0 && current != s;
	pthread_mutex_unlock(&lock);
	if (!over)
		return;
	close(s->fd);
	(void)!proc_reap(s->pid, &ignored);
	free(s);
}

// One that has retired is found out by sending; its successor is not asked twice.
static int request_send(
	int ns_fd, int socket_fd, const struct wait *w, struct verify_server **ret, struct err *e)
{
	const int fds[] = {ns_fd, socket_fd};

	for (int tries = 2;; tries--) {
		struct verify_server *s = NULL;
		if (server_take(&s, e) < 0)
			return -1;
		int r = sock_send(s->fd, "v", 1, fds, ARRAY_SIZE(fds), w, e);
		bool retired = r < 0 && (e->code == EPIPE || e->code == ECONNRESET);
		if (r == 0)
			*ret = s;
		else
			server_leave(s, retired);
		if (!retired || tries == 1)
			return r;
	}
}

int verify_child_begin(int ns_fd, const struct wait *w, struct verify_child *ret, struct err *e)
{
	_cleanup_(closep) int its = -1;
	char alive;
	size_t fds = 0;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, errno, "make a socket pair");
	ret->socket_fd = pair[0];
	its = pair[1];
	int r = request_send(ns_fd, its, w, &ret->server, e);
	close(TAKE_FD(its)); // a server that dies now is end of file
	if (r == 0)
		r = sock_recv(ret->socket_fd, &alive, sizeof(alive), &ret->pidfd, 1, &fds, w, e);
	if (r == 0 && fds != 1)
		return err_say(e, EBADMSG, "the verification did not say which process it is");
	return r;
}

void verify_child_end(struct verify_child *child)
{
	struct wait w = wait_for(DIES_MS, -1);
	struct err ignored;

	closep(&child->socket_fd);
	if (child->pidfd >= 0) {
		(void)!proc_pidfd_signal(child->pidfd, SIGKILL, &ignored);
		(void)!wait_fd(&w, child->pidfd, POLLIN, "the end of the verification", &ignored);
	}
	closep(&child->pidfd);
	if (child->server)
		server_leave(TAKE_PTR(child->server), false);
}

// The server's side.

// One that crashed ends what this process takes; our own SIGKILL is no crash.
static void on_child(int signal)
{
	int status, kept = errno;

	(void)signal;
	while (waitpid(-1, &status, WNOHANG) > 0)
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
			(void)!shutdown(STDIN_FILENO, SHUT_RD);
	errno = kept;
}

// Its own descriptors take the places of the server's. `verify`, which becomes another user, has to
// say again whose death is its own.
static _Noreturn void child_run(
	pid_t server, const int *fds, void (*verify)(int ns_fd, int socket_fd))
{
	_cleanup_(closep) int pidfd = -1;
	struct err e;

	signal(SIGCHLD, SIG_DFL);
	if (dup2(fds[1], STDIN_FILENO) < 0 || dup2(fds[1], STDOUT_FILENO) < 0 ||
		proc_die_with_parent(server, SIGKILL, &e) < 0 ||
		proc_pidfd(getpid(), &pidfd, &e) < 0 ||
		sock_send(STDOUT_FILENO, "a", 1, &pidfd, 1, &forever, &e) != 0)
		_exit(1);
	close(fds[1]);
	close(TAKE_FD(pidfd));
	verify(fds[0], STDIN_FILENO);
	abort();
}

void verify_server_run(void (*verify)(int ns_fd, int socket_fd), bool again)
{
	const struct sigaction reaps = {
		.sa_handler = on_child, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
	pid_t self = getpid();
	struct err e;
	int fds[2];
	size_t count;
	char request;

	(void)!sigaction(SIGCHLD, &reaps, NULL);
	while (sock_recv(STDIN_FILENO, &request, sizeof(request), fds, ARRAY_SIZE(fds), &count,
		       &forever, &e) == 0) {
		if (count == ARRAY_SIZE(fds) && fork() == 0)
			child_run(self, fds, verify);
		for (size_t i = 0; i < count; i++)
			close(fds[i]); // without a child that is end of file for its caller
		if (!again)
			(void)!shutdown(STDIN_FILENO, SHUT_RD);
	}
	// Its children die with it: it stays until the agent has what they found, or is gone.
	(void)!wait_fd(&forever, STDIN_FILENO, 0, "the agent's end", &e);
}
