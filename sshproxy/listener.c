// SPDX-License-Identifier: Apache-2.0
// Listener: accepts, limits, forks, reaps. One thread, so that children inherit a quiet process.
#include "sshproxy/listener.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
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
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/source.h"
#include "lib/wait.h"
#include "sshproxy/message.h"
#include "sshproxy/session.h"
#include "sshproxy/startup.h"

enum {
	ACCEPTS_MAX = 16, // a turn of the loop
	KEEPALIVE_IDLE_S = 60,
	KEEPALIVE_INTERVAL_S = 60,
	KEEPALIVE_COUNT = 10,
	CROWD_TELL_MS = 1000,
	PAUSE_MS = 500, // without accepting, when descriptors or processes have run out
};

struct child {
	pid_t pid;
	uint64_t serial;
	struct source source;
	char address[MESSAGE_ADDRESS_SIZE];
	int64_t since_ms;
	// While it is logging in: its user's connection, of which we see whether anything came. -1: it
	// has logged in, or was displaced.
	int user_fd;
	bool displaced; // it was killed to make room
};

struct listener {
	const struct listener_conf *conf;
	struct loop *loop;
	struct loop_source *accept_source;
	struct loop_source *pause;
	struct child *children;
	size_t count, cap, count_max;
	uint64_t serial;
	struct { // not yet told
		unsigned refused, displaced;
		int64_t told_ms;
	} crowd;
};

static struct message message_about(
	enum message_kind kind, uint64_t serial, const char address[static MESSAGE_ADDRESS_SIZE])
{
	struct message m = message_new(kind);
	m.peer.serial = serial;
	memcpy(m.peer.address, address, sizeof(m.peer.address));
	return m;
}

static struct child *child_add(
	struct listener *l, pid_t pid, int user_fd, const struct addr *address)
{
	if (l->count == l->cap) {
		l->cap = l->cap > 0 ? 2 * l->cap : 64;
		l->children = xreallocarray(l->children, l->cap, sizeof(*l->children));
	}
	struct child *child = &l->children[l->count++];
	*child = (struct child){.pid = pid,
		.serial = ++l->serial,
		.source = source_of(address),
		.since_ms = wait_now_ms(),
		.user_fd = user_fd};
	addr_text(address, child->address);
	return child;
}

static bool child_is_starting(const struct child *child)
{
	return child->user_fd >= 0;
}

static void child_started(struct child *child)
{
	closep(&child->user_fd);
	child->user_fd = -1;
}

// Has it had time to send something, and has not? (tcp(7), TCP_INFO)
static bool child_is_silent(const struct child *child, int64_t now_ms)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	return now_ms - child->since_ms >= STARTUP_SILENT_MS &&
	       getsockopt(child->user_fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	       info.tcpi_bytes_received == 0;
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
	if (!child->displaced)
		log_warning("a child died", log_number("child", child->pid),
			log_number("signal", signal));
	if (child_is_starting(child) && is_fault(signal) &&
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
		child_started(&l->children[i]);
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
		child_started(child);
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
static int child_start(struct listener *l, int *user_fd, const struct addr *address, struct err *e)
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
		child_run(l, *user_fd, ours);
	struct child *child = child_add(l, pid, TAKE_FD(*user_fd), address);
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

// A flood writes a line a second.
static void crowd_tell(struct listener *l, const struct addr *address)
{
	char text[ADDR_TEXT_MAX];
	int64_t now_ms = wait_now_ms();
	if (now_ms - l->crowd.told_ms < CROWD_TELL_MS)
		return;
	log_warning("too many connections", log_text("address", addr_text(address, text)),
		log_number("refused", l->crowd.refused),
		log_number("displaced", l->crowd.displaced),
		log_number("connections", (int64_t)l->count));
	l->crowd.refused = l->crowd.displaced = 0;
	l->crowd.told_ms = now_ms;
}

// Without a word: its client has not logged in.
static void child_displace(struct listener *l, struct child *child)
{
	kill(child->pid, SIGKILL);
	child_started(child);
	child->displaced = true;
	l->crowd.displaced++;
}

static bool is_refused(struct listener *l, const struct addr *address)
{
	struct source_place places[STARTUP_PLACES];
	size_t indices[STARTUP_PLACES];
	size_t count = 0, leaver = 0;
	int64_t now_ms = wait_now_ms();
	for (size_t i = 0; i < l->count && count < STARTUP_PLACES; i++) {
		const struct child *child = &l->children[i];
		if (!child_is_starting(child))
			continue;
		places[count] = (struct source_place){
			child->source, child_is_silent(child, now_ms), child->since_ms};
		indices[count++] = i;
	}
	enum startup_decision decision =
		l->count >= l->count_max
			? STARTUP_REFUSED
			: startup_decide(places, count, source_of(address), &leaver);
	if (decision == STARTUP_ENTERS)
		return false;
	if (decision == STARTUP_ENTERS_FOR)
		child_displace(l, &l->children[indices[leaver]]);
	else
		l->crowd.refused++;
	crowd_tell(l, address);
	return decision == STARTUP_REFUSED;
}

// Accepting on would only spin: the connection stays in the backlog until something is freed.
static bool is_shortage(const struct err *e)
{
	return e->code == EMFILE || e->code == ENFILE || e->code == ENOMEM || e->code == ENOBUFS ||
	       e->code == EAGAIN;
}

static int connection_serve(struct listener *l, int *fd, struct err *e)
{
	struct addr address;
	if (sock_remote_address(*fd, &address, e) < 0 || sock_nodelay(*fd, e) < 0 ||
		sock_keepalive(*fd, KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT, e) < 0)
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
			r = connection_serve(l, &fd, &e);
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
