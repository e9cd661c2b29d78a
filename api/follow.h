// SPDX-License-Identifier: Apache-2.0
// Streams that wait for more to be written: the doorbell lets them look, and a while without it too.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/loop.h"

struct err;
struct followers;

enum {
	FOLLOW_PAUSE_MS = 1000, // between two looks of one, however often it rings
	FOLLOW_LONGEST_MS = 15000, // then it looks without the bell, which may be lost
};

// In the stream's own struct. All on the HTTP thread, but follower_begin.
struct follower {
	void (*look)(struct follower *follower); // the owner's: the wait is over
	struct followers *all;
	struct follower *next, *prev; // of those who wait
	struct loop_source *timer; // NULL: it never waited
	unsigned rings; // heard of before it looked last
	int64_t looked_ms;
	bool waits;
};

struct followers *followers_new(void);
void followers_free(struct followers *all); // when the HTTP thread has ended

// The doorbell ccp_event rang. From any thread.
void followers_ring(struct followers *all);

// The program stops: those who wait look at once, and wait no longer. From any thread.
void followers_stop(struct followers *all);

// Before each look, so that what rings during it is not missed. From any thread.
void follower_begin(struct follower *follower, struct followers *all);

// Waits, and calls `look`. -1: not when the program stops, or when there is no descriptor for a timer.
_must_check_ int follower_wait(struct follower *follower, struct loop *loop, struct err *e);

void follower_done(struct follower *follower);
