// SPDX-License-Identifier: Apache-2.0
// How long a blocking call may take and what interrupts it; the same struct for every protocol.
#pragma once

#include <stdint.h>

#include "lib/attr.h"
#include "lib/outcome.h"

struct err;

// Everything in the product that blocks (db_call, http_do, proc_run, sock_recv, ...) takes a `const
// struct wait *` and, besides 0 and < 0, returns these outcomes. In both cases `e` holds a
// sentence, so a caller that does not care about the difference writes `if (r != 0) return r;`.
enum wait_outcome {
	WAIT_TIMEOUT = OUTCOMES_WAIT, // the deadline passed; e->code is ETIMEDOUT
	WAIT_CANCELED, // the cancel descriptor became readable; e->code is ECANCELED
};

struct wait {
	int64_t until_ms; // on the clock of wait_now_ms()
	int cancel_fd; // becomes readable (an eventfd that is never read) to give up; -1: none
};

// Milliseconds and microseconds of CLOCK_MONOTONIC.
int64_t wait_now_ms(void);
int64_t wait_now_us(void);

struct wait wait_for(int timeout_ms, int cancel_fd);

// The same cancel descriptor, and a deadline that is the earlier of w's and now + timeout_ms.
struct wait wait_at_most(const struct wait *w, int timeout_ms);

// Milliseconds left, 0 when the deadline has passed, never more than INT_MAX: an argument for
// poll().
int wait_left_ms(const struct wait *w);

// Waits until `fd` shows one of the poll() events (or an error or hang-up), or until w ends it.
// Returns 0, WAIT_TIMEOUT, WAIT_CANCELED; `what` names the thing in the sentence ("the agent's
// answer"). A cancellation that is already there wins over a ready descriptor.
_must_check_ int wait_fd(
	const struct wait *w, int fd, short events, const char *what, struct err *e);

// Waits out a pause. Returns 0 when `pause_ms` have passed, WAIT_TIMEOUT, WAIT_CANCELED.
_must_check_ int wait_pause(const struct wait *w, int pause_ms, struct err *e);
