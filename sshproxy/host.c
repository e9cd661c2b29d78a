// SPDX-License-Identifier: Apache-2.0
// Child: logs in to the container's sshd.
#include "sshproxy/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <libssh/server.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "sshproxy/key.h"

static int say(ssh_session session, const char *what, struct err *e)
{
	return err_say(e, EPROTO, "%s: %s", what, ssh_get_error(session));
}

static int host_key_parse(const char *line, ssh_key *ret, struct err *e)
{
	char type[64], blob[1024];
	if (sscanf(line, "%63s %1023s", type, blob) != 2 ||
		ssh_pki_import_pubkey_base64(blob, ssh_key_type_from_name(type), ret) != SSH_OK)
		return err_say(e, EINVAL, "the container's host key is not a public key");
	return 0;
}

static int client_key_read(int fd, ssh_key *ret, struct err *e)
{
	char text[HOST_KEY_FILE_MAX];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return err_set(e, errno, "read the key for the container");
	text[n] = '\0';
	int r = ssh_pki_import_privkey_base64(text, NULL, NULL, NULL, ret);
	mem_wipe(text, sizeof(text));
	if (r != SSH_OK)
		return err_say(e, EINVAL, "the key for the container is not a private key");
	return 0;
}

static int set(ssh_session session, enum ssh_options_e option, const void *value, struct err *e)
{
	if (ssh_options_set(session, option, value) != SSH_OK)
		return say(session, "set an option of the container's session", e);
	return 0;
}

// No file of the system has a say: no configuration, no known hosts, no identities. AES-GCM first:
// the fastest with AES instructions, and both ends of this leg are ours.
static int options_set(ssh_session session, const struct host_dialled *dialled, struct err *e)
{
	static const struct {
		enum ssh_options_e option;
		const char *value;
	} texts[] = {
		{SSH_OPTIONS_HOST, "container"},
		{SSH_OPTIONS_USER, "dev"},
		{SSH_OPTIONS_SSH_DIR, "/nonexistent"},
		{SSH_OPTIONS_KNOWNHOSTS, "/dev/null"},
		{SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null"},
		{SSH_OPTIONS_KEY_EXCHANGE, "curve25519-sha256,curve25519-sha256@libssh.org"},
		{SSH_OPTIONS_HOSTKEYS, "ssh-ed25519"},
		{SSH_OPTIONS_CIPHERS_C_S, "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com"},
		{SSH_OPTIONS_CIPHERS_S_C, "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com"},
		{SSH_OPTIONS_HMAC_C_S, "hmac-sha2-256-etm@openssh.com"},
		{SSH_OPTIONS_HMAC_S_C, "hmac-sha2-256-etm@openssh.com"},
		{SSH_OPTIONS_COMPRESSION, "none"},
	};
	int no = 0;
	long timeout_s = HOST_TIMEOUT_S;
	if (set(session, SSH_OPTIONS_PROCESS_CONFIG, &no, e) < 0 ||
		set(session, SSH_OPTIONS_TIMEOUT, &timeout_s, e) < 0 ||
		set(session, SSH_OPTIONS_FD, &dialled->socket_fd, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (set(session, texts[i].option, texts[i].value, e) < 0)
			return -1;
	return 0;
}

static int host_key_check(ssh_session session, const ssh_key pinned, struct err *e)
{
	_cleanup_(ssh_key_freep) ssh_key shown = NULL;
	if (ssh_get_server_publickey(session, &shown) != SSH_OK)
		return say(session, "ask the container for its host key", e);
	if (ssh_key_cmp(shown, pinned, SSH_KEY_CMP_PUBLIC) != 0)
		return err_say(e, EPERM, "the container shows another host key than its own");
	return 0;
}

// What the container asks of us (agent, forwarding, its host keys): refused. For a channel libssh has
// one code, "administratively prohibited", and no text with it.
static int refuse(ssh_session session, ssh_message message, void *data)
{
	(void)session;
	(void)message;
	(void)data;
	return 1;
}

static int login(ssh_session session, const struct host_dialled *dialled, struct err *e)
{
	_cleanup_(ssh_key_freep) ssh_key pinned = NULL;
	_cleanup_(ssh_key_freep) ssh_key key = NULL;
	if (host_key_parse(dialled->host_key, &pinned, e) < 0 ||
		client_key_read(dialled->client_key_fd, &key, e) < 0 ||
		options_set(session, dialled, e) < 0)
		return -1;
	ssh_set_message_callback(session, refuse, NULL);
	if (ssh_connect(session) != SSH_OK)
		return say(session, "begin a session with the container", e);
	if (host_key_check(session, pinned, e) < 0)
		return -1;
	if (ssh_userauth_publickey(session, NULL, key) != SSH_AUTH_SUCCESS)
		return say(session, "log in to the container", e);
	ssh_set_blocking(session, 0);
	return 0;
}

int host_login(const struct host_dialled *dialled, ssh_session *ret, struct err *e)
{
	ssh_session session = ssh_new();
	if (!session)
		return err_say(e, ENOMEM, "no memory for a session");
	if (login(session, dialled, e) < 0) {
		host_logout(session);
		return -1;
	}
	*ret = session;
	return 0;
}

void host_logout(ssh_session session)
{
	if (!session)
		return;
	ssh_disconnect(session);
	ssh_free(session);
}
