// SPDX-License-Identifier: Apache-2.0
// Listener: accepts, limits, forks and reaps. Single-threaded, so its children inherit a quiet process.
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
	struct message m;
	memset(&m, 0, sizeof(m)); // padding too: it is sent
	m.kind = kind;
	m.peer.serial = serial;
	memcpy(m.peer.address, address, sizeof(m.peer.address));
	return m;
}

static struct child *child_add(struct listener *a, pid_t pid, const struct addr *address)
{
	if (a->count == a->cap) {
		a->cap = a->cap > 0 ? 2 * a->cap : 64;
		a->children = xreallocarray(a->children, a->cap, sizeof(*a->children));
	}
	struct child *child = &a->children[a->count++];
	*child = (struct child){
		.pid = pid, .serial = ++a->serial, .network = startup_network(address)};
	addr_text(address, child->address);
	a->starting++;
	return child;
}

static void child_authenticated(struct listener *a, struct child *child)
{
	if (!child->authenticated)
		a->starting--;
	child->authenticated = true;
}

static unsigned children_starting(const struct listener *a, uint64_t network)
{
	unsigned starting = 0;
	for (size_t i = 0; i < a->count; i++)
		starting += !a->children[i].authenticated && a->children[i].network == network;
	return starting;
}

static struct child *child_find(struct listener *a, uint64_t serial)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->children[i].serial == serial)
			return &a->children[i];
	return NULL;
}

// What a stranger may have brought about by what they sent; being killed from outside is not.
static bool is_fault(int signal)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		if (faults[i] == signal)
			return true;
	return false;
}

static void child_died(struct listener *a, const struct child *child, int signal)
{
	struct message m = message_about(MESSAGE_CRASHED, child->serial, child->address);
	struct err e;
	log_warning("a child died", log_number("child", child->pid), log_number("signal", signal));
	if (!child->authenticated && is_fault(signal) &&
		message_send(a->conf->monitor_fd, &m, NULL, 0, &e) < 0)
		log_warning("a crash was not told", log_err(&e));
}

static void child_reaped(struct listener *a, pid_t pid, int status)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->children[i].pid != pid)
			continue;
		if (WIFSIGNALED(status))
			child_died(a, &a->children[i], WTERMSIG(status));
		else if (WEXITSTATUS(status) != EXIT_SUCCESS)
			log_warning("a child failed", log_number("child", pid),
				log_number("status", WEXITSTATUS(status)));
		child_authenticated(a, &a->children[i]);
		a->children[i] = a->children[--a->count];
		return;
	}
}

static void on_signal(void *data, int signal)
{
	struct listener *a = data;
	int status;
	pid_t pid;
	if (signal != SIGCHLD) {
		loop_stop(a->loop, EXIT_SUCCESS);
		return;
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_reaped(a, pid, status);
}

// What the monitor says: who has logged in, and who did not end when told to.
static void on_monitor(void *data, uint32_t events)
{
	struct listener *a = data;
	struct wait now = wait_for(0, -1);
	struct message m;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	(void)events;
	int r = message_receive(a->conf->monitor_fd, MESSAGE_FROM_MONITOR, &now, &m, fds, &e);
	if (r == MESSAGE_NONE)
		return;
	if (r != 0) {
		log_warning("the monitor is gone", log_err(&e));
		loop_stop(a->loop, EXIT_FAILURE);
		return;
	}
	struct child *child = child_find(a, m.peer.serial);
	if (!child)
		return; // gone meanwhile
	if (m.kind == MESSAGE_AUTHENTICATED)
		child_authenticated(a, child);
	else if (m.kind == MESSAGE_KILL)
		kill(child->pid, SIGKILL);
}

// The child keeps nothing of the loop: its signal mask is opened again, its descriptors are closed
// by the sandbox.
static noreturn void child_run(const struct listener *a, int user_fd, int monitor_fd)
{
	const struct session_conf conf = {
		.bind = a->conf->bind,
		.sandbox = a->conf->sandbox,
		.user_fd = user_fd,
		.monitor_fd = monitor_fd,
		.grace_s = a->conf->grace_s,
	};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	session_run(&conf);
}

// The child exists before the monitor learns of it: what it asks meanwhile waits in the
// socketpair, and a child that could not be made has left no trace there.
static int child_start(struct listener *a, int user_fd, const struct addr *address, struct err *e)
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
		child_run(a, user_fd, ours);
	struct child *child = child_add(a, pid, address);
	m = message_about(MESSAGE_CONNECTED, child->serial, child->address);
	return message_send(a->conf->monitor_fd, &m, &theirs, 1, e);
}

static void listen_again(void *data)
{
	struct listener *a = data;
	struct err e;
	if (loop_watch_events(a->accept_source, EPOLLIN, &e) < 0)
		loop_stop(a->loop, EXIT_FAILURE);
}

static void listen_pause(struct listener *a)
{
	struct err e;
	if (loop_watch_events(a->accept_source, 0, &e) == 0)
		loop_timer_set(a->pause, PAUSE_MS, 0);
}

static bool is_refused(const struct listener *a, const struct addr *address)
{
	char text[ADDR_TEXT_MAX];
	uint32_t random;
	unsigned of_network = children_starting(a, startup_network(address));
	hash_random(&random, sizeof(random));
	if (a->count < a->count_max && !startup_refuses(a->starting, of_network, random))
		return false;
	log_warning("a connection was refused: too many",
		log_text("address", addr_text(address, text)), log_number("starting", of_network),
		log_number("starting_in_all", a->starting),
		log_number("connections", (int64_t)a->count));
	return true;
}

// Accepting on would only spin: the connection stays in the backlog until something is freed.
static bool is_shortage(const struct err *e)
{
	return e->code == EMFILE || e->code == ENFILE || e->code == ENOMEM || e->code == ENOBUFS ||
	       e->code == EAGAIN;
}

static int connection_serve(struct listener *a, int fd, struct err *e)
{
	struct addr address;
	if (sock_remote_address(fd, &address, e) < 0 || sock_nodelay(fd, e) < 0 ||
		sock_keepalive(fd, KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT, e) < 0)
		return 0; // hung up already
	return is_refused(a, &address) ? 0 : child_start(a, fd, &address, e);
}

static void on_connection(void *data, uint32_t events)
{
	struct listener *a = data;
	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		_cleanup_(closep) int fd = -1;
		struct err e;
		int r = sock_accept(a->conf->listen_fd, &fd, &e);
		if (r == SOCK_NONE)
			return;
		if (r == 0)
			r = connection_serve(a, fd, &e);
		if (r < 0) {
			log_warning("a connection was not served", log_err(&e));
			if (is_shortage(&e)) {
				listen_pause(a);
				return;
			}
		}
	}
}

static int loop_fill(struct listener *a, struct err *e)
{
	struct loop_source *source;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	if (loop_signals(a->loop, &set, on_signal, a, &source, e) < 0 ||
		loop_watch(a->loop, a->conf->monitor_fd, EPOLLIN, on_monitor, a, &source, e) < 0 ||
		loop_timer(a->loop, listen_again, a, &a->pause, e) < 0)
		return -1;
	return loop_watch(
		a->loop, a->conf->listen_fd, EPOLLIN, on_connection, a, &a->accept_source, e);
}

// The monitor is our fork and has the same limit.
static int connections_limit(struct listener *a, struct err *e)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_set(e, errno, "ask for the limit of open files");
	a->count_max = startup_connections_max(files.rlim_cur);
	if (a->count_max == 0)
		return err_say(e, EMFILE, "the limit of open files leaves no room for connections");
	return 0;
}

int listener_run(const struct listener_conf *conf, struct err *e)
{
	struct listener a = {.conf = conf};
	if (connections_limit(&a, e) < 0 || loop_new(&a.loop, e) < 0)
		return -1;
	int status = loop_fill(&a, e);
	if (status == 0)
		status = loop_run(a.loop, e);
	loop_free(a.loop);
	free(a.children);
	return status;
}
