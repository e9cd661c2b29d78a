// SPDX-License-Identifier: Apache-2.0
// Guards what runs: checks in time, after every change, and when the engine dies. Also looks at
// Docker when something happened there or a container's process dies.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct agent;
struct checks;
struct docker;
struct err;
struct evidence;
struct host;
struct host_spec;

// One guard per run of a host, on the main loop: timers for light and full checks, watches on
// devices, rules and the engine. Checks themselves run in the agent's check pool and give way to
// tasks.
enum {
	CHECK_AGAIN_S = 5, // after an inconclusive one
	CHECK_INCONCLUSIVE_MAX = 3, // so many in a row fail
};

_must_check_ int checks_new(struct agent *a, struct checks **ret, struct err *e);
void checks_free(struct checks *checks); // on the loop, after the pools have ended

// Begins to guard a host that has just become live. Its holder calls it, from any thread.
_must_check_ int checks_begin(struct checks *checks, const struct host *host, struct err *e);

// Stops guarding that run (0: none). From any thread; watches close soon after.
void checks_end(struct checks *checks, uint64_t run);

// Judges a verification of a live host that was just made: renews the proof, or counts, or ends the
// host, and puts everything that is not a light pass into the outbox. Only the holder. Returns true
// while the host lives on.
bool check_judge(struct agent *a, struct host *host, struct docker *d, const char *kind,
	const char *task_id, struct evidence *ev);

// Takes what SQL says now of a host. One that runs and whose exit or verification is another now is
// checked fully at once, with the new periods and a proof of the new life. Only the holder.
void check_learn(struct agent *a, struct host *host, struct host_spec *spec);

// Compares a host with what Docker says and puts right what differs: a container that died is
// cleaned up after, one that somebody else started is stopped. The first look at a host adopts what
// runs since before the agent's own start, whole, or ends it. Ends with an observation. While
// somebody works on the host the look waits, and it is repeated until Docker has answered. From any
// thread.
void check_look(struct agent *a, const char *host_id);

// Removes what lies in the trash, in slices. From any thread.
void check_empty_trash(struct agent *a);
