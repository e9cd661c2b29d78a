// SPDX-License-Identifier: Apache-2.0
// One PostgreSQL connection and the one way to call SQL: prepared, with a deadline, with a cancel
// descriptor.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/outcome.h"

struct err;
struct wait;
struct pg_result; // libpq's PGresult
struct db;

// A connection belongs to one thread at a time. It is made when first used, and again after it was
// lost: a call on a lost connection tries to connect once (2 s at most), unless the last try failed
// less than a pause ago (100 ms, doubling to 1 s): then it is DB_LOST at once. So with the database
// away every call ends soon, and it is not flooded with tries.
struct db_conf {
	const char *conninfo; // libpq's; copied
	const char *name; // application_name, shown in pg_stat_activity; copied
	int timeout_ms; // longest call; 0: DB_TIMEOUT_MS
};

enum {
	DB_TIMEOUT_MS = 3000,
	DB_CONNECT_TIMEOUT_MS = 2000,
	DB_PAUSE_MIN_MS = 100,
	DB_PAUSE_MAX_MS = 1000,
	DB_STATEMENTS_MAX = 256, // prepared at once on a connection
};

// Never fails and never connects.
struct db *db_new(const struct db_conf *conf);
void db_free(struct db *db);
void db_freep(struct db **db);

// A statement with its parameters, all in text form; NULL is SQL's NULL. Parameters go to the
// server apart from the statement and never into an error or a log. The types are the server's
// business: write casts ($1::bigint[]) only where it cannot know.
//
//     struct db_number lease = db_number(task->lease);
//     _cleanup_(db_result_freep) struct pg_result *rows = NULL;
//     const char *sql = "select task.hand_back($1, $2)";
//     int r = db_call(db, DB_CALL(sql, task->id, lease.text), &w, &rows, e);
struct db_call {
	const char *sql;
	const char *const *params;
	int params_count;
};

#define DB_CALL(statement, ...) \
	(&(const struct db_call){ \
		.sql = (statement), \
		.params = (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL}, \
		.params_count = \
			(int)(sizeof((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL}) / \
				sizeof(const char *)) - \
			1, \
	})

enum db_outcome {
	// no connection, or it broke: may or may not have happened, unless e->code is ENOTCONN (it
	// was never sent)
	DB_LOST = OUTCOMES_DB,
};

// Runs one statement.
//
//     0                            *ret holds the rows (`ret` may be NULL); db_result_freep frees them
//     -1                           SQL refused: e->sqlstate is set
//     WAIT_TIMEOUT, WAIT_CANCELED  the connection was closed and its server process is ended: it may
//                                  or may not have happened, but it does not happen later
//     DB_LOST                      as above
//
// Deadlocks and serialization failures (40P01, 40001) are tried again with the same arguments up to
// five times, and a statement whose function was replaced is prepared again once: callers never see
// these. The deadline is the earlier of w's and the connection's timeout_ms.
_must_check_ int db_call(struct db *db, const struct db_call *call, const struct wait *w,
	struct pg_result **ret, struct err *e);

// Runs several statements as one transaction, with one round trip and one commit (libpq's pipeline mode):
// the server answers them one after the other and commits at the end. On 0 each of rets[0..count - 1]
// holds the rows of its statement; otherwise they are NULL, and as for db_call -1 means that nothing
// has happened. Then `e` is what the first statement that was refused said, or the commit.
_must_check_ int db_pipeline(struct db *db, const struct db_call *calls, size_t count,
	const struct wait *w, struct pg_result **rets, struct err *e);

// true for every outcome after which the same call may be sent again later: the database is away,
// slow or restarting, or others were in the call's way however often it was tried.
bool db_is_away(int outcome, const struct err *e);

void db_result_freep(struct pg_result **rows);

// Rows and columns count from 0. A wrong index is a programmer's error and asserts. Texts live as
// long as the result.
int db_rows(const struct pg_result *rows);
const char *db_text(const struct pg_result *rows, int row, int column); // NULL for SQL's NULL
int64_t db_int(const struct pg_result *rows, int row,
	int column); // asserts that it is a whole number; NULL is 0
bool db_bool(const struct pg_result *rows, int row, int column); // NULL is false

// A bigint[] ("{1,2,3}"), NULL is empty. The caller frees *ret. Returns the count.
size_t db_int_array(const struct pg_result *rows, int row, int column, int64_t **ret);
char *db_int_array_text(const int64_t *numbers, size_t count); // "{1,2,3}" on the heap

// A number as a parameter. Keep the struct in a variable while the call runs.
struct db_number {
	char text[24];
};
struct db_number db_number(int64_t number);

// For state machines that drive a connection themselves (lib/bus.c): starts connecting with our
// keepalives, name and encoding. Returns libpq's PGconn in CONNECTION_STARTED or CONNECTION_BAD,
// never NULL.
struct pg_conn *db_connect_start(const char *conninfo, const char *name);
// Fills `e` from a failed result or from the connection's last error (rows NULL). Always returns
// -1.
_must_check_ int db_error(struct pg_conn *conn, const struct pg_result *rows, struct err *e);
