// SPDX-License-Identifier: Apache-2.0
// Does the exit answer? Asked through the tunnel, without waiting, of an exit that shows no greeting of its own.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/attr.h"

struct err;

// A datagram to the exit's resolver from the namespace, by a socket that passes a closed wall. It
// asks for localhost, which a resolver knows by itself (RFC 6761, section 6.3), so nothing else is
// asked. What it answers does not matter, but for SERVFAIL, which an engine may say in its place.
struct exit_ask {
	int fd;
	struct addr resolver;
	uint16_t id; // of the latest question
	unsigned unanswered; // questions since the last answer
	bool heard; // an answer has come since it was last looked for
};
#define EXIT_ASK_INIT ((struct exit_ask){.fd = -1})

_must_check_ int exit_ask_open(
	int ns_fd, const struct addr *resolver, struct exit_ask *ret, struct err *e);
void exit_ask_close(struct exit_ask *a);

// Asks once more, if that can be sent. After two questions in a row without an answer they come from another
// port: a server that was started again does not know what was agreed for the old one.
void exit_ask_send(struct exit_ask *a);

// Has any of the last two questions been answered since this was last asked, or has there been none?
bool exit_ask_answered(struct exit_ask *a);
