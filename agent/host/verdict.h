// SPDX-License-Identifier: Apache-2.0
// What is to become of a host, from what was found of it: tables, without any I/O.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/evidence.h"

// What an inspection has found, as bits.
enum inspection_fact {
	FOUND_CONTAINER = 1 << 0, // Docker has it
	FOUND_RUNNING = 1 << 1, // and says that it runs
	FOUND_RUN = 1 << 2, // the agent has a run of the host
	FOUND_SAME = 1 << 3, // the container is that run's: it has not been started again since
	FOUND_DEAD = 1 << 4, // the run's process has died, whatever Docker says
	FOUND_SEEN =
		1 << 5, // the host has been inspected, started or ended since the agent's start
	FOUND_WANTED = 1 << 6, // SQL has it as running, with an exit
	FOUND_UNUSABLE = 1 << 7, // what SQL says of it cannot be used, and never could
};

enum inspection_action {
	INSPECTION_KEEP, // it is as it was left
	INSPECTION_ADOPT, // it runs since before the agent's start: adopt it whole, or end it
	INSPECTION_END, // end what runs of it, if anything does
};

struct inspection_verdict {
	enum inspection_action action;
	const char *state; // to be observed: running, stopped or absent
	const char *code; // to be observed with it; NULL: none
	// The sentence; NULL: what cannot be used of the spec, or how the container has ended.
	const char *message;
};

// The verdict on these facts; there is one on any.
const struct inspection_verdict *verdict_of_inspection(unsigned facts);

// What becomes of a running host after a check.
enum check_verdict {
	CHECK_HOLDS, // it passed
	CHECK_UNKNOWN, // it did not show all: the host runs on
	CHECK_ENDS, // the host is ended
};
// So many in a row end it, if the first is that long ago: tasks may ask for checks as fast as they
// like, and a proxy that was started again is reached again only after some seconds.
enum { CHECK_INCONCLUSIVE_MAX = 3, CHECK_INCONCLUSIVE_MS = 15 * 1000 };

// A host's inconclusive checks in a row that did not prove its exit, those of tasks too.
struct unknown_checks {
	unsigned count;
	int64_t since_ms; // on wait_now_ms()'s clock; when count is 0, anything
};

enum check_verdict verdict_of_check(
	enum outcome outcome, bool exit_proven, int64_t now_ms, struct unknown_checks *unknown);
