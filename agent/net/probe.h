// SPDX-License-Identifier: Apache-2.0
// Negative probes: packets that must not get out, sent from inside the namespace and counted
// exactly.
#pragma once

#include "lib/addr.h"
#include "lib/attr.h"

struct err;
struct evidence;
struct wall;

// The wall must be in this state while probing.
enum probe_wall { PROBE_CLOSED, PROBE_OPEN };

// Sends as the agent itself, with WALL_MARK_PROBE (treated as user traffic, counted apart), UDP and
// TCP opened nonblocking and closed at once: ordinary traffic, IPv6, DNS to another resolver, DNS
// over TLS and QUIC. Every counter must rise by exactly the probes that were sent, whatever users
// send meanwhile; with PROBE_OPEN the ordinary ones must pass, which is the positive control.
// Addresses are chosen from the wall's own spec: nothing outside is ever asked to answer. About 1
// ms, does not block.
//
// Adds one check `leak_closed` or `leak_open`, error code `leak`. Returns 0 when the probes could
// be sent and counted, whatever they showed, -1 when not (which is not a pass either).
_must_check_ int probe_run(
	struct wall *w, int ns_fd, enum probe_wall state, struct evidence *ev, struct err *e);
