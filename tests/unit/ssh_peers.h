// SPDX-License-Identifier: Apache-2.0
// A user's client and a container's sshd, both libssh, with a relay between them: all in one thread, so that a test says who
// reads and who does not.
#pragma once

#include <sys/socket.h>

#include <libssh/callbacks.h>
#include <libssh/server.h>

#include <poll.h>

#include "lib/mem.h"
#include "lib/wait.h"
#include "sshproxy/relay.h"
#include "sshproxy/side.h"
#include "tests/unit/unit.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum {
	PEERS_LIMIT_MS = 60000,
	PEERS_SOCKET_BYTES = 8 << 20, // what a server may send and its client does not read
};

//     client  ==  user | relay | host  ==  container
struct peers {
	struct side client, user, host, container;
	struct relay relay;
	bool client_reads, container_reads;
	struct wait limit;
};

static int fd_pair(int fds[2])
{
	int size = PEERS_SOCKET_BYTES;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ||
	       setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0;
}

static ssh_session server_new(int fd)
{
	static ssh_bind bind;
	bool no = false;
	if (!bind) {
		ssh_key key;
		bind = ssh_bind_new();
		assert_int_equal(ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key), SSH_OK);
		assert_int_equal(
			ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no), SSH_OK);
		assert_int_equal(
			ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key), SSH_OK);
	}
	ssh_session session = ssh_new();
	assert_int_equal(ssh_bind_accept_fd(bind, session, fd), SSH_OK);
	ssh_set_blocking(session, 0);
	ssh_set_auth_methods(session, SSH_AUTH_METHOD_NONE);
	return session;
}

static ssh_session client_new(int fd)
{
	ssh_session session = ssh_new();
	int no = 0;
	assert_int_equal(ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no), SSH_OK);
	assert_int_equal(ssh_options_set(session, SSH_OPTIONS_HOST, "peer"), SSH_OK);
	assert_int_equal(ssh_options_set(session, SSH_OPTIONS_USER, "user"), SSH_OK);
	assert_int_equal(ssh_options_set(session, SSH_OPTIONS_FD, &fd), SSH_OK);
	ssh_set_blocking(session, 0);
	return session;
}

// Lets a client log in to a server in the same thread.
static void connection_make(struct side *client, struct side *server)
{
	int fds[2];
	assert_return_code(fd_pair(fds), 0);
	*client = (struct side){.session = client_new(fds[0]), .fd = fds[0]};
	*server = (struct side){.session = server_new(fds[1]), .fd = fds[1]};
	int shaken = SSH_AGAIN, connected = SSH_AGAIN, authenticated = SSH_AUTH_AGAIN;
	while (shaken == SSH_AGAIN || connected == SSH_AGAIN) {
		if (connected == SSH_AGAIN)
			connected = ssh_connect(client->session);
		if (shaken == SSH_AGAIN)
			shaken = ssh_handle_key_exchange(server->session);
	}
	assert_int_equal(connected, SSH_OK);
	assert_int_equal(shaken, SSH_OK);
	side_attach(client);
	side_attach(server);
	while (authenticated == SSH_AUTH_AGAIN) {
		authenticated = ssh_userauth_none(client->session, NULL);
		ssh_message m = ssh_message_get(server->session);
		if (!m)
			continue;
		if (ssh_message_type(m) == SSH_REQUEST_AUTH)
			(void)ssh_message_auth_reply_success(m, 0);
		else
			(void)ssh_message_reply_default(m);
		ssh_message_free(m);
	}
	assert_int_equal(authenticated, SSH_AUTH_SUCCESS);
}

static void peers_init(struct peers *p)
{
	*p = (struct peers){.client_reads = true,
		.container_reads = true,
		.limit = wait_for(PEERS_LIMIT_MS, -1)};
	connection_make(&p->client, &p->user);
	connection_make(&p->host, &p->container);
	relay_init(&p->relay, p->user.session);
	relay_connect(&p->relay, p->host.session);
}

static void side_end(struct side *side)
{
	ssh_event_free(side->event);
	ssh_disconnect(side->session);
	ssh_free(side->session);
}

static void peers_done(struct peers *p)
{
	relay_done(&p->relay);
	side_end(&p->client);
	side_end(&p->user);
	side_end(&p->host);
	side_end(&p->container);
}

static void polled(struct side *side, bool may_read)
{
	struct pollfd fd = side_poll(side, may_read);
	assert_return_code(poll(&fd, 1, 0), 0);
	side->revents = fd.revents;
}

static void side_turn(struct side *side, bool may_read)
{
	polled(side, may_read);
	side_drive(side, may_read);
}

// One turn of each: what a child does between two sleeps, and the peers as they may.
static void peers_turn(struct peers *p)
{
	assert_true(wait_left_ms(&p->limit) > 0);
	side_turn(&p->client, p->client_reads);
	side_turn(&p->container, p->container_reads);
	polled(&p->user, relay_may_read_user(&p->relay));
	polled(&p->host, relay_may_read_host(&p->relay));
	side_drive(&p->user, relay_may_read_user(&p->relay));
	side_drive(&p->host, relay_may_read_host(&p->relay));
	do {
		ssh_message m;
		while (!relay_is_full(&p->relay) && (m = ssh_message_get(p->user.session)))
			relay_take(&p->relay, m);
	} while (relay_turn(&p->relay));
}

// Calls a non-blocking libssh function of a peer until it has an answer.
#define FINISH(p, call) \
	({ \
		int finish_; \
		while ((finish_ = (call)) == SSH_AGAIN) \
			peers_turn(p); \
		finish_; \
	})

// The container's next request, or an opening.
static ssh_message container_get(struct peers *p)
{
	ssh_message m;
	while (!(m = ssh_message_get(p->container.session)))
		peers_turn(p);
	return m;
}
