// SPDX-License-Identifier: Apache-2.0
// A target's connection: it is asked once, what it answers is counted and not read.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/verify/verify_query.h"
#include "agent/verify/verify_request.h"
#include "lib/attr.h"

struct target {
	int fd; // -1: none, or it has ended
	size_t sent;
	size_t len;
	uint8_t request[REQUEST_MAX];
};

// Begins to connect a new, non-blocking TCP socket, which it takes, to the query's port. With a
// QUERY_SIZED no IP packet of it, either way, has more than the query's size. A failure is the query's.
void target_begin(struct target *t, struct query *q, int fd, const struct addr *address);

// Sends what there is room for, hears what has come, and keeps the query's traffic. The query is done when
// the whole request has arrived and as much of an answer as a packet can hold, or all of it; then its
// socket only waits for the other end.
void target_step(struct target *t, struct query *q, bool readable, bool writable);

enum { TARGET_ANSWER_MAX = 16384 }; // bytes that are heard

static inline bool target_wants_to_hear(const struct query *q)
{
	return q->traffic.heard < TARGET_ANSWER_MAX;
}

// To be connected, at first.
static inline bool target_wants_room(const struct target *t)
{
	return t->sent < t->len;
}
