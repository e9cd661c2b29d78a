// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL connection and db_call.
#include "lib/db.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum {
	TRIES_MAX = 6, // a call and five repetitions
	ARRAY_TEXT_MAX = 64 * 1024,
	REVOKE_TIMEOUT_MS = 500,
};

struct statement {
	char *sql;
	uint64_t hash;
	char name[24]; // "" until prepared
};

struct db {
	char *conninfo;
	char *name;
	int timeout_ms;
	PGconn *conn; // NULL: away
	int silent_pid; // server process that was left with a call unanswered; 0: none
	int pause_ms; // 0 after a good connection
	int64_t next_try_ms;
	char away[ERR_MESSAGE_MAX]; // why the last try failed
	uint64_t serial; // makes statement names unique within a connection
	bool deallocate; // the server still has statements that we have forgotten
	size_t statement_count;
	struct statement statements[DB_STATEMENTS_MAX];
};

struct db *db_new(const struct db_conf *conf)
{
	struct db *db = xnew(struct db);

	db->conninfo = xstrdup(conf->conninfo);
	db->name = xstrdup(conf->name);
	db->timeout_ms = conf->timeout_ms > 0 ? conf->timeout_ms : DB_TIMEOUT_MS;
	return db;
}

static void forget_statements(struct db *db)
{
	for (size_t i = 0; i < db->statement_count; i++)
		free(db->statements[i].sql);
	db->statement_count = 0;
	db->deallocate = true;
}

static void db_close(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	forget_statements(db);
	db->deallocate = false;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	db_close(db);
	free(db->conninfo);
	free(db->name);
	free(db);
}

void db_freep(struct db **db)
{
	db_free(*db);
}

static void ignore_notice(void *data, const char *message)
{
	(void)data;
	(void)message;
}

PGconn *db_connect_start(const char *conninfo, const char *name)
{
	// A later keyword wins: the conninfo may override what stands before it.
	const char *const keywords[] = {"keepalives", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "gssencmode", "dbname", "application_name",
		"client_encoding", NULL};
	const char *const values[] = {
		"1", "10", "5", "3", "25000", "disable", conninfo, name, "UTF8", NULL};
	PGconn *conn = PQconnectStartParams(keywords, values, 1);

	if (!conn)
		abort(); // out of memory
	PQsetNoticeProcessor(conn, ignore_notice, NULL);
	PQsetnonblocking(conn, 1);
	return conn;
}

int db_error(PGconn *conn, const PGresult *rows, struct err *e)
{
	const char *sqlstate = rows ? PQresultErrorField(rows, PG_DIAG_SQLSTATE) : NULL;
	const char *message = rows ? PQresultErrorField(rows, PG_DIAG_MESSAGE_PRIMARY) : NULL;

	if (sqlstate && strlen(sqlstate) == 5)
		return err_sql(e, sqlstate, message ? message : "(no message)",
			PQresultErrorField(rows, PG_DIAG_MESSAGE_DETAIL),
			PQresultErrorField(rows, PG_DIAG_MESSAGE_HINT));
	message = PQerrorMessage(conn);
	size_t len = strcspn(message, "\n");
	return err_say(e, ECONNRESET, "the connection to the database broke: %.*s", (int)len,
		len > 0 ? message : "(no reason given)");
}

// Remembers when to try again: 100 ms after the first failure, then twice as long up to 1 s.
static int connect_failed(struct db *db, struct err *e)
{
	const char *why = PQerrorMessage(db->conn);

	snprintf(db->away, sizeof(db->away), "%.*s", (int)strcspn(why, "\n"), why);
	db_close(db);
	db->pause_ms = db->pause_ms ? db->pause_ms * 2 : DB_PAUSE_MIN_MS;
	if (db->pause_ms > DB_PAUSE_MAX_MS)
		db->pause_ms = DB_PAUSE_MAX_MS;
	db->next_try_ms = wait_now_ms() + db->pause_ms;
	err_note(e, ENOTCONN, "the database is away: %s",
		db->away[0] ? db->away : "it did not answer in time");
	return DB_LOST;
}

static int await_greeting(struct db *db, const struct wait *w, struct err *e)
{
	struct wait limit = wait_at_most(w, DB_CONNECT_TIMEOUT_MS);

	if (wait_now_ms() < db->next_try_ms) {
		err_note(e, ENOTCONN, "the database is away: %s", db->away);
		return DB_LOST;
	}
	db->conn = db_connect_start(db->conninfo, db->name);
	// libpq wants the first wait to be for writing; the socket may change from turn to turn.
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	while (PQstatus(db->conn) != CONNECTION_BAD && status != PGRES_POLLING_OK) {
		short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		int r = wait_fd(&limit, PQsocket(db->conn), events, "the database's greeting", e);
		if (r == WAIT_CANCELED) {
			db_close(db);
			return WAIT_CANCELED;
		}
		if (r != 0)
			return connect_failed(db, e);
		status = PQconnectPoll(db->conn);
		if (status == PGRES_POLLING_FAILED)
			break;
	}
	if (status != PGRES_POLLING_OK)
		return connect_failed(db, e);
	PQsetnonblocking(db->conn, 1);
	db->pause_ms = 0;
	db->next_try_ms = 0;
	return 0;
}

// An idle connection shows the server's death by becoming readable: looked at before every call,
// because a statement that was never sent may be sent again, and one that was sent may not.
static bool is_alive(PGconn *conn)
{
	for (int turn = 0; turn < 3; turn++) {
		struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};
		if (poll(&fd, 1, 0) <= 0)
			return true;
		if (!PQconsumeInput(conn) || PQstatus(conn) == CONNECTION_BAD)
			return false;
		(void)PQisBusy(conn); // lets libpq take the message apart
	}
	return true;
}

static int lost(struct db *db, const PGresult *rows, struct err *e)
{
	(void)!db_error(db->conn, rows, e);
	db_close(db);
	return DB_LOST;
}

// The next piece of what the server answers; NULL ends the answer to a statement. `answer` is what has
// come of that so far: it may say why the connection broke.
static int next_piece(
	struct db *db, const PGresult *answer, const struct wait *w, PGresult **ret, struct err *e)
{
	for (;;) {
		int unsent = PQflush(db->conn);
		if (unsent < 0)
			return lost(db, answer, e);
		if (unsent == 0 && !PQisBusy(db->conn)) {
			*ret = PQgetResult(db->conn);
			return 0;
		}
		int r = wait_fd(w, PQsocket(db->conn), (short)(POLLIN | (unsent ? POLLOUT : 0)),
			"the database's answer", e);
		if (r != 0) {
			db_close(db);
			return r;
		}
		if (!PQconsumeInput(db->conn) && PQisBusy(db->conn))
			return lost(db, answer, e);
	}
}

// Waits for the answer to one statement. On 0 and -1 the connection is ready for the next one, or for
// the next one's answer.
static int take_answer(struct db *db, const struct wait *w, PGresult **ret, struct err *e)
{
	_cleanup_(db_result_freep) PGresult *answer = NULL;

	for (;;) {
		PGresult *next = NULL;
		int r = next_piece(db, answer, w, &next, e);
		if (r != 0)
			return r;
		if (!next)
			break;
		PQclear(answer);
		answer = next;
	}
	if (!answer || PQstatus(db->conn) == CONNECTION_BAD)
		return lost(db, answer, e);
	ExecStatusType status = PQresultStatus(answer);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		return db_error(db->conn, answer, e);
	*ret = TAKE_PTR(answer);
	return 0;
}

// A server process that gave no answer may still do what it was sent, whenever it comes to itself
// again. One that is ended before that does not even read it.
static int end_silent(struct db *db, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) PGresult *answer = NULL;
	struct db_number pid = db_number(db->silent_pid);
	const char *const params[] = {pid.text, db->name};

	if (!PQsendQueryParams(db->conn,
		    "select pg_terminate_backend(a.pid) from pg_stat_activity as a "
		    "where a.pid = $1 and a.usename = current_user and a.application_name = $2",
		    ARRAY_SIZE(params), NULL, params, NULL, NULL, 0))
		return lost(db, NULL, e);
	int r = take_answer(db, w, &answer, e);
	if (r == 0)
		db->silent_pid = 0;
	else if (r < 0)
		db_close(db);
	return r < 0 ? DB_LOST : r;
}

static int db_connect(struct db *db, const struct wait *w, struct err *e)
{
	int r = await_greeting(db, w, e);

	return r == 0 && db->silent_pid != 0 ? end_silent(db, w, e) : r;
}

// After a call that was not answered in time: its process is ended at once, not by the next call.
static void revoke(struct db *db)
{
	struct wait w = wait_for(REVOKE_TIMEOUT_MS, -1);
	struct err ignored;

	(void)!db_connect(db, &w, &ignored);
}

static uint64_t hash_text(const char *text) // FNV-1a
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash;
}

// The place of a statement, prepared or not. A program has few of them, but the API's texts vary
// with the arguments that a request has: when there is no room, all are forgotten and begin again.
static struct statement *find_statement(struct db *db, const char *sql)
{
	uint64_t hash = hash_text(sql);

	for (size_t i = 0; i < db->statement_count; i++)
		if (db->statements[i].hash == hash && strcmp(db->statements[i].sql, sql) == 0)
			return &db->statements[i];
	if (db->statement_count == DB_STATEMENTS_MAX)
		forget_statements(db);
	struct statement *statement = &db->statements[db->statement_count++];
	*statement = (struct statement){.sql = xstrdup(sql), .hash = hash};
	return statement;
}

static int deallocate_all(struct db *db, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) PGresult *answer = NULL;

	if (!PQsendQueryParams(db->conn, "deallocate all", 0, NULL, NULL, NULL, NULL, 0))
		return lost(db, NULL, e);
	int r = take_answer(db, w, &answer, e);
	if (r == 0)
		db->deallocate = false;
	return r;
}

static int prepare(struct db *db, struct statement *statement, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) PGresult *answer = NULL;
	char name[sizeof(statement->name)];
	int r = db->deallocate ? deallocate_all(db, w, e) : 0;

	if (r != 0)
		return r;
	snprintf(name, sizeof(name), "s%" PRIu64, ++db->serial);
	if (!PQsendPrepare(db->conn, name, statement->sql, 0, NULL))
		return lost(db, NULL, e);
	r = take_answer(db, w, &answer, e);
	if (r == 0)
		memcpy(statement->name, name, sizeof(name));
	return r;
}

// Before a pipeline, in which nothing can be waited for: so there must be room for all of them.
static int prepare_all(struct db *db, const struct db_call *calls, size_t count,
	const struct wait *w, struct err *e)
{
	if (count > 1 && db->statement_count + count > DB_STATEMENTS_MAX)
		forget_statements(db);
	for (size_t i = 0; i < count; i++) {
		struct statement *statement = find_statement(db, calls[i].sql);
		int r = statement->name[0] ? 0 : prepare(db, statement, w, e);
		if (r != 0)
			return r;
	}
	return 0;
}

static bool send_calls(struct db *db, const struct db_call *calls, size_t count)
{
	if (count > 1 && !PQenterPipelineMode(db->conn))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!PQsendQueryPrepared(db->conn, find_statement(db, calls[i].sql)->name,
			    calls[i].params_count, calls[i].params, NULL, NULL, 0))
			return false;
	return count == 1 || PQpipelineSync(db->conn);
}

// What follows the statements' answers: their commit, which may fail too.
static int end_pipeline(struct db *db, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) PGresult *piece = NULL;
	int outcome = 0;

	while (!piece || PQresultStatus(piece) != PGRES_PIPELINE_SYNC) {
		db_result_freep(&piece);
		int r = next_piece(db, NULL, w, &piece, e);
		if (r != 0)
			return r;
		if (PQstatus(db->conn) == CONNECTION_BAD)
			return lost(db, piece, e);
		if (piece && PQresultStatus(piece) == PGRES_FATAL_ERROR)
			outcome = db_error(db->conn, piece, e);
	}
	return PQexitPipelineMode(db->conn) ? outcome : lost(db, NULL, e);
}

// The first refusal counts: what follows it in a pipeline was skipped.
static int take_answers(
	struct db *db, size_t count, const struct wait *w, PGresult **rets, struct err *e)
{
	size_t answers = count == 1 ? 1 : count + 1; // a pipeline's commit is the last
	struct err skipped;
	int outcome = 0;

	for (size_t i = 0; i < answers; i++) {
		struct err *said = outcome == 0 ? e : &skipped;
		int r = i < count ? take_answer(db, w, &rets[i], said) : end_pipeline(db, w, said);
		if (r > 0) {
			*e = *said;
			return r;
		}
		if (outcome == 0)
			outcome = r;
	}
	return outcome;
}

static int call_once(struct db *db, const struct db_call *calls, size_t count, const struct wait *w,
	PGresult **rets, struct err *e)
{
	int r = 0;

	if (db->conn && !is_alive(db->conn))
		db_close(db);
	if (!db->conn)
		r = db_connect(db, w, e);
	if (r == 0)
		r = prepare_all(db, calls, count, w, e);
	if (r != 0)
		return r;
	if (!send_calls(db, calls, count))
		return lost(db, NULL, e);
	int pid = PQbackendPID(db->conn);
	r = take_answers(db, count, w, rets, e);
	if (r == WAIT_TIMEOUT) {
		db->silent_pid = pid;
		revoke(db);
	}
	return r;
}

int db_pipeline(struct db *db, const struct db_call *calls, size_t count, const struct wait *w,
	PGresult **rets, struct err *e)
{
	struct wait limit = wait_at_most(w, db->timeout_ms);
	bool prepared_again = false;

	assert(count >= 1 && count <= DB_STATEMENTS_MAX);
	memset(rets, 0, count * sizeof(*rets));
	for (int tries = 1;; tries++) {
		int r = call_once(db, calls, count, &limit, rets, e);
		for (size_t i = 0; r != 0 && i < count; i++)
			db_result_freep(&rets[i]);
		if (r >= 0)
			return r;
		enum err_retry retry = err_retry(e);
		if (retry == ERR_RETRY_PREPARE && !prepared_again) {
			prepared_again = true;
			forget_statements(db);
		} else if (retry != ERR_RETRY_AGAIN || tries == TRIES_MAX) {
			return r;
		}
	}
}

int db_call(struct db *db, const struct db_call *call, const struct wait *w, PGresult **ret,
	struct err *e)
{
	_cleanup_(db_result_freep) PGresult *answer = NULL;
	int r = db_pipeline(db, call, 1, w, &answer, e);

	if (r == 0 && ret)
		*ret = TAKE_PTR(answer);
	return r;
}

bool db_is_away(int outcome, const struct err *e)
{
	return outcome == WAIT_TIMEOUT || outcome == DB_LOST ||
	       (outcome < 0 && err_is_retryable(e));
}

void db_result_freep(PGresult **rows)
{
	PQclear(TAKE_PTR(*rows));
}

int db_rows(const PGresult *rows)
{
	return PQntuples(rows);
}

const char *db_text(const PGresult *rows, int row, int column)
{
	assert(row >= 0 && row < PQntuples(rows) && column >= 0 && column < PQnfields(rows));
	return PQgetisnull(rows, row, column) ? NULL : PQgetvalue(rows, row, column);
}

int64_t db_int(const PGresult *rows, int row, int column)
{
	const char *text = db_text(rows, row, column);
	char *end;

	if (!text)
		return 0;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	assert(end != text && !*end && !errno);
	return value;
}

bool db_bool(const PGresult *rows, int row, int column)
{
	const char *text = db_text(rows, row, column);

	assert(!text || ((text[0] == 't' || text[0] == 'f') && !text[1]));
	return text && text[0] == 't';
}

size_t db_int_array(const PGresult *rows, int row, int column, int64_t **ret)
{
	const char *at = db_text(rows, row, column);
	size_t count = 0;

	*ret = NULL;
	if (!at || strcmp(at, "{}") == 0)
		return 0;
	assert(*at == '{');
	while (*at != '}') {
		char *end;
		*ret = xreallocarray(*ret, count + 1, sizeof(**ret));
		(*ret)[count++] = strtoll(at + 1, &end, 10);
		assert(end > at + 1 && (*end == ',' || *end == '}'));
		at = end;
	}
	return count;
}

char *db_int_array_text(const int64_t *numbers, size_t count)
{
	_cleanup_(str_done) struct str text = STR_INIT(ARRAY_TEXT_MAX);

	str_add(&text, "{");
	for (size_t i = 0; i < count; i++)
		str_addf(&text, "%s%" PRId64, i ? "," : "", numbers[i]);
	str_add(&text, "}");
	assert(!text.overflow);
	return str_take(&text);
}

struct db_number db_number(int64_t number)
{
	struct db_number n;

	snprintf(n.text, sizeof(n.text), "%" PRId64, number);
	return n;
}
