// SPDX-License-Identifier: Apache-2.0
// A bounded list of prepared calls, sent in order.
#include "agent/host/outbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/evidence.h"
#include "agent/host/host_spec.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"

enum { PARAMS = 10, AT_SIZE = 40 };

struct entry {
	const char *sql;
	char *params[PARAMS]; // the first is the process's id, filled when it is sent
	int count;
	struct entry *next;
};

struct proof {
	char host_id[SPEC_ID_SIZE];
	char at[AT_SIZE];
	int64_t life_s;
};

struct proofs {
	struct proof list[OUTBOX_MAX];
	unsigned count;
};

struct outbox {
	pthread_mutex_t lock; // of all that follows
	struct proofs *proofs; // to be sent; NULL: none
	pthread_cond_t sent; // a flush has ended
	bool sending;
	struct entry *first, **last;
	unsigned count;
	int64_t sequence;
	void (*wake)(void *data);
	void *data;
};

struct outbox *outbox_new(void (*wake)(void *data), void *data)
{
	struct outbox *box = xnew(struct outbox);
	pthread_condattr_t attr;

	pthread_mutex_init(&box->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&box->sent, &attr);
	pthread_condattr_destroy(&attr);
	box->last = &box->first;
	box->wake = wake;
	box->data = data;
	return box;
}

static void entry_free(struct entry *entry)
{
	for (int i = 0; i < entry->count; i++)
		free(entry->params[i]);
	free(entry);
}

// The lock is held.
static struct entry *pop(struct outbox *box)
{
	struct entry *entry = box->first;

	if (!entry)
		return NULL;
	box->first = entry->next;
	if (!box->first)
		box->last = &box->first;
	box->count--;
	return entry;
}

void outbox_free(struct outbox *box)
{
	struct entry *entry;

	while ((entry = pop(box)) != NULL)
		entry_free(entry);
	pthread_mutex_destroy(&box->lock);
	pthread_cond_destroy(&box->sent);
	free(box->proofs);
	free(box);
}

// The lock is held.
static void push(struct outbox *box, struct entry *entry)
{
	if (box->count >= OUTBOX_MAX)
		entry_free(pop(box));
	*box->last = entry;
	box->last = &entry->next;
	box->count++;
}

// Back to the head, in its place; as the oldest it is what a full ring forgets. The lock is held.
static void push_back(struct outbox *box, struct entry *entry)
{
	if (box->count >= OUTBOX_MAX) {
		entry_free(entry);
		return;
	}
	entry->next = box->first;
	if (!box->first)
		box->last = &entry->next;
	box->first = entry;
	box->count++;
}

static char *copy(const char *text)
{
	return !text || text[0] == '\0' ? NULL : xstrdup(text);
}

static char *now_text(void)
{
	struct timespec t;
	struct tm tm;
	char day[AT_SIZE];

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	return xasprintf("%s.%06ldZ", day, t.tv_nsec / 1000);
}

void outbox_observe(struct outbox *box, const char *host_id, const char *state, const char *code,
	const char *message)
{
	struct entry *entry = xnew(struct entry);

	entry->sql = "select host.observe($1, $2, $3, $4, $5, $6, $7)";
	entry->count = 7;
	entry->params[1] = xstrdup(host_id);
	entry->params[3] = xstrdup(state);
	entry->params[4] = copy(code);
	entry->params[5] = copy(message);
	pthread_mutex_lock(&box->lock);
	entry->params[2] = xasprintf("%lld", (long long)++box->sequence);
	entry->params[6] = now_text();
	push(box, entry);
	pthread_mutex_unlock(&box->lock);
	box->wake(box->data);
}

// A later proof of the host takes the place of an earlier one, or, if `keep`, does not. One too many
// is forgotten: the next is not far. The lock is held.
static void proof_put(struct outbox *box, const struct proof *proof, bool keep)
{
	unsigned i = 0;

	if (!box->proofs)
		box->proofs = xnew(struct proofs);
	while (i < box->proofs->count && strcmp(box->proofs->list[i].host_id, proof->host_id) != 0)
		i++;
	if (i == OUTBOX_MAX || (i < box->proofs->count && keep))
		return;
	box->proofs->list[i] = *proof;
	if (i == box->proofs->count)
		box->proofs->count++;
}

void outbox_proven(struct outbox *box, const char *host_id, int64_t life_s)
{
	_cleanup_(freep) char *at = now_text();
	struct proof proof = {.life_s = life_s};

	(void)!text_copy(proof.host_id, sizeof(proof.host_id), host_id);
	(void)!text_copy(proof.at, sizeof(proof.at), at);
	pthread_mutex_lock(&box->lock);
	proof_put(box, &proof, false);
	pthread_mutex_unlock(&box->lock);
}

int64_t outbox_sequence(struct outbox *box)
{
	pthread_mutex_lock(&box->lock);
	int64_t sequence = ++box->sequence;
	pthread_mutex_unlock(&box->lock);
	return sequence;
}

void outbox_verified(struct outbox *box, const char *host_id, const char *task_id, const char *kind,
	const struct evidence *ev)
{
	struct entry *entry = xnew(struct entry);

	entry->sql = "select verification.record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
	entry->count = 10;
	entry->params[1] = xstrdup(host_id);
	entry->params[2] = copy(task_id);
	entry->params[3] = xstrdup(kind);
	entry->params[4] = xstrdup(outcome_name(ev->outcome));
	entry->params[5] = copy(ev->code);
	entry->params[6] = copy(ev->observed_ip);
	entry->params[7] = json_print(ev->checks);
	entry->params[8] = xasprintf("%d", evidence_duration_ms(ev));
	entry->params[9] = now_text();
	pthread_mutex_lock(&box->lock);
	push(box, entry);
	pthread_mutex_unlock(&box->lock);
	box->wake(box->data);
}

void outbox_ssh(struct outbox *box, const char *host_id, const char *why_not)
{
	struct entry *entry = xnew(struct entry);

	entry->sql = "select host.observe_ssh($1, $2, $3, $4)";
	entry->count = 4;
	entry->params[1] = xstrdup(host_id);
	entry->params[2] = copy(why_not);
	entry->params[3] = now_text();
	pthread_mutex_lock(&box->lock);
	push(box, entry);
	pthread_mutex_unlock(&box->lock);
	box->wake(box->data);
}

void outbox_troubles(struct outbox *box, const cJSON *troubles)
{
	struct entry *entry = xnew(struct entry);

	entry->sql = "select node.set_troubles($1, $2)";
	entry->count = 2;
	entry->params[1] = json_print(troubles);
	pthread_mutex_lock(&box->lock);
	push(box, entry);
	pthread_mutex_unlock(&box->lock);
	box->wake(box->data);
}

void outbox_disk(struct outbox *box, const struct disk_room *room)
{
	struct entry *entry = xnew(struct entry);

	entry->sql = "select node.set_disk($1, $2, $3, $4, $5)";
	entry->count = 5;
	entry->params[1] = xasprintf("%lld", (long long)room->free_bytes);
	entry->params[2] = xasprintf("%lld", (long long)room->bytes);
	entry->params[3] = xasprintf("%lld", (long long)room->free_files);
	entry->params[4] = xasprintf("%lld", (long long)room->files);
	pthread_mutex_lock(&box->lock);
	push(box, entry);
	pthread_mutex_unlock(&box->lock);
	box->wake(box->data);
}

void outbox_usage(struct outbox *box, const char *host_id, int64_t bytes, int64_t files, int depth)
{
	struct entry *entry = xnew(struct entry);

	entry->sql = "select host.note_disk($1, $2, $3, $4, $5)";
	entry->count = 5;
	entry->params[1] = xstrdup(host_id);
	entry->params[2] = xasprintf("%lld", (long long)bytes);
	entry->params[3] = xasprintf("%lld", (long long)files);
	entry->params[4] = xasprintf("%d", depth);
	pthread_mutex_lock(&box->lock);
	push(box, entry);
	pthread_mutex_unlock(&box->lock);
	box->wake(box->data);
}

static int entry_send(
	struct entry *entry, struct db *db, int64_t process_id, const struct wait *w, struct err *e)
{
	const char *params[PARAMS];
	const struct db_call call = {
		.sql = entry->sql, .params = params, .params_count = entry->count};
	struct db_number process = db_number(process_id);

	for (int i = 0; i < entry->count; i++)
		params[i] = entry->params[i];
	params[0] = process.text;
	int r = db_call(db, &call, w, NULL, e);
	if (r == 0 || r == WAIT_CANCELED || db_is_away(r, e))
		return r;
	log_warning_often(
		"the database refuses what was seen", log_text("call", entry->sql), log_err(e));
	return 0;
}

static int proofs_call(const struct proofs *proofs, struct db *db, int64_t process_id,
	const struct wait *w, struct err *e)
{
	enum { WIDTH = SPEC_ID_SIZE + AT_SIZE };
	size_t size = (size_t)proofs->count * WIDTH + 2;
	_cleanup_(freep) char *ids = xcalloc(1, size), *at = xcalloc(1, size);
	_cleanup_(freep) char *lives = xcalloc(1, size);
	struct db_number process = db_number(process_id);
	size_t n = 0, m = 0, k = 0;

	for (unsigned i = 0; i < proofs->count; i++) {
		const struct proof *p = &proofs->list[i];
		const char *before = i == 0 ? "{" : ",";

		n += (size_t)snprintf(ids + n, size - n, "%s%s", before, p->host_id);
		m += (size_t)snprintf(at + m, size - m, "%s%s", before, p->at);
		k += (size_t)snprintf(lives + k, size - k, "%s%lld", before, (long long)p->life_s);
	}
	snprintf(ids + n, size - n, "}");
	snprintf(at + m, size - m, "}");
	snprintf(lives + k, size - k, "}");
	return db_call(db,
		DB_CALL("select host.note_proofs($1, $2, $3, $4)", process.text, ids, at, lives), w,
		NULL, e);
}

// After everything else: what they are about has been observed by then.
static int proofs_send(
	struct outbox *box, struct db *db, int64_t process_id, const struct wait *w, struct err *e)
{
	pthread_mutex_lock(&box->lock);
	_cleanup_(freep) struct proofs *proofs = TAKE_PTR(box->proofs);
	pthread_mutex_unlock(&box->lock);
	if (!proofs)
		return 0;
	int r = proofs_call(proofs, db, process_id, w, e);
	if (r != WAIT_CANCELED && !db_is_away(r, e))
		return 0;
	pthread_mutex_lock(&box->lock);
	for (unsigned i = 0; i < proofs->count; i++)
		proof_put(box, &proofs->list[i], true);
	pthread_mutex_unlock(&box->lock);
	return r;
}

static int sending_begin(struct outbox *box, const struct wait *w, struct err *e)
{
	struct timespec until = {
		.tv_sec = w->until_ms / 1000, .tv_nsec = w->until_ms % 1000 * 1000000};
	int r = 0;

	pthread_mutex_lock(&box->lock);
	while (box->sending && r == 0)
		r = pthread_cond_timedwait(&box->sent, &box->lock, &until);
	if (r == 0)
		box->sending = true;
	pthread_mutex_unlock(&box->lock);
	if (r == 0)
		return 0;
	err_note(e, ETIMEDOUT, "another thread is still sending");
	return WAIT_TIMEOUT;
}

static void sending_end(struct outbox *box)
{
	pthread_mutex_lock(&box->lock);
	box->sending = false;
	pthread_cond_signal(&box->sent);
	pthread_mutex_unlock(&box->lock);
}

int outbox_flush(
	struct outbox *box, struct db *db, int64_t process_id, const struct wait *w, struct err *e)
{
	int r = sending_begin(box, w, e);

	if (r != 0)
		return r;
	while (r == 0) {
		pthread_mutex_lock(&box->lock);
		struct entry *entry = pop(box);
		pthread_mutex_unlock(&box->lock);
		if (!entry)
			break;
		entry->next = NULL;
		r = entry_send(entry, db, process_id, w, e);
		if (r == 0) {
			entry_free(entry);
			continue;
		}
		pthread_mutex_lock(&box->lock);
		push_back(box, entry);
		pthread_mutex_unlock(&box->lock);
	}
	if (r == 0)
		r = proofs_send(box, db, process_id, w, e);
	sending_end(box);
	return r;
}

bool outbox_has_room(struct outbox *box)
{
	pthread_mutex_lock(&box->lock);
	bool room = box->count < OUTBOX_MAX / 2;
	pthread_mutex_unlock(&box->lock);
	return room;
}

bool outbox_is_empty(struct outbox *box)
{
	pthread_mutex_lock(&box->lock);
	bool empty = !box->first && !box->proofs;
	pthread_mutex_unlock(&box->lock);
	return empty;
}
