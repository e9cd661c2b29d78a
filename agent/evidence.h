// SPDX-License-Identifier: Apache-2.0
// What was checked, what came out, how long it took: collected check by check, stored as one
// verification.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "lib/attr.h"

// In rising order of weight: the heaviest outcome of all checks is the verification's.
enum outcome { OUTCOME_PASSED, OUTCOME_INCONCLUSIVE, OUTCOME_FAILED };

const char *outcome_name(
	enum outcome o); // "passed", "inconclusive", "failed": as in ccp.verifications
int outcome_by_name(const char *name); // -1 for another word

// One verification in the making. Everything that checks something (verify, probe, link, the
// engine's age) adds to the same evidence, and the caller stores it with
// verification.record(outcome, code, observed_ip, checks, duration).
//
//     _cleanup_(evidence_done) struct evidence ev;
//     evidence_init(&ev);
//     ...
//     evidence_add(&ev, "inventory", OUTCOME_FAILED, "inventory", us, "a device eth0 is there");
struct evidence {
	enum outcome outcome;
	char code[32]; // error code of the first check with that outcome; "" while all passed
	char sentence[256]; // that check's detail, for the task's error and the event; "" while all
		// passed
	int fits; // of a check `full_size` that failed: the largest packets that pass; 0: none of its sizes
	char observed_ip[52]; // the exit address that was seen, "" if none
	cJSON *checks; // [{"name","outcome","ms","detail"}]; ms with one decimal
	int64_t started_us; // wait_now_us() at evidence_init
};

void evidence_init(struct evidence *ev);
void evidence_done(struct evidence *ev);

// `code` is one of the agent's error codes, NULL only with OUTCOME_PASSED. `took_us` is the check's
// own duration.
_printf_(6, 7) void evidence_add(struct evidence *ev, const char *name, enum outcome outcome,
	const char *code, int64_t took_us, const char *detail, ...);

// Was the exit address seen, and did everything pass but, at most, a check `dns` or `dns6` that is
// inconclusive? Then all that a proof promises was shown: where the host's packets go.
bool evidence_proves_exit(const struct evidence *ev);

// Adds all that `from` holds, as if it had been added here. `from` is empty afterwards.
void evidence_take(struct evidence *ev, struct evidence *from);

int evidence_duration_ms(const struct evidence *ev); // since evidence_init
