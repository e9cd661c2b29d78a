// SPDX-License-Identifier: Apache-2.0
// What runs of a host: checked as a whole, adopted as a whole, ended as a whole.
#pragma once

#include <stdbool.h>

#include "agent/container.h"
#include "agent/host.h"
#include "agent/verify.h"
#include "lib/attr.h"
#include "lib/wait.h"

struct agent;
struct docker;
struct err;
struct evidence;

// The host must be taken for all of these.

// Names the host's container in Docker.
void live_name(const struct agent *a, const char *host_id, char ret[static CONTAINER_NAME_SIZE]);

// Ends everything: wall closed, processes, handed-out sockets, engine; the rules are never flushed
// and the container's file system stays. Works from what Docker knows when the agent knows nothing.
// Repeating it changes nothing. At most 20 s, not to be interrupted: half an end is the one thing
// that must not be left. *ret_exists tells whether there is a container; may be NULL.
_must_check_ int live_end(const struct agent *a, struct host *host, struct docker *d,
	bool *ret_exists, struct err *e);

// Looks at everything that makes the host proven and adds it to the evidence: that the container
// lives, engine, inventory, rules, the verification from inside; a full one also sends the negative
// probes. Changes nothing. Returns 0 when it ran (see ev->outcome), WAIT_CANCELED, or -1 when it
// could not (the evidence then says inconclusive).
_must_check_ int live_check(struct host *host, struct wall *wall, enum verify_kind kind,
	const struct wait *w, struct evidence *ev, struct err *e);

// Renews the proof after a check that passed. A wall that had closed by itself is probed again now
// that it is open, and the evidence gets the outcome.
_must_check_ int live_renew(struct host *host, struct evidence *ev, struct err *e);

// After a restart of the agent: finds namespace, engine, wall and open gate of a running container
// and makes the host live. Returns 0, WAIT_CANCELED, or -1 with the reason why it is not whole
// (then it is to be ended).
_must_check_ int live_adopt(const struct agent *a, struct host *host,
	const struct docker_container *c, const struct wait *w, struct err *e);

void live_link_spec(const struct host_spec *spec, struct link_spec *ret);
void live_wall_spec(const struct host_spec *spec, struct wall_spec *ret);
