// SPDX-License-Identifier: Apache-2.0
// What requests do in the pools.
#include "api/steps.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/app.h"
#include "api/arguments.h"
#include "api/caller.h"
#include "api/health.h"
#include "api/reply.h"
#include "api/request.h"
#include "api/script.h"
#include "api/sealing.h"
#include "api/waiters.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { STATEMENT_MAX = 4096 };

// The columns of a call: the answer as JSON, and what the row's flags want besides it.
static const char *columns_of(const struct route *route)
{
	if (route_flags(route) & ROUTE_LOGIN)
		return "to_json(r.answer)::text, r.verdict, r.retry_after_s, r.sentence, r.user_id, r.login_id, r.generation,"
		       " r.cookie_id, r.cookie_life_s";
	if (route_flags(route) & ROUTE_VERDICT)
		return "to_json(r.answer)::text, r.verdict, r.retry_after_s, r.sentence";
	if (route_flags(route) & ROUTE_ETAG)
		return "to_json(r)::text, r.version";
	return route->answer ? "to_json(r)::text" : "null";
}

enum {
	COLUMN_JSON,
	COLUMN_VERDICT,
	COLUMN_RETRY,
	COLUMN_SENTENCE,
	COLUMN_USER,
	COLUMN_LOGIN,
	COLUMN_GENERATION,
	COLUMN_COOKIE,
	COLUMN_COOKIE_LIFE
};
enum { COLUMN_VERSION = 1 };

// Calls the route's function with the arguments that this request has, by name; the statement's
// text is the same for the same set of them, so it is prepared once a connection. 0 with one row,
// or as db_call.
static int function_call(struct request *r, struct db *db, struct pg_result **ret, struct err *e)
{
	const char *values[ARGUMENTS_MAX];
	_cleanup_(str_done) struct str sql = STR_INIT(STATEMENT_MAX);
	str_addf(&sql, "select %s from api.%s(", columns_of(r->route), r->route->function);
	int params = arguments_add(r, &sql, values);
	str_add(&sql, ") as r");
	assert(!sql.overflow);
	struct db_call call = {.sql = str_text(&sql), .params = values, .params_count = params};
	return db_call(db, &call, &r->work.wait, ret, e);
}

static const char accepted[] = "accepted";

// The route's own, unless a step has set one or SQL says that work goes on.
static unsigned success_status(const struct request *r, const struct pg_result *rows)
{
	bool waits = (route_flags(r->route) & ROUTE_ACCEPTED) &&
		     strcmp(db_text(rows, 0, COLUMN_VERDICT), accepted) == 0;
	if (waits)
		return 202;
	return r->made.status != 0 ? r->made.status : (unsigned)r->route->status;
}

// Answers from the row of a successful call: puts the secret (or NULL) into its member, sets the
// ETag.
static void answer_row(struct request *r, const struct pg_result *rows, const char *secret)
{
	const struct route *route = r->route;
	if (!route->answer) {
		reply_empty(r, (unsigned)route->status);
		return;
	}
	char *json = xstrdup(db_text(rows, 0, COLUMN_JSON));
	if (route->work->secret_member)
		reply_set_secret(&json, route->work->secret_member, secret);
	if (route_flags(route) & ROUTE_ETAG) {
		int len = snprintf(r->reply.etag, sizeof(r->reply.etag), "\"%s\"",
			db_text(rows, 0, COLUMN_VERSION));
		assert(len < (int)sizeof(r->reply.etag));
	}
	reply_json(r, success_status(r, rows), json);
}

// true when SQL let the request pass; else it has been answered with the refusal.
static bool verdict_is_ok(struct request *r, const struct pg_result *rows)
{
	if (!(route_flags(r->route) & ROUTE_VERDICT))
		return true;
	const char *verdict = db_text(rows, 0, COLUMN_VERDICT);
	if (strcmp(verdict, "ok") == 0 ||
		((route_flags(r->route) & ROUTE_ACCEPTED) && strcmp(verdict, accepted) == 0))
		return true;
	reply_verdict(
		r, verdict, (int)db_int(rows, 0, COLUMN_RETRY), db_text(rows, 0, COLUMN_SENTENCE));
	return false;
}

static int step_call(struct request *r, struct db *db, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int result = function_call(r, db, &rows, e);
	if (result != 0)
		return result;
	if (verdict_is_ok(r, rows))
		answer_row(r, rows, r->made.secret[0] != '\0' ? r->made.secret : NULL);
	return STEP_ANSWERED;
}

static int step_login(struct request *r, struct db *db, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	if (caller_wants_cookie(r)) {
		hash_token(r->made.cookie);
		hash_sha256_hex(r->made.cookie, strlen(r->made.cookie), r->made.cookie_sha256);
	}
	int result = function_call(r, db, &rows, e);
	if (result != 0)
		return result;
	if (!verdict_is_ok(r, rows))
		return STEP_ANSWERED;
	_cleanup_(json_freep) cJSON *answer = cJSON_Parse(db_text(rows, 0, COLUMN_JSON));
	const cJSON *life = cJSON_GetObjectItemCaseSensitive(answer, "expires_in");
	assert(cJSON_IsNumber(life));
	struct claims claims = {
		.generation = db_int(rows, 0, COLUMN_GENERATION),
		.expires_at = time(NULL) + life->valueint,
	};
	bool fits =
		text_copy(claims.user_id, sizeof(claims.user_id), db_text(rows, 0, COLUMN_USER)) &&
		text_copy(claims.login_id, sizeof(claims.login_id), db_text(rows, 0, COLUMN_LOGIN));
	assert(fits);
	_cleanup_(wipe_freep) char *token = NULL;
	if (token_make(&claims, &token) != 0)
		return err_say(e, ENOKEY, "no key to sign tokens with");
	answer_row(r, rows, token);
	if (db_text(rows, 0, COLUMN_COOKIE))
		cookie_line(r->reply.cookie, db_text(rows, 0, COLUMN_COOKIE), r->made.cookie,
			(long)db_int(rows, 0, COLUMN_COOKIE_LIFE));
	return STEP_ANSWERED;
}

static int step_logout(struct request *r, struct db *db, struct err *e)
{
	int result = step_call(r, db, e);
	if (result == STEP_ANSWERED && r->caller.cookie.id[0] != '\0')
		strcpy(r->reply.cookie, cookie_end_line);
	return result;
}

static int step_admit(struct request *r, struct db *db, struct err *e)
{
	return db_call(db,
		DB_CALL("select api.admit($1::uuid, $2::integer, $3)", r->caller.claims.login_id,
			r->caller.generation, r->route->who == ROUTE_ADMIN ? "admin" : "user"),
		&r->work.wait, NULL, e);
}

// Takes what SQL says before a password is checked: {password_hash, verdict, retry_after_s}. 0, or
// STEP_ANSWERED with the refusal.
static int take_challenge(struct request *r, const struct pg_result *rows)
{
	if (strcmp(db_text(rows, 0, COLUMN_VERDICT), "ok") != 0) {
		int retry_after_s = (int)db_int(rows, 0, COLUMN_RETRY);
		_cleanup_(freep) char *sentence =
			xasprintf("Too many attempts; try again in %d seconds.", retry_after_s);
		reply_verdict(r, db_text(rows, 0, COLUMN_VERDICT), retry_after_s, sentence);
		return STEP_ANSWERED;
	}
	const char *hash = db_text(rows, 0, 0);
	r->made.stored_hash = hash ? xstrdup(hash) : NULL;
	return 0;
}

static int step_challenge(struct request *r, struct db *db, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int result = db_call(db,
		DB_CALL("select password_hash, verdict, retry_after_s from account.challenge($1, $2::inet)",
			input_get(&r->input, "username"), r->head.address),
		&r->work.wait, &rows, e);
	return result == 0 ? take_challenge(r, rows) : result;
}

static int step_entry_challenge(struct request *r, struct db *db, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int result = db_call(db,
		DB_CALL("select password_hash, verdict, retry_after_s from account.entry_challenge($1, $2::inet)",
			input_get(&r->input, "short_id"), r->head.address),
		&r->work.wait, &rows, e);
	return result == 0 ? take_challenge(r, rows) : result;
}

static int step_own_challenge(struct request *r, struct db *db, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int result = db_call(db,
		DB_CALL("select password_hash, verdict, retry_after_s"
			" from account.own_challenge($1::uuid, $2::integer, $3::inet)",
			r->caller.claims.login_id, r->caller.generation, r->head.address),
		&r->work.wait, &rows, e);
	return result == 0 ? take_challenge(r, rows) : result;
}

static int step_check(struct request *r, struct db *db, struct err *e)
{
	(void)db;
	const char *tried = NULL;
	FIELDS_EACH (field, r->route)
		if (strcmp(field->type, "password_tried") == 0)
			tried = input_get(&r->input, field->name);
	assert(tried);
	const char *hash = r->made.stored_hash ? r->made.stored_hash : hash_dummy;
	int result = hash_check(HASH_BCRYPT, tried, hash, e);
	if (result < 0)
		return result;
	r->made.matched = result == 0 && r->made.stored_hash;
	return 0;
}

static int step_poll_token(struct request *r, struct db *db, struct err *e)
{
	hash_token(r->made.secret);
	hash_sha256_hex(r->made.secret, strlen(r->made.secret), r->made.secret_sha256);
	return step_call(r, db, e);
}

// Of the field that is FIELD_HASHED; of one that is made here when there is none, or it was not given.
static int step_hash_password(struct request *r, struct db *db, struct err *e)
{
	(void)db;
	const char *password = NULL;
	FIELDS_EACH (field, r->route)
		if (field->flags & FIELD_HASHED)
			password = input_get(&r->input, field->name);
	if (!password)
		hash_password(r->made.secret);
	return hash_make(HASH_BCRYPT, password ? password : r->made.secret, r->made.hash, e);
}

static int step_hash_if_matched(struct request *r, struct db *db, struct err *e)
{
	return r->made.matched ? step_hash_password(r, db, e) : 0;
}

static int step_hash_ssh_password(struct request *r, struct db *db, struct err *e)
{
	(void)db;
	hash_password(r->made.secret);
	return hash_make(HASH_YESCRYPT, r->made.secret, r->made.hash, e);
}

static int step_poll(struct request *r, struct db *db, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int result = function_call(r, db, &rows, e);
	if (result != 0)
		return result;
	if (!verdict_is_ok(r, rows))
		return STEP_ANSWERED;
	_cleanup_(json_freep) cJSON *answer = cJSON_Parse(db_text(rows, 0, COLUMN_JSON));
	const char *version =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "version"));
	const char *status =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "task_status"));
	assert(version && status);
	bool ended = strcmp(status, "queued") != 0 && strcmp(status, "running") != 0;
	if (!ended && waiters_accept(r, version))
		return STEP_WAITS;
	answer_row(r, rows, NULL);
	return STEP_ANSWERED;
}

static int step_script(struct request *r, struct db *db, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int result = function_call(r, db, &rows, e);
	if (result != 0)
		return result;
	_cleanup_(json_freep) cJSON *answer = cJSON_Parse(db_text(rows, 0, COLUMN_JSON));
	const char *url =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "public_url"));
	const char *entry = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "entry"));
	char *script = script_make(url, entry ? entry : "");
	if (!script)
		reply_incomplete(r,
			"The setting public_url is missing or is not an http(s) URL; an administrator must set it.");
	else
		reply_text(r, 200, "text/x-shellscript; charset=utf-8", script);
	return STEP_ANSWERED;
}

static int step_metrics(struct request *r, struct db *db, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int result = function_call(r, db, &rows, e);
	if (result != 0)
		return result;
	_cleanup_(json_freep) cJSON *answer = cJSON_Parse(db_text(rows, 0, COLUMN_JSON));
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "text"));
	assert(text);
	reply_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", xstrdup(text));
	return STEP_ANSWERED;
}

// clang-format off
const struct work work_call = {
	.steps = {{STEP_IN_DB, step_call}}};
const struct work work_login = {
	.steps = {{STEP_IN_DB, step_challenge}, {STEP_IN_HASH, step_check}, {STEP_IN_DB, step_login}},
	.flags = ROUTE_VERDICT | ROUTE_LOGIN | ROUTE_MATCHED | ROUTE_NEW_COOKIE,
	.secret_member = "token"};
const struct work work_refresh = {
	.steps = {{STEP_IN_DB, step_login}},
	.flags = ROUTE_VERDICT | ROUTE_LOGIN | ROUTE_COOKIE | ROUTE_NEW_COOKIE,
	.secret_member = "token"};
const struct work work_logout = {
	.steps = {{STEP_IN_DB, step_logout}},
	.flags = ROUTE_COOKIE};
const struct work work_bootstrap = {
	.steps = {{STEP_IN_DB, step_challenge}, {STEP_IN_HASH, step_check}, {STEP_IN_DB, step_poll_token}},
	.flags = ROUTE_VERDICT | ROUTE_MATCHED | ROUTE_POLL_TOKEN,
	.secret_member = "poll_token"};
const struct work work_entry = {
	.steps = {{STEP_IN_DB, step_entry_challenge}, {STEP_IN_HASH, step_check}, {STEP_IN_DB, step_poll_token}},
	.flags = ROUTE_VERDICT | ROUTE_ACCEPTED | ROUTE_MATCHED | ROUTE_POLL_TOKEN,
	.secret_member = "poll_token"};
const struct work work_poll = {
	.steps = {{STEP_IN_DB, step_poll}},
	.flags = ROUTE_VERDICT};
const struct work work_script = {
	.steps = {{STEP_IN_DB, step_script}},
	.content_type = "text/x-shellscript"};
const struct work work_metrics = {
	.steps = {{STEP_IN_DB, step_metrics}},
	.content_type = "text/plain"};
const struct work work_password = {
	.steps = {{STEP_IN_DB, step_admit}, {STEP_IN_HASH, step_hash_password}, {STEP_IN_DB, step_call}},
	.secret_member = "password"};
const struct work work_rotate_password = {
	.steps = {{STEP_IN_DB, step_admit}, {STEP_IN_HASH, step_hash_password}, {STEP_IN_DB, step_call}},
	.flags = ROUTE_NEW_PASSWORD,
	.secret_member = "password"};
const struct work work_change_password = {
	.steps = {{STEP_IN_DB, step_own_challenge}, {STEP_IN_HASH, step_check}, {STEP_IN_HASH, step_hash_if_matched},
		{STEP_IN_DB, step_call}},
	.flags = ROUTE_VERDICT | ROUTE_MATCHED};
const struct work work_ssh_password = {
	.steps = {{STEP_IN_DB, step_admit}, {STEP_IN_HASH, step_hash_ssh_password}, {STEP_IN_DB, step_call}},
	.flags = ROUTE_SSH_PASSWORD,
	.secret_member = "ssh_password"};
const struct work work_exit = {
	.steps = {{STEP_IN_DB, step_admit}, {STEP_IN_DB, step_seal_exit}, {STEP_IN_DB, step_call}},
	.flags = ROUTE_EXIT_SECRETS};
const struct work work_import = {
	.steps = {{STEP_IN_DB, step_admit}, {STEP_IN_DB, step_import}, {STEP_IN_DB, step_call}},
	.flags = ROUTE_IMPORT};
const struct work work_webhook_secret = {
	.steps = {{STEP_IN_DB, step_admit}, {STEP_IN_DB, step_seal_webhook}, {STEP_IN_DB, step_call}},
	.flags = ROUTE_NEW_SECRET,
	.secret_member = "secret"};
// clang-format on

void handle_healthz(struct request *r)
{
	char *body = NULL;
	unsigned status = health_read(r->app, &body);
	reply_text(r, status, "application/json", body);
}

void handle_readyz(struct request *r)
{
	char *body = NULL;
	unsigned status = health_read(r->app, &body);
	if (status == 200 && !atomic_load(&r->app->ready)) {
		status = 503;
		freep(&body);
		body = xstrdup(health_unavailable);
	}
	reply_text(r, status, "application/json", body);
}

void handle_openapi(struct request *r)
{
	if (!atomic_load(&r->app->ready))
		reply_not_ready(r);
	else
		reply_file(r, 200, "application/json", r->app->openapi);
}
