// SPDX-License-Identifier: Apache-2.0
// Listener: accepts, limits, forks, reaps. One thread, so that children inherit a quiet process.
#include "sshproxy/listener.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/wait.h"
#include "sshproxy/message.h"
#include "sshproxy/session.h"
#include "sshproxy/startup.h"

enum {
	ACCEPTS_MAX = 16, // a turn of the loop
	KEEPALIVE_IDLE_S = 60,
	KEEPALIVE_INTERVAL_S = 60,
	KEEPALIVE_COUNT = 10,
	PAUSE_MS = 500, // without accepting, when descriptors or processes have run out
};

struct child {
	pid_t pid;
	uint64_t serial;
	uint64_t network;
	char address[MESSAGE_ADDRESS_SIZE];
	bool authenticated; // logged in
};

struct listener {
	const struct listener_conf *conf;
	struct loop *loop;
	struct loop_source *accept_source;
	struct loop_source *pause;
	struct child *children;
	size_t count, cap, count_max;
	unsigned starting; // children that have not logged in
	uint64_t serial;
};

static struct message message_about(
	enum message_kind kind, uint64_t serial, const char address[static MESSAGE_ADDRESS_SIZE])
{
	struct message m = message_new(kind);
	m.peer.serial = serial;
	memcpy(m.peer.address, address, sizeof(m.peer.address));
	return m;
}

static struct child *child_add(struct listener *l, pid_t pid, const struct addr *address)
{
	if (l->count == l->cap) {
		l->cap = l->cap > 0 ? 2 * l->cap : 64;
		l->children = xreallocarray(l->children, l->cap, sizeof(*l->children));
	}
	struct child *child = &l->children[l->count++];
	*child = (struct child){
		.pid = pid, .serial = ++l->serial, .network = startup_network(address)};
	addr_text(address, child->address);
	l->starting++;
	return child;
}

static void child_authenticated(struct listener *l, struct child *child)
{
	if (!child->authenticated)
		l->starting--;
	child->authenticated = true;
}

static unsigned children_starting(const struct listener *l, uint64_t network)
{
	unsigned starting = 0;
	for (size_t i = 0; i < l->count; i++)
		starting += !l->children[i].authenticated && l->children[i].network == network;
	return starting;
}

static struct child *child_find(struct listener *l, uint64_t serial)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->children[i].serial == serial)
			return &l->children[i];
	return NULL;
}

// What a client may have caused by what it sent. Being killed from outside is not.
static bool is_fault(int signal)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		if (faults[i] == signal)
			return true;
	return false;
}

static void child_died(struct listener *l, const struct child *child, int signal)
{
	struct message m = message_about(MESSAGE_CRASHED, child->serial, child->address);
	struct err e;
	log_warning("a child died", log_number("child", child->pid), log_number("signal", signal));
	if (!child->authenticated && is_fault(signal) &&
		message_send(l->conf->monitor_fd, &m, NULL, 0, &e) < 0)
		log_warning("a crash was not reported", log_err(&e));
}

static void child_reaped(struct listener *l, pid_t pid, int status)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->children[i].pid != pid)
			continue;
		if (WIFSIGNALED(status))
			child_died(l, &l->children[i], WTERMSIG(status));
		else if (WEXITSTATUS(status) != EXIT_SUCCESS)
			log_warning("a child failed", log_number("child", pid),
				log_number("status", WEXITSTATUS(status)));
		child_authenticated(l, &l->children[i]);
		l->children[i] = l->children[--l->count];
		return;
	}
}

static void on_signal(void *data, int signal)
{
	struct listener *l = data;
	int status;
	pid_t pid;
	if (signal != SIGCHLD) {
		loop_stop(l->loop, EXIT_SUCCESS);
		return;
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_reaped(l, pid, status);
}

// What the monitor says: who has logged in, and who did not end when ordered to.
static void on_monitor(void *data, uint32_t events)
{
	struct listener *l = data;
	struct wait now = wait_for(0, -1);
	struct message m;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	(void)events;
	int r = message_receive(l->conf->monitor_fd, MESSAGE_FROM_MONITOR, &now, &m, fds, &e);
	if (r == MESSAGE_NONE)
		return;
	if (r != 0) {
		log_warning("the monitor is gone", log_err(&e));
		loop_stop(l->loop, EXIT_FAILURE);
		return;
	}
	struct child *child = child_find(l, m.peer.serial);
	if (!child)
		return; // it has ended meanwhile
	if (m.kind == MESSAGE_AUTHENTICATED)
		child_authenticated(l, child);
	else if (m.kind == MESSAGE_KILL)
		kill(child->pid, SIGKILL);
}

// The child keeps nothing of the loop: its signal mask is opened again, its descriptors are closed
// by the sandbox.
static noreturn void child_run(const struct listener *l, int user_fd, int monitor_fd)
{
	const struct session_conf conf = {
		.bind = l->conf->bind,
		.sandbox = l->conf->sandbox,
		.user_fd = user_fd,
		.monitor_fd = monitor_fd,
		.grace_s = l->conf->grace_s,
	};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	session_run(&conf);
}

// The child exists before the monitor learns of it: what it asks meanwhile waits in the
// socketpair, and a child that could not be made has left no trace there.
static int child_start(struct listener *l, int user_fd, const struct addr *address, struct err *e)
{
	_cleanup_(closep) int ours = -1;
	_cleanup_(closep) int theirs = -1;
	int pair[2];
	struct message m;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_set(e, errno, "make a socketpair");
	ours = pair[0];
	theirs = pair[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "fork a child");
	if (pid == 0)
		child_run(l, user_fd, ours);
	struct child *child = child_add(l, pid, address);
	m = message_about(MESSAGE_CONNECTED, child->serial, child->address);
	return message_send(l->conf->monitor_fd, &m, &theirs, 1, e);
}

static void listen_again(void *data)
{
	struct listener *l = data;
	struct err e;
	if (loop_watch_events(l->accept_source, EPOLLIN, &e) < 0)
		loop_stop(l->loop, EXIT_FAILURE);
}

static void listen_pause(struct listener *l)
{
	struct err e;
	if (loop_watch_events(l->accept_source, 0, &e) == 0)
		loop_timer_set(l->pause, PAUSE_MS, 0);
}

static bool is_refused(const struct listener *l, const struct addr *address)
{
	char text[ADDR_TEXT_MAX];
	uint32_t random;
	unsigned of_network = children_starting(l, startup_network(address));
	hash_random(&random, sizeof(random));
	if (l->count < l->count_max && !startup_refuses(l->starting, of_network, random))
		return false;
	log_warning("a connection was refused: too many",
		log_text("address", addr_text(address, text)), log_number("starting", of_network),
		log_number("starting_in_all", l->starting),
		log_number("connections", (int64_t)l->count));
	return true;
}

// Accepting on would only spin: the connection stays in the backlog until something is freed.
static bool is_shortage(const struct err *e)
{
	return e->code == EMFILE || e->code == ENFILE || e->code == ENOMEM || e->code == ENOBUFS ||
	       e->code == EAGAIN;
}

static int connection_serve(struct listener *l, int fd, struct err *e)
{
	struct addr address;
	if (sock_remote_address(fd, &address, e) < 0 || sock_nodelay(fd, e) < 0 ||
		sock_keepalive(fd, KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT, e) < 0)
		return 0; // hung up already
	return is_refused(l, &address) ? 0 : child_start(l, fd, &address, e);
}

static void on_connection(void *data, uint32_t events)
{
	struct listener *l = data;
	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		_cleanup_(closep) int fd = -1;
		struct err e;
		int r = sock_accept(l->conf->listen_fd, &fd, &e);
		if (r == SOCK_NONE)
			return;
		if (r == 0)
			r = connection_serve(l, fd, &e);
		if (r < 0) {
			log_warning("a connection was not served", log_err(&e));
			if (is_shortage(&e)) {
				listen_pause(l);
				return;
			}
		}
	}
}

static int loop_fill(struct listener *l, struct err *e)
{
	struct loop_source *source;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	if (loop_signals(l->loop, &set, on_signal, l, &source, e) < 0 ||
		loop_watch(l->loop, l->conf->monitor_fd, EPOLLIN, on_monitor, l, &source, e) < 0 ||
		loop_timer(l->loop, listen_again, l, &l->pause, e) < 0)
		return -1;
	return loop_watch(
		l->loop, l->conf->listen_fd, EPOLLIN, on_connection, l, &l->accept_source, e);
}

// The monitor is our fork and has the same limit.
static int connections_limit(struct listener *l, struct err *e)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_set(e, errno, "ask for the limit of open files");
	l->count_max = startup_connections_max(files.rlim_cur);
	if (l->count_max == 0)
		return err_say(e, EMFILE, "the limit of open files leaves no room for connections");
	return 0;
}

int listener_run(const struct listener_conf *conf, struct err *e)
{
	struct listener l = {.conf = conf};
	if (connections_limit(&l, e) < 0 || loop_new(&l.loop, e) < 0)
		return -1;
	int status = loop_fill(&l, e);
	if (status == 0)
		status = loop_run(l.loop, e);
	loop_free(l.loop);
	free(l.children);
	return status;
}
