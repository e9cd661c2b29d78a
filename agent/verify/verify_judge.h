// SPDX-License-Identifier: Apache-2.0
// Judges a verification by the state of its queries: which checks have ended, and how.
#pragma once

#include <stdbool.h>

#include "agent/verify/verify_query.h"

// The queries of one kind, counted.
struct tally {
	int done, failed, open; // open: not known yet
	int heard; // at least a byte came of the answer
	int wrong; // of those that failed: the resolver answered, and not rightly
	int by_tcp; // not done, but the resolver answered over TCP
	int equal; // echo answers with the expected address
	const struct query *different; // an echo answer with another one; or NULL
	const struct query *first_failed; // or NULL
};

// What is known of packets of the tunnel's full size.
struct sizes {
	const struct query *passed; // a target that has answered to such packets; or NULL
	bool filled; // and its answer filled one
	bool open; // a target that is connected may still answer
	const struct query *stuck; // one that answers if it is asked in other packets; or NULL
	int fits; // with `stuck`: the largest of those; 0: it answers to small requests
	bool there, back; // with `stuck`: which way packets are lost
};

struct tallies {
	struct tally echo, targets, names;
	struct sizes sizes;
};
struct tallies tallies_of(const struct verify_spec *spec, const struct queries *q);

// Equal echo answers that prove the exit address.
bool judge_has_enough(const struct verify_spec *spec, const struct tallies *t);

// Has this check's outcome been decided? `lingered`: enough equal answers came a while ago, so a
// source that disagrees would have been heard.
bool judge_has_ended(const struct tallies *t, enum verify_check check, bool lingered);

// Every check has ended, or one echo answer decides at once.
bool judge_is_over(const struct tallies *t, bool lingered);

// Fills in everything but the checks' times. Queries that are still open count as unanswered.
void judge(const struct verify_spec *spec, const struct tallies *t, struct verify_result *ret);
