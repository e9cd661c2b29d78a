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
#include "sshproxy/acceptor.h"
#include "sshproxy/authority.h"
#include "sshproxy/cage.h"
#include "sshproxy/hostkey.h"
#include "sshproxy/session.h"

enum { BACKLOG = 256, GRACE_S = 60, GRACE_MAX_S = 600 };

static struct addr_port listen_address = {.addr = ADDR_V4(127, 0, 0, 1), .port = 2222};
static int64_t grace_s = GRACE_S;

struct proxy {
	int listen_fd;
	int acceptor_fd; // the authority's end
	ssh_key host_key;
	char *host_key_public;
	char *dial_path;
	struct authority *authority;
};

static int configure(struct service *s, struct err *e)
{
	struct proxy *p = xnew(struct proxy);
	_cleanup_(freep) char *path = xasprintf("%s/sshproxy/host_key", s->state_dir);
	s->data = p;
	p->dial_path = xasprintf("%s/run/dial.sock", s->state_dir);
	if (hostkey_load(path, &p->host_key, e) < 0)
		return -1;
	return hostkey_public(p->host_key, &p->host_key_public, e);
}

static int listen_start(struct service *s, struct err *e)
{
	struct proxy *p = s->data;
	return sock_listen_tcp(&listen_address, BACKLOG, &p->listen_fd, e);
}

// The process that the supervisor knows becomes the acceptor and never returns.
static noreturn void acceptor_process(struct proxy *p, int authority_fd, pid_t authority)
{
	struct acceptor_conf conf = {
		.listen_fd = p->listen_fd, .authority_fd = authority_fd, .grace_s = (int)grace_s};
	struct cage *cage = NULL;
	char address[ADDR_TEXT_MAX];
	struct err e;
	int status = -1;
	proc_set_name("ssh-acceptor");
	conf.bind = session_bind_new(p->host_key);
	if (!conf.bind)
		err_note(&e, EINVAL, "libssh does not take our algorithms");
	else if (cage_new(&cage, &e) == 0 && proc_lock_down(&e) == 0) {
		conf.cage = cage;
		log_info("accepting", log_text("address", addr_text(&listen_address.addr, address)),
			log_number("port", listen_address.port),
			log_number("authority", authority));
		status = acceptor_run(&conf, &e);
	}
	if (status < 0)
		log_error("the acceptor failed", log_err(&e));
	exit(status < 0 ? EXIT_FAILURE : status);
}

// The rest of the skeleton runs in the authority, our child. Either one's end is seen by the other
// on the socketpair, and ends it too; the death of the acceptor also comes as a signal.
static int fork_authority(struct service *s, struct err *e)
{
	struct proxy *p = s->data;
	pid_t acceptor = getpid();
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_set(e, errno, "make a socketpair");
	pid_t authority = fork();
	if (authority < 0)
		return err_set(e, errno, "fork the authority");
	if (authority > 0) {
		close(pair[1]);
		acceptor_process(p, pair[0], authority);
	}
	close(pair[0]);
	closep(&p->listen_fd);
	p->acceptor_fd = pair[1];
	ssh_key_free(TAKE_PTR(p->host_key));
	proc_set_name("ssh-authority");
	return proc_die_with_parent(acceptor, SIGTERM, e);
}

static int start(struct service *s, struct err *e)
{
	struct proxy *p = s->data;
	return authority_new(&(struct authority_conf){.loop = s->loop,
				     .acceptor_fd = p->acceptor_fd,
				     .database = s->database,
				     .dial_path = p->dial_path,
				     .host_key = p->host_key_public},
		&p->authority, e);
}

static void registered(void *data, const struct bus_identity *identity)
{
	const struct service *s = data;
	struct proxy *p = s->data;
	authority_registered(p->authority, identity->process_id);
}

static void scan(void *data)
{
	const struct service *s = data;
	struct proxy *p = s->data;
	authority_scan(p->authority);
}

static void doorbell(void *data, const char *channel)
{
	const struct service *s = data;
	struct proxy *p = s->data;
	(void)channel;
	authority_doorbell(p->authority);
}

static void stop(struct service *s)
{
	struct proxy *p = s->data;
	if (authority_stop(p->authority) != 0) {
		log_error("a thread did not end in time, leaving without it");
		_exit(EXIT_FAILURE);
	}
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
	.hooks = {.registered = registered, .scan = scan, .doorbell = doorbell},
	.configure = configure,
	.listen = listen_start,
	.fork = fork_authority,
	.start = start,
	.stop = stop,
};

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
