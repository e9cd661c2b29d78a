// SPDX-License-Identifier: Apache-2.0
// What runs of a host: its descriptors, checked as a whole, adopted as a whole.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/container/docker.h"
#include "agent/host/host_spec.h"
#include "agent/net/wall.h"
#include "agent/tunnel/tunnel.h"
#include "agent/verify/verify.h"
#include "lib/attr.h"
#include "lib/wait.h"

struct err;
struct evidence;
struct store;

// A proven container with an open gate. While it lives its descriptors keep its namespace alive, so
// it is ended explicitly (host_end).
struct run {
	uint64_t number; // of this run, unique in the agent's life; 0: nothing runs
	char container_id[DOCKER_ID_SIZE];
	char started_at[40];
	pid_t pid;
	int process_fd; // pidfd of the container's PID 1: readable when it has died
	int ns_fd;
	const struct tunnel_env *tunnels;
	struct tunnel tunnel;
	struct wall wall;
	struct exit_copy exit; // as it was when the tunnel was started, or adopted
	bool silent; // the next check was asked for by a tunnel or exit that does not answer
	uint64_t ssh_cookie; // of the listener that gave sshd's banner (sockdiag.h); 0: none yet
};
#define RUN_INIT \
	((struct run){.process_fd = -1, .ns_fd = -1, .tunnel = TUNNEL_INIT, .wall = WALL_INIT})

// Closes its descriptors and forgets its exit; what runs goes on.
void run_close(struct run *run);

// Its process has died, whatever Docker says.
bool run_is_dead(const struct run *run);

// Where its tunnel is; points into the run.
struct tunnel_place run_place(const struct run *run);

enum { RUN_CHECK_MS = 2 * VERIFY_TOTAL_MS + 2000 };

// Looks at everything that makes the host proven, with the exit that it had when it was started, and adds it to the evidence: that the container
// lives, tunnel, inventory, rules, the verification from inside; a full one also sends the negative
// probes. What is silent while the host itself sends is asked again with the wall closed for that long
// (check `own_traffic`), and sooner if it was known to be silent; else it changes nothing. Takes RUN_CHECK_MS at most. Returns 0 when it ran (see ev->outcome), WAIT_CANCELED, or -1 when it
// could not (the evidence then says inconclusive).
_must_check_ int run_check(struct run *run, const struct host_spec *spec, enum verify_kind kind,
	const struct wait *w, struct evidence *ev, struct err *e);

// Renews the proof after a check that passed. A wall that had closed by itself is probed again now
// that it is open, and the evidence gets the outcome.
_must_check_ int run_renew(struct run *run, int64_t life_ms, struct evidence *ev, struct err *e);

// What is found running after a restart of the agent.
struct run_found {
	const struct tunnel_env *tunnels;
	const struct store *store; // holds the file that its PID 1 must be executed from
	const struct host_spec *spec;
	const struct docker_container *container;
};

// Finds namespace, tunnel, wall, PID 1 (pid1.h) and open gate of a running container.
// Returns 0 with the run for host_set_run, WAIT_CANCELED, or -1 with the reason why it is not whole
// (then it is to be ended).
_must_check_ int run_adopt(
	const struct run_found *found, const struct wait *w, struct run *ret, struct err *e);
