// SPDX-License-Identifier: Apache-2.0
// One step of the live streams' reader: what it asks PostgreSQL, and what that answered.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/mem.h"

struct db;
struct err;
struct pg_result;

enum live_topic {
	LIVE_HOSTS,
	LIVE_TASKS,
	LIVE_EVENTS,
	LIVE_SESSIONS,
	LIVE_NODES,
	LIVE_TOPICS,
};
extern const char *const live_topics[LIVE_TOPICS];

// The columns of live.read(): see db/code/live/read.sql.
enum { LIVE_WHAT, LIVE_TOPIC, LIVE_USER, LIVE_DATA };
// Those of live.ended().
enum { LIVE_ENDED_LOGIN, LIVE_ENDED_CODE, LIVE_ENDED_SENTENCE };

enum {
	LIVE_GROUPS_MAX = 16,
	LIVE_LIST_MAX = 128 * 1024, // bytes of a list of ids
};

// What some who listen are told: they are at the same place.
struct live_group {
	char *cursor; // where; NULL: nowhere yet
	unsigned topics; // bits: those that any of them wants
	bool for_admins; // any of them is one
	struct str users; // the others: an array's text without its end
	struct pg_result *rows; // of live.read(), all up to the same place; NULL: not asked
};

struct live_read {
	struct live_group present; // those who listen; what they are not told by now is new to all
	struct live_group joining[LIVE_GROUPS_MAX]; // those who resume, by where they were
	size_t joining_count;
	struct str logins, roles; // of all of them: as `users`
	bool checks; // whether those logins live is asked in any case
	struct pg_result *ended; // those that do not; NULL: not asked
};

void live_read_init(struct live_read *read);
void live_read_done(struct live_read *read); // frees what it holds

void live_list_add(struct str *list, const char *word);

// Asks. 0, or as db_call. Afterwards the cursor may be handed out.
_must_check_ int live_read_run(struct live_read *read, struct db *db, struct err *e);

// Where all of them are then. After success.
const char *live_read_cursor(const struct live_read *read);
