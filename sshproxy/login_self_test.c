// SPDX-License-Identifier: Apache-2.0
// Listener: one login in memory that libssh drops.
#include "sshproxy/login_self_test.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include <libssh/libssh.h>

#include "lib/err.h"
#include "lib/wait.h"
#include "sshproxy/key.h"
#include "sshproxy/login.h"
#include "sshproxy/monitor_client.h"

enum { SELF_TEST_MS = 10000 };

struct self_test {
	ssh_session server, client;
	struct login login;
	struct monitor_client monitor; // nothing is asked
	struct wait limit;
};

static int server_new(struct self_test *t, ssh_bind bind, int fd)
{
	t->server = ssh_new();
	if (!t->server || ssh_bind_accept_fd(bind, t->server, fd) != SSH_OK)
		return -1;
	// of a key that is not RSA the signature is dropped
	if (ssh_options_set(t->server, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, "rsa-sha2-512") !=
		SSH_OK)
		return -1;
	ssh_set_blocking(t->server, 0);
	login_init(&t->login, t->server, &t->monitor);
	return 0;
}

static int client_new(struct self_test *t, int fd)
{
	int no = 0;
	t->client = ssh_new();
	if (!t->client || ssh_options_set(t->client, SSH_OPTIONS_PROCESS_CONFIG, &no) != SSH_OK ||
		ssh_options_set(t->client, SSH_OPTIONS_HOST, "self") != SSH_OK ||
		ssh_options_set(t->client, SSH_OPTIONS_USER, "self") != SSH_OK ||
		ssh_options_set(t->client, SSH_OPTIONS_FD, &fd) != SSH_OK)
		return -1;
	ssh_set_blocking(t->client, 0);
	return 0;
}

static bool is_late(const struct self_test *t)
{
	return wait_left_ms(&t->limit) == 0;
}

static bool keys_exchange(struct self_test *t)
{
	int server = SSH_AGAIN, client = SSH_AGAIN;
	while ((server == SSH_AGAIN || client == SSH_AGAIN) && !is_late(t)) {
		if (client == SSH_AGAIN)
			client = ssh_connect(t->client);
		if (server == SSH_AGAIN)
			server = ssh_handle_key_exchange(t->server);
	}
	return server == SSH_OK && client == SSH_OK;
}

static void server_turn(struct self_test *t)
{
	ssh_message m = ssh_message_get(t->server);
	if (m)
		(void)login_take(&t->login, m);
}

// The request without credentials, which the answer to a dropped one repeats.
static bool none_is_denied(struct self_test *t)
{
	int answer;
	while ((answer = ssh_userauth_none(t->client, NULL)) == SSH_AUTH_AGAIN && !is_late(t))
		server_turn(t);
	return answer == SSH_AUTH_DENIED && t->login.came == 1 && t->login.taken == 1;
}

static bool dropped_is_counted_and_answered(struct self_test *t, ssh_key key)
{
	int answer;
	while ((answer = ssh_userauth_publickey(t->client, NULL, key)) == SSH_AUTH_AGAIN &&
		t->login.came == 1 && !is_late(t))
		server_turn(t);
	if (answer != SSH_AUTH_AGAIN || t->login.came != 2 || t->login.taken != 1)
		return false;
	if (login_poll(&t->login) != LOGIN_MORE || t->login.failed != 1)
		return false;
	while ((answer = ssh_userauth_publickey(t->client, NULL, key)) == SSH_AUTH_AGAIN &&
		!is_late(t))
		server_turn(t);
	return answer == SSH_AUTH_DENIED && t->login.came == 2;
}

static bool passes(struct self_test *t, ssh_bind bind, const int fds[2])
{
	_cleanup_(ssh_key_freep) ssh_key key = NULL;
	return ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) == SSH_OK &&
	       server_new(t, bind, fds[0]) == 0 && client_new(t, fds[1]) == 0 && keys_exchange(t) &&
	       none_is_denied(t) && dropped_is_counted_and_answered(t, key);
}

int login_self_test(ssh_bind bind, struct err *e)
{
	struct self_test t = {.monitor = {.fd = -1}, .limit = wait_for(SELF_TEST_MS, -1)};
	int fds[2];
	if (!ssh_version(LIBSSH_VERSION_INT))
		return err_say(e, EINVAL,
			"libssh is older than %s, with which the program was built",
			SSH_STRINGIFY(LIBSSH_VERSION));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return err_set(e, errno, "make a socketpair");
	bool has_passed = passes(&t, bind, fds);
	login_done(&t.login);
	ssh_free(t.client); // closes its descriptor
	ssh_free(t.server);
	if (has_passed)
		return 0;
	return err_say(e, EINVAL,
		"libssh %s does not log what logins are counted by: the proxy must not run with it",
		ssh_version(0));
}
