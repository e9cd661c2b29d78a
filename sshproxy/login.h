// SPDX-License-Identifier: Apache-2.0
// Child: a user logs in; keys and passwords are put to the monitor.
#pragma once

#include <stdbool.h>

#include <libssh/libssh.h>

#include "sshproxy/message.h"

struct monitor_client;

enum {
	LOGIN_TRIES_MAX = 6, // wrong ones a connection, as OpenSSH's MaxAuthTries
};

struct login {
	struct monitor_client *monitor;
	unsigned failed; // keys and passwords that were not taken
	unsigned came, taken; // requests to log in, and those of them that login_take was given
	ssh_message none; // the first one, without credentials; NULL when there was none
	char sentence[MESSAGE_SENTENCE_SIZE]; // why LOGIN_REFUSED or LOGIN_FAILED
};

// `login` stays where it is until login_done: libssh's log is heard.
void login_init(struct login *login, ssh_session user, struct monitor_client *monitor);
void login_done(struct login *login);

enum login_outcome {
	LOGIN_MORE, // not yet
	LOGIN_DONE, // the user is in, and has been answered
	LOGIN_REFUSED, // end the connection with the sentence
	LOGIN_FAILED, // the same, for the user tried what is wrong too often
};

// Answers one message of the session and frees it.
enum login_outcome login_take(struct login *login, ssh_message message);

// Once no message waits: answers the requests of which libssh made none.
enum login_outcome login_poll(struct login *login);
