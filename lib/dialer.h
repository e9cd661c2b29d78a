// SPDX-License-Identifier: Apache-2.0
// The client of the agent's dial socket: one call, on the loop, without waiting.
#pragma once

#include "lib/attr.h"
#include "lib/dial.h"

struct err;
struct loop;
struct dialer;

enum { DIALER_TIMEOUT_MS = 6000 }; // the agent gives up after 5 s

// Called once, from the loop; the dialer frees itself afterwards. `reply` is NULL when there was no
// answer in time or none that makes sense. `fds` are the callee's when the outcome is DIAL_OK, else
// -1.
typedef void dialer_done(void *data, const struct dial_reply *reply, int fds[static DIAL_FD_COUNT]);

// Asks for the container's sshd on behalf of a session. The pointer is for dialer_cancel.
_must_check_ int dialer_start(struct loop *loop, const char *path, const char *session_id,
	dialer_done *done, void *data, struct dialer **ret, struct err *e);
void dialer_cancel(struct dialer *dialer); // `done` is not called; NULL is fine
