// SPDX-License-Identifier: Apache-2.0
// Takes a question about credentials through its steps.
#include "sshproxy/asking.h"

#include <stdio.h>
#include <string.h>

#include "lib/db.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum {
	CALL_MS = 1500, // one call; a login makes two
	BEGIN_MS = 3000, // a step that would begin later is not begun
};

enum step_outcome { STEP_NEXT, STEP_ANSWERED };

// A question is a line of steps; each runs in a thread of its pool.
struct asking_step {
	enum step_outcome (*run)(struct asking *a, struct db *db); // NULL ends the line
	bool hashes;
};

static enum step_outcome answer(
	struct asking *a, enum message_verdict verdict, const char *sentence)
{
	a->verdict = verdict;
	snprintf(a->sentence, sizeof(a->sentence), "%s", sentence ? sentence : "");
	return STEP_ANSWERED;
}

static enum step_outcome answer_later(struct asking *a)
{
	return answer(
		a, MESSAGE_REFUSED, "The login service is not available: try again in a moment.");
}

// 0, or the question is answered.
static int call(struct asking *a, struct db *db, const struct db_call *sql, struct pg_result **ret)
{
	struct wait w = wait_for(CALL_MS, -1);
	struct err e;
	int r = db_call(db, sql, &w, ret, &e);
	if (r != 0) {
		log_warning("a login was not answered by the database", log_err(&e));
		answer_later(a);
	}
	return r;
}

static enum step_outcome answer_limited(struct asking *a, int64_t wait_s)
{
	char sentence[MESSAGE_SENTENCE_SIZE];
	snprintf(sentence, sizeof(sentence), "Too many attempts: wait %lld seconds.",
		(long long)wait_s);
	return answer(a, MESSAGE_REFUSED, sentence);
}

static enum step_outcome challenge(struct asking *a, struct db *db)
{
	struct db_number process = db_number(a->pools->process_id);
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	if (call(a, db,
		    DB_CALL("select verdict, retry_after_s, password_hash from ssh.challenge($1, $2, $3)",
			    process.text, a->address, a->name),
		    &rows) != 0)
		return STEP_ANSWERED;
	if (strcmp(db_text(rows, 0, 0), "go") != 0)
		return answer_limited(a, db_int(rows, 0, 1));
	if (!text_copy(a->hash, sizeof(a->hash), db_text(rows, 0, 2)))
		return answer_later(a);
	return STEP_NEXT;
}

static enum step_outcome check(struct asking *a, struct db *db)
{
	struct err e;
	(void)db;
	int r = hash_check(HASH_YESCRYPT, a->password, a->hash, &e);
	if (r < 0)
		log_warning("a password was not checked", log_err(&e));
	a->matched = r == 0;
	return STEP_NEXT;
}

static enum step_outcome login(struct asking *a, struct db *db)
{
	struct db_number process = db_number(a->pools->process_id);
	bool is_key = a->kind == MESSAGE_KEY_LOGIN;
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	if (call(a, db,
		    DB_CALL("select verdict, session_id, sentence from ssh.login($1, $2, $3, $4, $5, $6, $7)",
			    process.text, a->address, a->name, is_key ? "key" : "password",
			    is_key ? a->sha256 : NULL, is_key || a->matched ? "true" : "false",
			    is_key ? NULL : a->hash),
		    &rows) != 0)
		return STEP_ANSWERED;
	const char *verdict = db_text(rows, 0, 0);
	if (strcmp(verdict, "denied") == 0)
		return answer(a, MESSAGE_NO, "");
	if (strcmp(verdict, "ok") != 0)
		return answer(a, MESSAGE_REFUSED, db_text(rows, 0, 2));
	if (!text_copy(a->session_id, sizeof(a->session_id), db_text(rows, 0, 1)))
		return answer_later(a);
	return answer(a, MESSAGE_YES, "");
}

static enum step_outcome offer(struct asking *a, struct db *db)
{
	struct db_number process = db_number(a->pools->process_id);
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	if (call(a, db,
		    DB_CALL("select verdict, retry_after_s from ssh.key_offer($1, $2, $3, $4)",
			    process.text, a->address, a->name, a->sha256),
		    &rows) != 0)
		return STEP_ANSWERED;
	const char *verdict = db_text(rows, 0, 0);
	if (strcmp(verdict, "limited") == 0)
		return answer_limited(a, db_int(rows, 0, 1));
	return answer(a, strcmp(verdict, "yes") == 0 ? MESSAGE_YES : MESSAGE_NO, "");
}

static const struct asking_step password_steps[] = {
	{challenge, false}, {check, true}, {login, false}};
static const struct asking_step offer_steps[] = {{offer, false}};
static const struct asking_step key_steps[] = {{login, false}};

static const struct asking_step *const lines[MESSAGE_KINDS] = {
	[MESSAGE_PASSWORD] = password_steps,
	[MESSAGE_KEY_OFFER] = offer_steps,
	[MESSAGE_KEY_LOGIN] = key_steps,
};

static void finish(struct asking *a)
{
	mem_wipe(a->password, sizeof(a->password));
	a->step = NULL;
	a->done(a);
}

static void step_run(struct pool_job *job, void *context)
{
	struct asking *a = container_of(job, struct asking, job);
	bool is_late = wait_now_ms() - a->begun_ms > BEGIN_MS;
	enum step_outcome outcome = is_late ? answer_later(a) : a->step->run(a, context);
	a->step = outcome == STEP_NEXT ? a->step + 1 : NULL;
}

static void step_begin(struct asking *a);

static void step_done(struct pool_job *job)
{
	struct asking *a = container_of(job, struct asking, job);
	if (job->ran && a->step) {
		step_begin(a);
		return;
	}
	if (!job->ran)
		answer_later(a);
	finish(a);
}

static void step_begin(struct asking *a)
{
	a->job = (struct pool_job){.run = step_run, .done = step_done};
	if (pool_submit(a->step->hashes ? a->pools->hash : a->pools->db, &a->job) == 0)
		return;
	answer_later(a); // the queue is full
	finish(a);
}

void asking_begin(struct asking *a, const struct asking_pools *pools, const char *address,
	const struct message *question, void (*done)(struct asking *asking))
{
	*a = (struct asking){
		.pools = pools, .done = done, .kind = question->kind, .begun_ms = wait_now_ms()};
	// a valid message's texts fit
	(void)!text_copy(a->address, sizeof(a->address), address);
	if (question->kind == MESSAGE_PASSWORD) {
		(void)!text_copy(a->name, sizeof(a->name), question->login.name);
		(void)!text_copy(a->password, sizeof(a->password), question->login.password);
	} else {
		(void)!text_copy(a->name, sizeof(a->name), question->key.name);
		(void)!text_copy(a->sha256, sizeof(a->sha256), question->key.sha256);
	}
	a->step = lines[question->kind];
	if (pools->process_id == 0) {
		answer_later(a);
		finish(a);
		return;
	}
	step_begin(a);
}
