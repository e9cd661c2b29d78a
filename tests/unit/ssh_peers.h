// SPDX-License-Identifier: Apache-2.0
// A client and a server, both libssh and not blocking, in one thread: a test says who does what, and when.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <libssh/callbacks.h>
#include <libssh/server.h>

#include "lib/mem.h"
#include "lib/wait.h"
#include "sshproxy/side.h"
#include "tests/unit/unit.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum {
	PEERS_LIMIT_MS = 60000,
	PEERS_SOCKET_BYTES = 8 << 20, // what a server may send and its client does not read
};

static inline int fd_pair(int fds[2])
{
	int size = PEERS_SOCKET_BYTES;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ||
	       setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0;
}

static inline ssh_bind bind_new(void)
{
	ssh_bind bind = ssh_bind_new();
	bool no = false;
	ssh_key key; // the bind takes it over
	assert_int_equal(ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key), SSH_OK);
	assert_int_equal(ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no), SSH_OK);
	assert_int_equal(ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key), SSH_OK);
	return bind;
}

static inline ssh_session server_new(int fd)
{
	ssh_bind bind = bind_new();
	ssh_session session = ssh_new();
	assert_int_equal(ssh_bind_accept_fd(bind, session, fd), SSH_OK);
	ssh_bind_free(bind);
	ssh_set_blocking(session, 0);
	ssh_set_auth_methods(session, SSH_AUTH_METHOD_NONE);
	return session;
}

static inline ssh_session client_new(int fd)
{
	ssh_session session = ssh_new();
	int no = 0;
	assert_int_equal(ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no), SSH_OK);
	assert_int_equal(ssh_options_set(session, SSH_OPTIONS_HOST, "peer"), SSH_OK);
	assert_int_equal(ssh_options_set(session, SSH_OPTIONS_USER, "abcdef"), SSH_OK);
	assert_int_equal(ssh_options_set(session, SSH_OPTIONS_FD, &fd), SSH_OK);
	ssh_set_blocking(session, 0);
	return session;
}

// Connects a client with a server and exchanges keys.
static inline void connection_begin(struct side *client, struct side *server)
{
	int fds[2];
	assert_return_code(fd_pair(fds), 0);
	*client = (struct side){.session = client_new(fds[0]), .fd = fds[0]};
	*server = (struct side){.session = server_new(fds[1]), .fd = fds[1]};
	int shaken = SSH_AGAIN, connected = SSH_AGAIN;
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
}

// The same, and lets the client in.
static inline void connection_make(struct side *client, struct side *server)
{
	int authenticated = SSH_AUTH_AGAIN;
	connection_begin(client, server);
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

static inline void side_end(struct side *side)
{
	ssh_event_free(side->event);
	ssh_disconnect(side->session);
	ssh_free(side->session);
}

static inline void side_polled(struct side *side, bool may_read)
{
	struct pollfd fd = side_poll(side, may_read);
	assert_return_code(poll(&fd, 1, 0), 0);
	side->revents = fd.revents;
}

static inline void side_turn(struct side *side, bool may_read)
{
	side_polled(side, may_read);
	side_drive(side, may_read);
}
