// SPDX-License-Identifier: Apache-2.0
// The one way to raise an error: a struct on the caller's stack, filled where the failure happens.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"

// A function that can fail takes `struct err *e` last and returns
//
//       0     done
//     < 0     failed, `e` is filled
//     > 0     a named outcome (lib/outcome.h); `e` holds a sentence if the header says so
//
// The caller writes `struct err e;` (no initialisation needed), passes `&e` down and, at the top of
// a unit of work, logs it once. Functions in between either return what they got or add context:
//
//     if (file_read(path, &text, e) < 0)
//             return err_wrap(e, "read the client key of host %s", host_id);
//
// Messages are for people: what was tried, then why it failed, and where it helps what to do. They
// never hold SQL parameters, tokens, keys or passwords. A text that is too long is cut.
enum {
	ERR_MESSAGE_MAX = 512,
	ERR_DETAIL_MAX = 1024,
	ERR_HINT_MAX = 256,
};

struct err {
	int code; // errno-like: ENOENT, EINVAL, ETIMEDOUT, ... EIO for what SQL refused
	char sqlstate[6]; // "" unless PostgreSQL raised it, e.g. "CP404"
	char message[ERR_MESSAGE_MAX];
	char detail[ERR_DETAIL_MAX]; // DETAIL of SQL; JSON for the classes of our own
	char hint[ERR_HINT_MAX]; // HINT of SQL
};

// Fills `e` with the message and appends ": " and the errno's text. Always returns -1.
// `code` must not be 0.
_must_check_ _cold_ _printf_(3, 4) int err_set(struct err *e, int code, const char *format, ...);

// The same for a sentence that says everything by itself: nothing is appended.
_must_check_ _cold_ _printf_(3, 4) int err_say(struct err *e, int code, const char *format, ...);

// The same for a caller that goes on: fills `e` with the sentence, to be reported later.
_cold_ _printf_(3, 4) void err_note(struct err *e, int code, const char *format, ...);

// The same for a named outcome (> 0) that is not a failure: fills `e` and returns `outcome`.
_cold_ _printf_(4, 5) int err_outcome(
	struct err *e, int outcome, int code, const char *format, ...);

// Puts "context: " before the message that is already there; code, sqlstate, detail and hint stay.
// Always returns -1.
_must_check_ _cold_ _printf_(2, 3) int err_wrap(struct err *e, const char *format, ...);

// An error of SQL. `detail` and `hint` may be NULL. Always returns -1.
_must_check_ _cold_ int err_sql(struct err *e, const char sqlstate[static 5], const char *message,
	const char *detail, const char *hint);

// What trying again would bring. This is the only place in C that decides it.
enum err_retry {
	ERR_RETRY_NO, // the same call would fail the same way
	ERR_RETRY_AGAIN, // deadlock or serialization failure: the same arguments, at once
	// a function was replaced under a prepared statement: prepare again, at once
	ERR_RETRY_PREPARE,
	ERR_RETRY_LATER, // something is away or busy: the same arguments after a pause
};

enum err_retry err_retry(const struct err *e);

// true unless err_retry() says ERR_RETRY_NO: what a task reports as "retryable".
bool err_is_retryable(const struct err *e);
