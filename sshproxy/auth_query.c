// SPDX-License-Identifier: Apache-2.0
// Monitor: takes a query about credentials through its steps.
#include "sshproxy/auth_query.h"

#include <stdio.h>
#include <string.h>

#include "lib/db.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/locked.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/source.h"
#include "lib/wait.h"

enum {
	CALL_MS = 1500, // one call; a login makes two
	BEGIN_MS = 3000, // a step that would begin later is not begun
};

enum step_outcome { STEP_NEXT, STEP_ANSWERED };

// A question is a line of steps; each runs in a thread of its pool.
struct auth_query_step {
	enum step_outcome (*run)(struct auth_query *q, struct db *db); // NULL ends the line
	bool hashes;
};

static enum step_outcome answer(
	struct auth_query *q, enum message_verdict verdict, const char *sentence)
{
	q->verdict = verdict;
	snprintf(q->sentence, sizeof(q->sentence), "%s", sentence ? sentence : "");
	return STEP_ANSWERED;
}

static enum step_outcome answer_later(struct auth_query *q)
{
	return answer(
		q, MESSAGE_REFUSED, "The login service is not available: try again in a moment.");
}

// 0, or the question is answered.
static int call(
	struct auth_query *q, struct db *db, const struct db_call *sql, struct pg_result **ret)
{
	struct wait w = wait_for(CALL_MS, -1);
	struct err e;
	int r = db_call(db, sql, &w, ret, &e);
	if (r == 0)
		return 0;
	_cleanup_(freep) char *sentence = locked_is(&e) ? locked_sentence(db, NULL) : NULL;
	log_warning_often("a login was not answered by the database", log_text("holder", sentence),
		log_err(&e));
	if (sentence)
		answer(q, MESSAGE_REFUSED, sentence);
	else
		answer_later(q);
	return r;
}

static enum step_outcome answer_limited(struct auth_query *q, int64_t wait_s)
{
	char sentence[MESSAGE_SENTENCE_SIZE];
	snprintf(sentence, sizeof(sentence), "Too many attempts: wait %lld seconds.",
		(long long)wait_s);
	return answer(q, MESSAGE_REFUSED, sentence);
}

static enum step_outcome challenge(struct auth_query *q, struct db *db)
{
	struct db_number process = db_number(q->pools->process_id);
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	if (call(q, db,
		    DB_CALL("select verdict, retry_after_s, password_hash from ssh.challenge($1, $2, $3)",
			    process.text, q->address, q->name),
		    &rows) != 0)
		return STEP_ANSWERED;
	if (strcmp(db_text(rows, 0, 0), "ok") != 0)
		return answer_limited(q, db_int(rows, 0, 1));
	if (!text_copy(q->hash, sizeof(q->hash), db_text(rows, 0, 2)))
		return answer_later(q);
	return STEP_NEXT;
}

static enum step_outcome check(struct auth_query *q, struct db *db)
{
	struct err e;
	(void)db;
	int r = hash_check(HASH_YESCRYPT, q->password, q->hash, &e);
	if (r < 0)
		log_warning("a password was not checked", log_err(&e));
	q->matched = r == 0;
	return STEP_NEXT;
}

static enum step_outcome login(struct auth_query *q, struct db *db)
{
	struct db_number process = db_number(q->pools->process_id);
	bool is_key = q->kind == MESSAGE_KEY_LOGIN;
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	if (call(q, db,
		    DB_CALL("select verdict, session_id, sentence from ssh.login($1, $2, $3, $4, $5, $6, $7)",
			    process.text, q->address, q->name, is_key ? "key" : "password",
			    is_key ? q->sha256 : NULL, is_key || q->matched ? "true" : "false",
			    is_key ? NULL : q->hash),
		    &rows) != 0)
		return STEP_ANSWERED;
	const char *verdict = db_text(rows, 0, 0);
	if (strcmp(verdict, "auth_invalid") == 0)
		return answer(q, MESSAGE_NO, "");
	if (strcmp(verdict, "ok") != 0)
		return answer(q, MESSAGE_REFUSED, db_text(rows, 0, 2));
	if (!text_copy(q->session_id, sizeof(q->session_id), db_text(rows, 0, 1)))
		return answer_later(q);
	return answer(q, MESSAGE_YES, "");
}

static enum step_outcome offer(struct auth_query *q, struct db *db)
{
	struct db_number process = db_number(q->pools->process_id);
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	if (call(q, db,
		    DB_CALL("select verdict, retry_after_s from ssh.key_offer($1, $2, $3, $4)",
			    process.text, q->address, q->name, q->sha256),
		    &rows) != 0)
		return STEP_ANSWERED;
	const char *verdict = db_text(rows, 0, 0);
	if (strcmp(verdict, "too_many_attempts") == 0)
		return answer_limited(q, db_int(rows, 0, 1));
	return answer(q, strcmp(verdict, "ok") == 0 ? MESSAGE_YES : MESSAGE_NO, "");
}

static const struct auth_query_step password_steps[] = {
	{challenge, false}, {check, true}, {login, false}};
static const struct auth_query_step offer_steps[] = {{offer, false}};
static const struct auth_query_step key_steps[] = {{login, false}};

static const struct auth_query_step *const step_tables[MESSAGE_KINDS] = {
	[MESSAGE_PASSWORD] = password_steps,
	[MESSAGE_KEY_OFFER] = offer_steps,
	[MESSAGE_KEY_LOGIN] = key_steps,
};

static void finish(struct auth_query *q)
{
	mem_wipe(q->password, sizeof(q->password));
	q->step = NULL;
	q->done(q);
}

static void step_run(struct pool_job *job, struct db *db)
{
	struct auth_query *q = container_of(job, struct auth_query, job);
	bool is_late = wait_now_ms() - q->begun_ms > BEGIN_MS;
	enum step_outcome outcome = is_late ? answer_later(q) : q->step->run(q, db);
	q->step = outcome == STEP_NEXT ? q->step + 1 : NULL;
}

static void step_begin(struct auth_query *q)
{
	if (pool_submit(q->step->hashes ? q->pools->hash : q->pools->db, &q->job) == 0)
		return;
	answer_later(q); // the queue is full
	finish(q);
}

static void step_done(struct pool_job *job)
{
	struct auth_query *q = container_of(job, struct auth_query, job);
	if (job->ran && q->step) {
		step_begin(q);
		return;
	}
	if (!job->ran)
		answer_later(q);
	finish(q);
}

void auth_query_start(struct auth_query *q, const struct auth_query_pools *pools,
	const char *address, const struct message *question, void (*done)(struct auth_query *query))
{
	*q = (struct auth_query){.job = {.run = step_run, .done = step_done},
		.pools = pools,
		.done = done,
		.kind = question->kind,
		.begun_ms = wait_now_ms()};
	// a valid message's texts fit
	(void)!text_copy(q->address, sizeof(q->address), address);
	if (question->kind == MESSAGE_PASSWORD) {
		(void)!text_copy(q->name, sizeof(q->name), question->login.name);
		(void)!text_copy(q->password, sizeof(q->password), question->login.password);
	} else {
		(void)!text_copy(q->name, sizeof(q->name), question->key.name);
		(void)!text_copy(q->sha256, sizeof(q->sha256), question->key.sha256);
	}
	q->job.turn.who = (struct turns_who){source_of_text(q->address), source_name(q->name)};
	q->step = step_tables[question->kind];
	if (pools->process_id == 0) {
		answer_later(q);
		finish(q);
		return;
	}
	step_begin(q);
}
