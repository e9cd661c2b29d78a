// SPDX-License-Identifier: Apache-2.0
// Does what OpenSSH's client does not: `sshtool signal PORT USER KEY SIGNAL COMMAND` sends a signal
// to a command, `sshtool sha1 PORT USER KEY` signs with a hash that is not taken, and `sshtool sandbox
// ATTEMPT` tries in a child's sandbox what a child may not.
// uses: sshproxy/sandbox.c
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "sshproxy/sandbox.h"

enum { TIMEOUT_S = 10 };

static void set(ssh_session session, enum ssh_options_e option, const void *value)
{
	if (ssh_options_set(session, option, value) != SSH_OK)
		exit(EXIT_FAILURE);
}

static ssh_session session_begin(const char *port, const char *user)
{
	ssh_session session = ssh_new();
	long timeout_s = TIMEOUT_S;
	int no = 0;
	set(session, SSH_OPTIONS_PROCESS_CONFIG, &no);
	set(session, SSH_OPTIONS_HOST, "127.0.0.1");
	set(session, SSH_OPTIONS_PORT_STR, port);
	set(session, SSH_OPTIONS_USER, user);
	set(session, SSH_OPTIONS_TIMEOUT, &timeout_s);
	if (ssh_connect(session) != SSH_OK) {
		fprintf(stderr, "%s\n", ssh_get_error(session));
		exit(EXIT_FAILURE);
	}
	return session;
}

static ssh_key key_read(const char *path)
{
	ssh_key key = NULL;
	if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &key) != SSH_OK)
		exit(EXIT_FAILURE);
	return key;
}

static int sha1(char **argv)
{
	static const char *const words[] = {
		[SSH_AUTH_SUCCESS] = "success", [SSH_AUTH_DENIED] = "denied"};
	static const char *const types[] = {"ssh-rsa", "rsa-sha2-256"};
	ssh_session session = session_begin(argv[0], argv[1]);
	ssh_key key = key_read(argv[2]);
	if (ssh_userauth_none(session, NULL) != SSH_AUTH_DENIED)
		return EXIT_FAILURE;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		set(session, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, types[i]);
		int r = ssh_userauth_publickey(session, NULL, key);
		printf("%s %s\n", types[i], r >= 0 && r <= SSH_AUTH_DENIED ? words[r] : "nothing");
	}
	return EXIT_SUCCESS;
}

// Told after the output: libssh may see both at once.
static char end[64];

static void on_exit_signal(ssh_session session, ssh_channel channel, const char *name, int core,
	const char *text, const char *language, void *data)
{
	(void)session;
	(void)channel;
	(void)core;
	(void)text;
	(void)language;
	(void)data;
	snprintf(end, sizeof(end), "signal %s\n", name);
}

static void on_exit_status(ssh_session session, ssh_channel channel, int status, void *data)
{
	(void)session;
	(void)channel;
	(void)data;
	snprintf(end, sizeof(end), "status %d\n", status);
}

static int send_signal(char **argv)
{
	struct ssh_channel_callbacks_struct events = {
		.channel_exit_signal_function = on_exit_signal,
		.channel_exit_status_function = on_exit_status};
	ssh_session session = session_begin(argv[0], argv[1]);
	ssh_channel channel;
	char byte;
	if (ssh_userauth_publickey(session, NULL, key_read(argv[2])) != SSH_AUTH_SUCCESS ||
		!(channel = ssh_channel_new(session)))
		return EXIT_FAILURE;
	ssh_callbacks_init(&events);
	if (ssh_set_channel_callbacks(channel, &events) != SSH_OK ||
		ssh_channel_open_session(channel) != SSH_OK ||
		ssh_channel_request_exec(channel, argv[4]) != SSH_OK ||
		ssh_channel_read_timeout(channel, &byte, 1, 0, TIMEOUT_S * 1000) != 1 ||
		ssh_channel_request_send_signal(channel, argv[3]) != SSH_OK)
		return EXIT_FAILURE;
	while (ssh_channel_is_open(channel) &&
		ssh_channel_read_timeout(channel, &byte, 1, 0, TIMEOUT_S * 1000) > 0)
		putchar(byte);
	(void)ssh_channel_get_exit_status(channel); // waits for it, or for the close
	fputs(end, stdout);
	return EXIT_SUCCESS;
}

static pid_t parent; // getppid() is not allowed either

static void try_kill(void)
{
	(void)syscall(SYS_tgkill, parent, parent, 0);
}

static void try_owner(void)
{
	(void)fcntl(SANDBOX_FD_USER, F_SETOWN, parent);
}

static void try_nothing(void)
{
	(void)fcntl(SANDBOX_FD_USER, F_SETFL, O_NONBLOCK);
}

static int sandbox(char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} attempts[] = {{"kill", try_kill}, {"owner", try_owner}, {"nothing", try_nothing}};
	struct sandbox *sandbox;
	struct err e;
	int pair[2];
	parent = getppid();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || sandbox_new(&sandbox, &e) < 0 ||
		sandbox_enter(sandbox, pair[0], pair[1], &e) < 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		if (strcmp(argv[0], attempts[i].name) == 0)
			attempts[i].run();
	_exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int argc;
		int (*run)(char **argv);
	} commands[] = {{"sandbox", 1, sandbox}, {"sha1", 3, sha1}, {"signal", 5, send_signal}};
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (argc == commands[i].argc + 2 && strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argv + 2);
	return EXIT_FAILURE;
}
