// SPDX-License-Identifier: Apache-2.0
// Child: its whole life, which is one connection of one user.
#pragma once

#include <stdnoreturn.h>

#include <libssh/server.h>

struct sandbox;

struct session_conf {
	ssh_bind bind; // with the proxy's host key and algorithms
	const struct sandbox *sandbox;
	int user_fd; // the accepted connection
	int monitor_fd; // our end of the socketpair
	int grace_s; // to log in
};

// Makes the ssh_bind that all children inherit: `host_key` is taken over. Only algorithms that
// ssh-audit does not fail; no configuration file has a say. NULL when libssh refuses.
ssh_bind session_bind_new(ssh_key host_key);

// In the child right after fork: enters the sandbox, exchanges keys, lets the user in, dials at the
// first channel, relays until one side ends, and exits.
noreturn void session_run(const struct session_conf *conf);
