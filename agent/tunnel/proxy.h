// SPDX-License-Identifier: Apache-2.0
// The tunnel kind "proxy": sing-box carries each host's connections to a proxy, from inside the cage.
#pragma once

#include "agent/tunnel/tunnel.h"
#include "lib/attr.h"

struct err;

// One process for each tunnel, with a user of its own, CAP_NET_ADMIN, the seccomp filter of
// proxy_seccomp.h and the group that the cage lets through. It is told what to do by stdin, in a file
// that has no name and is emptied once it was read. The group of its record (engine.h) has that user's
// number, so that whose doors they were is known when it is dead; no process has that group.
extern const struct tunnel_kind proxy_kind;

// Closes the doors of engines that are not on record: those that an agent left which died between two
// lines. env->cage is loaded.
_must_check_ int proxy_doors_sweep(const struct tunnel_env *env, struct err *e);
