// SPDX-License-Identifier: Apache-2.0
// The process that owns the listening port: forks a child per connection before any byte is read.
#pragma once

#include <libssh/server.h>

#include "lib/attr.h"

struct cage;
struct err;

struct acceptor_conf {
	int listen_fd;
	int authority_fd; // our end of the socketpair with the authority; its end means ours
	ssh_bind bind;
	const struct cage *cage;
	int grace_s;
};

// Runs until SIGTERM, SIGINT or the authority's death. Returns the exit status: 0 when asked to
// stop.
_must_check_ int acceptor_run(const struct acceptor_conf *conf, struct err *e);
