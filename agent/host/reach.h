// SPDX-License-Identifier: Apache-2.0
// Waits until an exit has answered through a tunnel that was just started.
#pragma once

#include "agent/tunnel/tunnel.h"
#include "agent/verify/verify.h"
#include "lib/attr.h"

struct err;
struct wait;

// Asks the tunnel, or where that hears nothing (kind->reach is NULL) the exit itself with light
// verifications as `inside` says: whatever it answers is an answer. What it comes to is for others to judge.
// As tunnel_kind.reach; -1 also when nothing could be asked.
_must_check_ int reach_wait(const struct tunnel_place *place, struct tunnel *t,
	const struct verify_spec *inside, const struct wait *w, struct err *e);
