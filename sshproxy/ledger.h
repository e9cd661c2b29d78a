// SPDX-License-Identifier: Apache-2.0
// What the database has to learn about sessions, and what it says about them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct err;
struct ledger;
struct pool;

// All on the loop; the calls themselves run in the pool, whose threads' context is a struct db.
// With the database away everything stays noted and is tried again at the next scan.
struct ledger_conf {
	struct pool *pool;
	const char *host_key; // the proxy's public host key, one line; kept by the caller
	// The live sessions as a PostgreSQL array "{uuid,...}" on the heap.
	char *(*sessions)(void *data);
	// The rules want this session to end.
	void (*end)(void *data, const char *session_id, const char *sentence);
	void *data;
};

enum { LEDGER_CHECK_MS = 5000 }; // session.check at least so often; a doorbell brings it at once

struct ledger *ledger_new(const struct ledger_conf *conf);
void ledger_free(struct ledger *ledger); // after its pool was stopped

void ledger_registered(struct ledger *ledger, int64_t process_id);
void ledger_scan(struct ledger *ledger); // each second: does what is due
void ledger_check(struct ledger *ledger); // the doorbell rang

// A session is over. The reason is a word of ccp.sessions.end_reason.
void ledger_session_ended(struct ledger *ledger, const char *session_id, const char *reason,
	uint64_t up_bytes, uint64_t down_bytes);

// Somebody who did not log in left in a way that ccp.penalty_rules counts.
void ledger_abandoned(
	struct ledger *ledger, const char *address, const char *name, const char *reason);
