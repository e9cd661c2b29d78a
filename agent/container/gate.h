// SPDX-License-Identifier: Apache-2.0
// The agent's half of the gate: speaks to ccp-init in a container's namespace.
#pragma once

#include "agent/container/gate_wire.h"
#include "agent/container/pid1.h"
#include "lib/attr.h"
#include "lib/wait.h"

struct err;

// What it means that a container's PID 1 has ended with this status, to be put behind it: "" or
// ": it could not ...".
const char *gate_status_text(int status);

// Connects to @ccp-gate inside the namespace and checks by SO_PEERCRED that the listener is p->pid
// and p->uid: the kernel keeps who called listen(), so nothing else in the container can pose as its
// PID 1, and none with other ids than it was to have. Then pid1_prove says whether that is ccp-init: no word of a gate is heard before. Waits for
// ccp-init to come up until w ends. Returns 0 with a descriptor that the caller closes,
// WAIT_TIMEOUT, WAIT_CANCELED, or -1 (EPERM: another process or program listens there).
_must_check_ int gate_connect(
	const struct pid1 *p, const struct wait *w, int *ret_fd, struct err *e);

// Asks (GATE_ASK) or opens (GATE_OPEN) and returns the state it has then, and the last words said
// inside, made fit for one line of a log.
_must_check_ int gate_say(
	int fd, enum gate_word word, const struct wait *w, struct gate_answer *ret, struct err *e);

// Waits until ccp-init reports that sshd listens, and keeps its last answer in *seen. Call it after
// gate_say(GATE_OPEN) unless its answer was that already.
_must_check_ int gate_wait_sshd(
	int fd, const struct wait *w, struct gate_answer *seen, struct err *e);
