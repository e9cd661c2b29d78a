// SPDX-License-Identifier: Apache-2.0
// ccp-sshproxy: ssh for users, relayed into containers that have no network of ours.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libssh/server.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/program.h"
#include "lib/sock.h"
#include "sshproxy/hostkey.h"
#include "sshproxy/listener.h"
#include "sshproxy/login_self_test.h"
#include "sshproxy/monitor.h"
#include "sshproxy/sandbox.h"
#include "sshproxy/session.h"

enum { BACKLOG = 256, GRACE_S = 60, GRACE_MAX_S = 600 };

static struct addr_port listen_address = {.addr = ADDR_V4(127, 0, 0, 1), .port = 2222};
static int64_t grace_s = GRACE_S;

struct proxy {
	int listen_fd;
	int listener_fd; // the monitor's end
	ssh_key host_key;
	char *host_key_public;
	char *dial_path;
	struct monitor *monitor;
};

static int configure(struct service *s, struct err *e)
{
	struct proxy *p = xnew(struct proxy);
	_cleanup_(freep) char *path = xasprintf("%s/sshproxy/host_key", s->state_dir);
	s->data = p;
	p->dial_path = xasprintf("%s/run/dial/dial.sock", s->state_dir);
	if (hostkey_load(path, &p->host_key, e) < 0)
		return -1;
	return hostkey_public(p->host_key, &p->host_key_public, e);
}

static int listen_start(struct service *s, struct err *e)
{
	struct proxy *p = s->data;
	return sock_listen_tcp(&listen_address, BACKLOG, &p->listen_fd, e);
}

// The process that the supervisor knows becomes the listener and never returns.
static noreturn void listener_process(struct proxy *p, int monitor_fd, pid_t monitor)
{
	struct listener_conf conf = {
		.listen_fd = p->listen_fd, .monitor_fd = monitor_fd, .grace_s = (int)grace_s};
	struct sandbox *sandbox = NULL;
	char address[ADDR_TEXT_MAX];
	struct err e;
	int status = -1;
	proc_set_name("ssh-listener");
	conf.bind = session_bind_new(p->host_key);
	if (!conf.bind)
		err_note(&e, EINVAL, "libssh does not take our algorithms");
	else if (login_self_test(conf.bind, &e) == 0 && sandbox_new(&sandbox, &e) == 0 &&
		 proc_lock_down(&e) == 0) {
		conf.sandbox = sandbox;
		log_info("accepting", log_text("address", addr_text(&listen_address.addr, address)),
			log_number("port", listen_address.port), log_number("monitor", monitor));
		status = listener_run(&conf, &e);
	}
	if (status < 0)
		log_error("the listener failed", log_err(&e));
	exit(status < 0 ? EXIT_FAILURE : status);
}

// The rest of the skeleton runs in the monitor, our child. Either one's end is seen by the other
// on the socketpair, and ends it too; the death of the listener also comes as a signal.
static int fork_monitor(struct service *s, struct err *e)
{
	struct proxy *p = s->data;
	pid_t listener = getpid();
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_set(e, errno, "make a socketpair");
	pid_t monitor = fork();
	if (monitor < 0)
		return err_set(e, errno, "fork the monitor");
	if (monitor > 0) {
		close(pair[1]);
		listener_process(p, pair[0], monitor);
	}
	close(pair[0]);
	closep(&p->listen_fd);
	p->listener_fd = pair[1];
	ssh_key_free(TAKE_PTR(p->host_key));
	proc_set_name("ssh-monitor");
	return proc_die_with_parent(listener, SIGTERM, e);
}

static int start(struct service *s, struct err *e)
{
	struct proxy *p = s->data;
	return monitor_new(&(struct monitor_conf){.loop = s->loop,
				   .listener_fd = p->listener_fd,
				   .database = s->database,
				   .dial_path = p->dial_path,
				   .host_key = p->host_key_public},
		&p->monitor, e);
}

static int registered(struct service *s, const struct bus_identity *identity, struct err *e)
{
	struct proxy *p = s->data;
	(void)e;
	monitor_registered(p->monitor, identity->process_id);
	return 0;
}

static void scan(struct service *s)
{
	struct proxy *p = s->data;
	monitor_scan(p->monitor);
}

static void doorbell(struct service *s, const char *channel)
{
	(void)channel;
	struct proxy *p = s->data;
	monitor_doorbell(p->monitor);
}

static void stop(struct service *s)
{
	struct proxy *p = s->data;
	if (monitor_stop(p->monitor) != 0)
		program_leave_threads();
}

static const struct args_option options[] = {
	{.name = "listen",
		.type = ARGS_ADDRESS,
		.value = &listen_address,
		.arg = "ADDR:PORT",
		.help = "where users connect (default 127.0.0.1:2222)"},
	{.name = "login-grace",
		.type = ARGS_INT,
		.value = &grace_s,
		.arg = "SECONDS",
		.help = "how long a login may take (default 60)",
		.min = 1,
		.max = GRACE_MAX_S},
	{0},
};

static const struct program program = {
	.name = "ccp-sshproxy",
	.summary = "ccp-sshproxy lets users into their hosts by ssh.",
	.options = options,
	.bus_name = "sshproxy",
	.configure = configure,
	.listen = listen_start,
	.fork = fork_monitor,
	.start = start,
	.registered = registered,
	.scan = scan,
	.doorbell = doorbell,
	.stop = stop,
};

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
