// SPDX-License-Identifier: Apache-2.0
// Chores with the database: each is wanted or not, and at most once under way.
#include "sshproxy/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/wait.h"
#include "sshproxy/message.h"

enum {
	CALL_MS = 1500,
	NOTES_MAX = 8192, // not yet told; sessions are bounded, so only a long outage comes near
	NOTES_BATCH = 64,
};

// Something to tell: the end of a session, or a connection that was given up.
struct note {
	struct note *next;
	char session_id[40]; // "" for one that was given up
	char address[MESSAGE_ADDRESS_SIZE];
	char name[NAME_SIZE];
	char reason[40];
	uint64_t up_bytes, down_bytes;
};

struct verdict {
	char session_id[40];
	char sentence[MESSAGE_SENTENCE_SIZE];
};

enum chore_kind { CHORE_HOST_KEY, CHORE_CHECK, CHORE_NOTES, CHORES };

struct chore {
	struct pool_job job;
	struct ledger *ledger;
	bool wanted, busy;
	int outcome; // of the last call
	struct err e;
};

struct ledger {
	struct ledger_conf conf;
	int64_t process_id; // 0 until registered
	int64_t checked_ms;
	struct chore chores[CHORES];
	char *sessions; // what CHORE_CHECK asks about
	struct verdict *verdicts; // what it was told
	size_t verdicts_count;
	struct note *notes, **notes_last;
	size_t notes_count;
	struct note *telling; // what CHORE_NOTES tells now; what is left at its end was not told
};

static int call(struct db *db, const struct db_call *sql, struct pg_result **ret, struct err *e)
{
	struct wait w = wait_for(CALL_MS, -1);
	return db_call(db, sql, &w, ret, e);
}

static int host_key_run(struct ledger *l, struct db *db, struct err *e)
{
	struct db_number process = db_number(l->process_id);
	return call(db, DB_CALL("select ssh.set_host_key($1, $2)", process.text, l->conf.host_key),
		NULL, e);
}

static int check_run(struct ledger *l, struct db *db, struct err *e)
{
	struct db_number process = db_number(l->process_id);
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int r = call(db,
		DB_CALL("select session_id, sentence from session.check($1, $2::uuid[])",
			process.text, l->sessions),
		&rows, e);
	if (r != 0)
		return r;
	l->verdicts_count = (size_t)db_rows(rows);
	l->verdicts = xcalloc(l->verdicts_count + 1, sizeof(*l->verdicts));
	for (size_t i = 0; i < l->verdicts_count; i++) {
		struct verdict *v = &l->verdicts[i];
		(void)!text_copy(v->session_id, sizeof(v->session_id), db_text(rows, (int)i, 0));
		(void)!text_copy(v->sentence, sizeof(v->sentence), db_text(rows, (int)i, 1));
	}
	return 0;
}

static int note_tell(struct ledger *l, struct db *db, const struct note *n, struct err *e)
{
	struct db_number process = db_number(l->process_id);
	struct db_number up = db_number((int64_t)n->up_bytes);
	struct db_number down = db_number((int64_t)n->down_bytes);
	if (n->session_id[0] != '\0')
		return call(db,
			DB_CALL("select session.end($1, $2, $3, $4, $5)", process.text,
				n->session_id, n->reason, up.text, down.text),
			NULL, e);
	return call(db,
		DB_CALL("select ssh.abandon($1, $2, $3, $4)", process.text, n->address, n->name,
			n->reason),
		NULL, e);
}

// A note that SQL refuses would be refused again: it is dropped, the first refusal is logged.
static int notes_run(struct ledger *l, struct db *db, struct err *e)
{
	int outcome = 0;
	while (l->telling) {
		struct note *n = l->telling;
		struct err refusal;
		int r = note_tell(l, db, n, &refusal);
		if (r != 0) {
			*e = refusal;
			outcome = r;
			if (db_is_away(r, &refusal))
				break;
		}
		l->telling = n->next;
		free(n);
	}
	return outcome;
}

static int (*const runs[CHORES])(struct ledger *l, struct db *db, struct err *e) = {
	[CHORE_HOST_KEY] = host_key_run,
	[CHORE_CHECK] = check_run,
	[CHORE_NOTES] = notes_run,
};

static void chore_run(struct pool_job *job, void *context)
{
	struct chore *c = container_of(job, struct chore, job);
	c->outcome = runs[c - c->ledger->chores](c->ledger, context, &c->e);
}

// The verdicts are taken out first: a session that ends has to be told, and that may start the next
// check.
static void verdicts_apply(struct ledger *l)
{
	_cleanup_(freep) struct verdict *verdicts = TAKE_PTR(l->verdicts);
	size_t count = l->verdicts_count;
	l->verdicts_count = 0;
	for (size_t i = 0; i < count; i++)
		l->conf.end(l->conf.data, verdicts[i].session_id, verdicts[i].sentence);
}

// What was not told goes back to the front.
static void notes_return(struct ledger *l)
{
	struct note *last = l->telling;
	if (!last)
		return;
	l->notes_count++;
	for (; last->next; last = last->next)
		l->notes_count++;
	last->next = l->notes;
	if (!l->notes)
		l->notes_last = &last->next;
	l->notes = TAKE_PTR(l->telling);
}

static void chores_start(struct ledger *l);

static void chore_done(struct pool_job *job)
{
	struct chore *c = container_of(job, struct chore, job);
	struct ledger *l = c->ledger;
	c->busy = false;
	if (!job->ran)
		return;
	bool is_away = c->outcome != 0 && db_is_away(c->outcome, &c->e);
	if (c->outcome != 0)
		log_warning("the database was not told", log_err(&c->e));
	switch ((enum chore_kind)(c - l->chores)) {
	case CHORE_HOST_KEY:
		c->wanted |= is_away;
		break;
	case CHORE_CHECK:
		free(TAKE_PTR(l->sessions));
		verdicts_apply(l);
		break;
	case CHORE_NOTES:
		notes_return(l);
		c->wanted = c->wanted || l->notes;
		break;
	case CHORES:
		break;
	}
	if (!is_away)
		chores_start(l);
}

static void notes_take(struct ledger *l)
{
	struct note **last = &l->notes;
	for (size_t i = 0; i < NOTES_BATCH && *last; i++) {
		last = &(*last)->next;
		l->notes_count--;
	}
	l->telling = l->notes;
	l->notes = *last;
	*last = NULL;
	if (!l->notes)
		l->notes_last = &l->notes;
}

static void chore_start(struct ledger *l, enum chore_kind kind)
{
	struct chore *c = &l->chores[kind];
	if (!c->wanted || c->busy || l->process_id == 0)
		return;
	if (kind == CHORE_CHECK)
		l->sessions = l->conf.sessions(l->conf.data);
	else if (kind == CHORE_NOTES)
		notes_take(l);
	c->wanted = false;
	c->busy = true;
	c->job.run = chore_run;
	c->job.done = chore_done;
	if (pool_submit(l->conf.pool, &c->job) == 0)
		return;
	c->busy = false; // full: at the next scan
	c->wanted = true;
	if (kind == CHORE_CHECK)
		free(TAKE_PTR(l->sessions));
	else if (kind == CHORE_NOTES)
		notes_return(l);
}

static void chores_start(struct ledger *l)
{
	for (int kind = 0; kind < CHORES; kind++)
		chore_start(l, (enum chore_kind)kind);
}

struct ledger *ledger_new(const struct ledger_conf *conf)
{
	struct ledger *l = xnew(struct ledger);
	l->conf = *conf;
	l->notes_last = &l->notes;
	for (int kind = 0; kind < CHORES; kind++)
		l->chores[kind].ledger = l;
	return l;
}

static void notes_free(struct note *n)
{
	while (n) {
		struct note *next = n->next;
		free(n);
		n = next;
	}
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	notes_free(l->notes);
	notes_free(l->telling);
	free(l->sessions);
	free(l->verdicts);
	free(l);
}

void ledger_registered(struct ledger *l, int64_t process_id)
{
	l->process_id = process_id;
	l->chores[CHORE_HOST_KEY].wanted = true;
	chores_start(l);
}

void ledger_scan(struct ledger *l)
{
	int64_t now_ms = wait_now_ms();
	if (now_ms - l->checked_ms >= LEDGER_CHECK_MS) {
		l->checked_ms = now_ms;
		l->chores[CHORE_CHECK].wanted = true;
	}
	chores_start(l);
}

void ledger_check(struct ledger *l)
{
	l->chores[CHORE_CHECK].wanted = true;
	chores_start(l);
}

static void note_add(struct ledger *l, struct note *n)
{
	if (l->notes_count >= NOTES_MAX) {
		log_warning("too much waits for the database, one note is lost",
			log_text("session", n->session_id));
		free(n);
		return;
	}
	*l->notes_last = n;
	l->notes_last = &n->next;
	l->notes_count++;
	l->chores[CHORE_NOTES].wanted = true;
	chores_start(l);
}

void ledger_session_ended(struct ledger *l, const char *session_id, const char *reason,
	uint64_t up_bytes, uint64_t down_bytes)
{
	struct note *n = xnew(struct note);
	n->up_bytes = up_bytes;
	n->down_bytes = down_bytes;
	(void)!text_copy(n->session_id, sizeof(n->session_id), session_id);
	(void)!text_copy(n->reason, sizeof(n->reason), reason);
	note_add(l, n);
}

void ledger_abandoned(struct ledger *l, const char *address, const char *name, const char *reason)
{
	struct note *n = xnew(struct note);
	(void)!text_copy(n->address, sizeof(n->address), address);
	(void)!text_copy(n->name, sizeof(n->name), name);
	(void)!text_copy(n->reason, sizeof(n->reason), reason);
	note_add(l, n);
}
