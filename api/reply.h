// SPDX-License-Identifier: Apache-2.0
// Answers: JSON from SQL, problem documents (RFC 9457), name=value lines.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "api/cookie.h"

struct db;
struct err;
struct request;

// Where a stream's bytes come from. Both are called on the HTTP thread and must not block.
struct reply_stream {
	// Fills at most `max` bytes and returns how many; 0: none yet, connection_wake when there are;
	// -1: that was all; -2: it broke off, which the client sees by the missing end.
	ssize_t (*read)(void *data, char *to, size_t max);
	void (*done)(void *data); // once, when the stream has ended or the client has gone
	void *data;
};

// Its content is a buffer, a file or a stream.
struct reply {
	unsigned status; // 0: none yet
	const char *data; // the buffer or file; NULL: none
	size_t len;
	char *owned; // heap: a buffer, which is `data`; NULL: a file, which lives as long as the program
	struct reply_stream stream; // its read is NULL when there is none
	const char *content_type; // a constant; NULL when there is no content
	const char
		*policy; // Content-Security-Policy, a constant; NULL: nothing may be done with it
	char etag[72]; // "" none
	char allow[64]; // "" none
	int retry_after_s; // 0: none
	char cookie[COOKIE_LINE_SIZE]; // Set-Cookie; "" none
};

// Each function that takes the request sets r->reply, once; a second answer asserts.

// Takes `json` (heap text, made by SQL). With r->wants_lines it goes out as lines.
void reply_json(struct request *r, unsigned status, char *json);
void reply_text(
	struct request *r, unsigned status, const char *content_type, char *text); // takes text
void reply_file(
	struct request *r, unsigned status, const char *content_type, const char *text); // keeps it
void reply_stream(
	struct request *r, unsigned status, const char *content_type, struct reply_stream stream);
void reply_empty(struct request *r, unsigned status);

// A problem: `code` is the error_code, `sentence` is for people. `extra` is an object whose members
// join the document ("errors", "task_id", ...), or NULL; it is taken. An extra "retry_after_s"
// becomes the Retry-After header as well.
void reply_problem(
	struct request *r, unsigned status, const char *code, const char *sentence, cJSON *extra);

// A failed call: SQLSTATE class CP carries its HTTP status and, in DETAIL, the error_code and more;
// a database that is away is 503; anything else is 500 and logged. `outcome` is what db_call
// returned.
void reply_error(struct request *r, int outcome, const struct err *e);

// A call that waited for a lock as long as it may (55P03): 503, and who holds it, asked on the same
// connection. Returns false, and answers nothing, for any other error.
bool reply_locked(struct request *r, struct db *db, const struct err *e);

// A refusal that SQL returned instead of raising: a verdict other than "ok".
void reply_verdict(struct request *r, const char *verdict, int retry_after_s, const char *sentence);

// 422 with the input's complaints, or 404 for a malformed id in the path.
void reply_invalid(struct request *r);

// {"a":1,"b":["x","y"]} as "a=1\nb=x\nb=y\n": what a shell can read. Nested objects are left out,
// line breaks in texts become spaces. The caller frees it.
char *reply_lines(const cJSON *object);

// 503 with Retry-After: the pools are full, the program stops, the database has not answered yet.
void reply_busy(struct request *r);
void reply_stopping(struct request *r);
void reply_not_ready(struct request *r);

// 429: the login has used up what it may ask for a minute.
void reply_too_many(struct request *r, int retry_after_s);

// 403: the refresh cookie was sent, or asked for, by what is not a page of this server.
void reply_foreign_page(struct request *r);

// 503: the installation lacks a setting, which the sentence names.
void reply_incomplete(struct request *r, const char *sentence);

// 429 with Retry-After.
void reply_too_many_streams(struct request *r);

// The codes that problems may have besides what SQL raises, one by one: "" for none, NULL after the
// last.
const char *reply_code(size_t i);

// Puts `secret` into the member that SQL left as the empty string; no secret (the caller chose it)
// makes it null. A member that SQL left null stays: the request is a repeated one, and a secret is
// never shown again.
void reply_set_secret(char **json, const char *member, const char *secret);

// What a status is called in the first line of an answer.
const char *reply_title(unsigned status);

// Frees what it owns.
void reply_done(struct reply *reply);
