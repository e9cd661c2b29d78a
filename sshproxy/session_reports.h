// SPDX-License-Identifier: Apache-2.0
// Monitor: what the database has to learn about sessions, and what it says about them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct err;
struct session_reports;
struct pool;

// All on the loop; the calls themselves run in the pool, whose threads have a connection each.
// With the database away everything stays queued and is tried again at the next scan.
struct session_reports_conf {
	struct pool *pool;
	const char *host_key; // the proxy's public host key, one line; kept by the caller
	// The live sessions as a PostgreSQL array "{uuid,...}", and for how many seconds each has been
	// silent as another, both on the heap.
	void (*sessions)(void *data, char **ret_ids, char **ret_silent_s);
	// The rules want this session's user to be told something.
	void (*say)(void *data, const char *session_id, const char *sentence);
	// The rules want this session to end.
	void (*end)(void *data, const char *session_id, const char *sentence);
	void *data;
};

// session.check is called at least so often. A doorbell brings it at once.
enum { SESSION_REPORTS_CHECK_MS = 5000 };

// Lives as long as the program.
struct session_reports *session_reports_new(const struct session_reports_conf *conf);

void session_reports_registered(struct session_reports *reports, int64_t process_id);
void session_reports_scan(struct session_reports *reports); // each second: does what is due
void session_reports_check(struct session_reports *reports); // the doorbell rang

// A session is over. The reason is one of ccp.sessions.end_reason.
void session_reports_add_ended(struct session_reports *reports, const char *session_id,
	const char *reason, uint64_t up_bytes, uint64_t down_bytes);

// A client that had not logged in left in a way that ccp.penalty_rules counts.
void session_reports_add_abandoned(
	struct session_reports *reports, const char *address, const char *name, const char *reason);
