// SPDX-License-Identifier: Apache-2.0
// A user logs in: keys and passwords are put to the authority.
#pragma once

#include <stdbool.h>

#include <libssh/libssh.h>

#include "sshproxy/message.h"

struct link;

enum {
	LOGIN_TRIES_MAX = 6, // wrong ones a connection, as OpenSSH's MaxAuthTries
};

struct login {
	struct link *link;
	unsigned failed; // keys and passwords that were not taken
	char sentence[MESSAGE_SENTENCE_SIZE]; // why LOGIN_REFUSED
};

void login_init(struct login *login, ssh_session user, struct link *link);

enum login_outcome {
	LOGIN_MORE, // not yet
	LOGIN_DONE, // the user has been told so and is in
	LOGIN_REFUSED, // end the connection with the sentence
};

// Answers one message of the session and frees it.
enum login_outcome login_take(struct login *login, ssh_message message);
