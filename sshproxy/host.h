// SPDX-License-Identifier: Apache-2.0
// Child: the proxy's own login to the container, on a descriptor that the agent made.
#pragma once

#include <libssh/libssh.h>

#include "lib/attr.h"

struct err;

enum {
	HOST_TIMEOUT_S = 10, // each step: key exchange, login
	HOST_KEY_FILE_MAX = 4096, // most bytes of a private key
};

struct host_dialled {
	int socket_fd; // connected to the container's sshd
	int client_key_fd; // memfd with the private key that logs in as `dev`
	const char *host_key; // the container's public host key, "ssh-ed25519 AAAA..."
};

// Logs in as `dev`. The container's host key must be exactly the given one: a user's process could
// have taken the port. Blocks, at most a few times HOST_TIMEOUT_S. The session comes back
// non-blocking; end it with host_logout. The descriptors stay the caller's, and the socket must
// outlive the session.
_must_check_ int host_login(const struct host_dialled *dialled, ssh_session *ret, struct err *e);
void host_logout(ssh_session session); // NULL is fine
