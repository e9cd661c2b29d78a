// SPDX-License-Identifier: Apache-2.0
// Asks the tunnel of a run every few seconds whether it works.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;
struct host;
struct pulse;

// Part of a run's guard. It never waits and takes no host, so what is frozen or busy delays no other's.
// What it hears is no evidence: one that is silent twice in a row is to be checked, and one whose exit
// is silent twice in a row is renewed, if its kind can (tunnel_kind.renew), by the agent's check pool, and then
// checked.
enum {
	PULSE_MS = 3000, // from one to the next
	PULSE_ANSWER_MS = 500, // from a question to its answer
	PULSE_DOUBT_MS = 1000, // to the next when this one was not well
};

// Opens what asks the tunnel of the host's run. Its holder calls it, from any thread.
_must_check_ int pulse_new(struct agent *a, const struct host *host, void (*silent)(void *data),
	void *data, struct pulse **ret, struct err *e);

// Begins to ask. On the loop, on which `silent` is then called with `data`.
_must_check_ int pulse_begin(struct pulse *p, struct err *e);

// On the loop, where `silent` is called no more. It is freed as soon as nothing of it runs.
void pulse_end(struct pulse *p);

// At once: it has not begun, or the check pool and the loop have ended. NULL is fine.
void pulse_free(struct pulse *p);
