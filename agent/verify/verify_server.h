// SPDX-License-Identifier: Apache-2.0
// Where verify children come from: `ccp-agent verify`, a process that has loaded what they need and
// forks one for each verification. To load and bind the libraries costs more than to verify.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"

struct err;
struct wait;

// A child at work. Its socket takes the specification (until shutdown) and gives the report (until
// end of file).
struct verify_child {
	int socket_fd, pidfd;
	struct verify_server *server;
};

#define VERIFY_CHILD_INIT \
	{ \
		.socket_fd = -1, .pidfd = -1 \
	}

// Has a child made for that namespace, from any thread; the first call starts the server, and one
// whose server has ended starts another. 0; SOCK_CLOSED: it died at once; WAIT_TIMEOUT,
// WAIT_CANCELED, -1. In every case the caller ends it.
_must_check_ int verify_child_begin(
	int ns_fd, const struct wait *w, struct verify_child *ret, struct err *e);

// Kills the child unless it has ended, and returns when it has.
void verify_child_end(struct verify_child *child);

// The server's loop: requests on stdin, until the agent is gone. `verify` is a child's whole life and
// does not return; it inherits nothing of the agent or of another child but the libraries' memory.
// The address space of a child that crashed is never used for another: the crash may have told how
// it is laid out. Without `again` it takes one request only: another process may be able to do what
// this one is not.
void verify_server_run(void (*verify)(int ns_fd, int socket_fd), bool again);
