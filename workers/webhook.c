// SPDX-License-Identifier: Apache-2.0
// webhook.deliver and webhook.test: SQL says what to send next and what becomes of it; this sends.
#include "workers/kinds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/addr.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/http.h"
#include "lib/mem.h"
#include "lib/seal.h"
#include "lib/webhook.h"
#include "workers/sealing.h"

enum {
	CALL_TIMEOUT_MS = 3000,
	SEND_TIMEOUT_MS = 10000, // from the name's look-up to the end of the answer
	RESERVE_MS = 2 * SEND_TIMEOUT_MS, // with less time left what waits is the next task's
	ANSWER_MAX = 64 * 1024,
};

enum { COLUMN_EVENT, COLUMN_ID, COLUMN_BODY, COLUMN_URL, COLUMN_SECRET };

// The task's own: its connections go with it, so each task resolves names itself.
struct sender {
	struct task *task;
	struct http *http;
	char refusal[ERR_MESSAGE_MAX]; // why the last address was not admitted; "": it was
};

// How a try went.
struct receipt {
	int status; // of the answer; 0: there was none
	int64_t retry_after_s; // what the receiver asked for; 0: nothing
	char error[ERR_MESSAGE_MAX]; // ""; the receiver took it
};

int webhook_begin(struct task *task, struct err *e)
{
	struct sender *sender = xnew(struct sender);

	(void)e;
	sender->task = task;
	sender->http = http_new();
	task->state = sender;
	return 0;
}

void webhook_end(struct task *task)
{
	struct sender *sender = task->state;

	http_free(sender->http);
	free(sender);
	task->state = NULL;
}

// SQL has the rule. Without its answer nothing is connected to.
static bool admit(void *data, const struct addr_port *to)
{
	struct sender *sender = data;
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct wait w = task_wait(sender->task, CALL_TIMEOUT_MS);
	char address[ADDR_TEXT_MAX];
	struct err e;

	addr_text(&to->addr, address);
	int r = db_call(sender->task->db,
		DB_CALL("select webhook.address_refusal($1::inet)", address), &w, &rows, &e);
	const char *refusal = r == 0 ? db_text(rows, 0, 0)
				     : "the database did not say whether it may be connected to";
	snprintf(sender->refusal, sizeof(sender->refusal), "%s", refusal ? refusal : "");
	return !refusal;
}

// The signature is made for each try: receivers refuse an old timestamp.
static int sign(const struct sealing *sealing, const struct pg_result *message, int64_t now,
	char ret[static WEBHOOK_SIGNATURE_SIZE], struct err *e)
{
	_cleanup_(wipe_freep) char *secret = NULL;
	size_t ignored;

	if (seal_open(&sealing->pair, db_text(message, 0, COLUMN_SECRET), &secret, &ignored, e) < 0)
		return -1;
	return webhook_sign(secret, db_text(message, 0, COLUMN_ID), now,
		db_text(message, 0, COLUMN_BODY), ret, e);
}

static int post(struct sender *sender, const struct pg_result *message, struct http_answer *ret,
	struct err *e)
{
	char signature[WEBHOOK_SIGNATURE_SIZE];
	int64_t now = time(NULL);

	sender->refusal[0] = '\0';
	if (sign(sender->task->program, message, now, signature, e) < 0)
		return -1;
	_cleanup_(freep) char *id = xasprintf("webhook-id: %s", db_text(message, 0, COLUMN_ID));
	_cleanup_(freep) char *timestamp = xasprintf("webhook-timestamp: %" PRId64, now);
	_cleanup_(freep) char *signed_by = xasprintf("webhook-signature: %s", signature);
	const char *const headers[] = {"Content-Type: application/json",
		"User-Agent: cloud-cli-proxy/" CCP_VERSION, id, timestamp, signed_by, NULL};
	const struct http_request request = {.method = "POST",
		.url = db_text(message, 0, COLUMN_URL),
		.headers = headers,
		.body = db_text(message, 0, COLUMN_BODY),
		.body_len = strlen(db_text(message, 0, COLUMN_BODY)),
		.answer_max_bytes = ANSWER_MAX,
		.answer_cut = true,
		.admit = admit,
		.admit_data = sender,
		.name = "the receiver"};
	struct wait w = task_wait(sender->task, SEND_TIMEOUT_MS);

	return http_do(sender->http, &request, &w, ret, e);
}

// 0 with a receipt, of whatever end; WAIT_CANCELED.
static int send_message(
	struct sender *sender, const struct pg_result *message, struct receipt *ret, struct err *e)
{
	struct http_answer answer = {0};
	int r = post(sender, message, &answer, e);

	*ret = (struct receipt){.status = answer.status, .retry_after_s = answer.retry_after_s};
	http_answer_done(&answer);
	if (r == WAIT_CANCELED)
		return r;
	if (r != 0)
		snprintf(ret->error, sizeof(ret->error), "%s",
			sender->refusal[0] != '\0' ? sender->refusal : e->message);
	else if (ret->status >= 300 && ret->status < 400)
		snprintf(ret->error, sizeof(ret->error),
			"the receiver answers %d, and redirects are not followed: give the URL that it leads to",
			ret->status);
	else if (ret->status < 200 || ret->status >= 400)
		snprintf(ret->error, sizeof(ret->error), "the receiver answers %d", ret->status);
	return 0;
}

// SQL's word for it: ok, again, failing, stale.
static int report(struct task *task, const struct pg_result *message, const struct receipt *receipt,
	struct pg_result **ret, struct err *e)
{
	struct db_number lease = db_number(task->lease), status = db_number(receipt->status),
			 retry_after_s = db_number(receipt->retry_after_s);

	return task_call(task,
		DB_CALL("select webhook.report($1, $2, $3, $4, $5, $6)", task->id, lease.text,
			db_text(message, 0, COLUMN_EVENT),
			receipt->status != 0 ? status.text : NULL,
			receipt->error[0] != '\0' ? receipt->error : NULL, retry_after_s.text),
		ret, e);
}

// Sends one message. 0: it was taken; TASK_DONE: there is none; or what the step is to return.
static int send_next(struct task *task, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *message = NULL, *answer = NULL;
	struct db_number lease = db_number(task->lease);
	struct receipt receipt;
	int r = task_call(task,
		DB_CALL("select event_id, message_id, body, url, secret_sealed from webhook.next($1, $2)",
			task->id, lease.text),
		&message, e);

	if (r == 0 && db_rows(message) == 0)
		return TASK_DONE;
	if (r == 0)
		r = send_message(task->state, message, &receipt, e);
	if (r == 0)
		r = report(task, message, &receipt, &answer, e);
	if (r != 0)
		return r;
	if (receipt.status != 0)
		json_set_int(task->result, "status", receipt.status);
	const char *word = db_text(answer, 0, 0);
	if (strcmp(word, "ok") == 0)
		return 0;
	err_note(e, EAGAIN, "%s", receipt.error[0] != '\0' ? receipt.error : "the webhook is gone");
	return task_fail(
		task, "not_delivered", strcmp(word, "again") == 0 ? TASK_RETRY_YES : TASK_RETRY_NO);
}

// One that fails after others were taken is tried again by the next task, whose pauses begin with the shortest.
static int deliver(struct task *task, struct err *e)
{
	int64_t delivered = 0;
	int r = 0;

	while (r == 0 && task->deadline_ms - wait_now_ms() > RESERVE_MS) {
		r = send_next(task, e);
		delivered += r == 0;
		json_set_int(task->result, "delivered", delivered);
	}
	if (r == TASK_DONE || (r == -1 && delivered > 0 && task->retry == TASK_RETRY_YES))
		return 0;
	return r;
}

static int test(struct task *task, struct err *e)
{
	int r = send_next(task, e);

	if (r != TASK_DONE)
		return r;
	err_note(e, ENOENT, "the webhook is gone");
	return task_fail(task, "webhook_gone", TASK_RETRY_NO);
}

const struct task_step webhook_deliver_steps[] = {
	{.name = "deliver",
		.stage = "delivering",
		.progress = 10,
		.sentence = "Sending what waits, in order",
		.run = deliver},
	{0},
};

const struct task_step webhook_test_steps[] = {
	{.name = "test",
		.stage = "testing",
		.progress = 10,
		.sentence = "Sending a test",
		.run = test},
	{0},
};
