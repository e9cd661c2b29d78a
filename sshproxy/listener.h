// SPDX-License-Identifier: Apache-2.0
// Listener: owns the port and forks a child per connection before any byte is read.
#pragma once

#include <libssh/server.h>

#include "lib/attr.h"

struct sandbox;
struct err;

struct listener_conf {
	int listen_fd;
	int monitor_fd; // our end of the socketpair with the monitor; its end means ours
	ssh_bind bind;
	const struct sandbox *sandbox;
	int grace_s;
};

// Runs until SIGTERM, SIGINT or the monitor's death. Returns the exit status: 0 when asked to
// stop.
_must_check_ int listener_run(const struct listener_conf *conf, struct err *e);
