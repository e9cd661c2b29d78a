// SPDX-License-Identifier: Apache-2.0
// What a start and a test of an exit have in common: a tunnel behind a closed wall, until its exit
// has answered.
#pragma once

#include "agent/host/run.h"
#include "agent/tunnel/tunnel.h"
#include "agent/verify/verify.h"
#include "lib/attr.h"

struct err;
struct evidence;
struct wait;

enum { BRING_UP_MS = 8000 }; // of which the exit has REACH_MS
enum { REACH_MS = 3000 };

// Loads the wall, closed, for what leaves through this exit.
_must_check_ int bring_up_wall(struct run *run, const struct exit_spec *exit, struct err *e);

// Starts the run's tunnel to the exit, which becomes the run's, and waits until that has answered,
// which the evidence gets as a check. As tunnel_kind.start and reach_wait.
_must_check_ int bring_up_tunnel(struct run *run, const struct exit_spec *exit,
	const struct tunnel_start *start, const struct verify_spec *inside, const struct wait *w,
	struct evidence *ev, struct err *e);

// As verify_run. If the exit names no MTU and its packets are lost the tunnel gets the largest MTU
// that passes, with a check `mtu`, and is verified again, until one does.
_must_check_ int bring_up_verify(struct run *run, const struct verify_spec *spec,
	const struct wait *w, struct evidence *ev, struct err *e);

// Says of TUNNEL_UNANSWERED which exit it is; with `key`, WireGuard's, what is to be registered
// there.
void bring_up_explain(const struct exit_spec *exit, const char *key, struct err *e);

// Before anything is asked through the tunnel: it is ours, and the wall in front of it is closed. 0
// when that could be found out (see ev->outcome).
_must_check_ int bring_up_examine(struct run *run, struct evidence *ev, struct err *e);
