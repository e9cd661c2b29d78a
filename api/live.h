// SPDX-License-Identifier: Apache-2.0
// The live streams: one reader asks PostgreSQL for all who listen, and each is told what it may know.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"

struct app;
struct err;
struct live;
struct request;

enum {
	LIVE_TICK_MS = 500, // at least so often it reads, and asks whether the logins live
	LIVE_HEARTBEAT_MS = 15000, // who has not been told anything for so long is told where it is
	LIVE_CHEAP_MS = 10, // a read that takes no longer is followed by the next without a pause
	LIVE_PAUSE_MAX_MS = 1000, // between two reads, however dear they are
};

// The reader's thread, with its own connection to the database; it connects with the first stream.
_must_check_ int live_new(struct app *app, struct live **ret, struct err *e);

// The doorbell ccp_event rang. From any thread.
void live_ring(struct live *live);

// All streams end, in an orderly way, and no new one begins. The reader ends. 0, or POOL_LATE. On the
// main loop.
_must_check_ int live_stop(struct live *live, int timeout_ms);

// When the HTTP thread has ended.
void live_free(struct live *live);

// Answers a request with a stream. `topics` are bits of enum live_topic; `cursor` is where the client
// was, NULL: nowhere. In a step.
void live_listen(struct request *r, unsigned topics, const char *cursor);
