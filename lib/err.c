// SPDX-License-Identifier: Apache-2.0
// Filling and judging struct err.
#include "lib/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/mem.h"

_printf_(3, 0) static void err_vset(struct err *e, int code, const char *format, va_list args)
{
	e->code = code;
	e->sqlstate[0] = '\0';
	e->detail[0] = '\0';
	e->hint[0] = '\0';
	vsnprintf(e->message, sizeof(e->message), format, args);
}

int err_set(struct err *e, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	err_vset(e, code, format, args);
	va_end(args);
	size_t len = strlen(e->message);
	const char *why = strerrordesc_np(code);
	snprintf(e->message + len, sizeof(e->message) - len, ": %s", why ? why : "unknown error");
	return -1;
}

int err_say(struct err *e, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	err_vset(e, code, format, args);
	va_end(args);
	return -1;
}

void err_note(struct err *e, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	err_vset(e, code, format, args);
	va_end(args);
}

int err_outcome(struct err *e, int outcome, int code, const char *format, ...)
{
	va_list args;

	assert(outcome > 0);
	va_start(args, format);
	err_vset(e, code, format, args);
	va_end(args);
	return outcome;
}

int err_wrap(struct err *e, const char *format, ...)
{
	char old[ERR_MESSAGE_MAX];
	va_list args;

	memcpy(old, e->message, sizeof(old));
	va_start(args, format);
	vsnprintf(e->message, sizeof(e->message), format, args);
	va_end(args);
	size_t len = strlen(e->message);
	snprintf(e->message + len, sizeof(e->message) - len, ": %s", old);
	return -1;
}

int err_sql(struct err *e, const char sqlstate[static 5], const char *message, const char *detail,
	const char *hint)
{
	e->code = EIO;
	snprintf(e->sqlstate, sizeof(e->sqlstate), "%.5s", sqlstate);
	snprintf(e->message, sizeof(e->message), "%s", message);
	snprintf(e->detail, sizeof(e->detail), "%s", detail ? detail : "");
	snprintf(e->hint, sizeof(e->hint), "%s", hint ? hint : "");
	return -1;
}

// What SQLSTATEs and errnos mean for a caller who could try again; the first match counts. A
// two-letter sqlstate is a class; `text` narrows it to messages that contain it.
static const struct {
	const char *sqlstate;
	const char *text;
	int code;
	enum err_retry retry;
} retry_rules[] = {
	{"40001", NULL, 0, ERR_RETRY_AGAIN}, // serialization_failure
	{"40P01", NULL, 0, ERR_RETRY_AGAIN}, // deadlock_detected
	{"XX000", "cache lookup failed", 0, ERR_RETRY_PREPARE},
	{"0A000", "cached plan must not change", 0, ERR_RETRY_PREPARE},
	{"26000", NULL, 0, ERR_RETRY_PREPARE}, // the prepared statement is gone (deallocate all)
	{"08", NULL, 0, ERR_RETRY_LATER}, // connection exceptions
	{"53", NULL, 0, ERR_RETRY_LATER}, // insufficient resources
	{"55P03", NULL, 0, ERR_RETRY_LATER}, // lock_timeout
	{"55006", NULL, 0, ERR_RETRY_LATER}, // object in use
	{"57014", NULL, 0, ERR_RETRY_LATER}, // statement_timeout
	{"57P", NULL, 0, ERR_RETRY_LATER}, // shutting down, crashed, starting up
	{"", NULL, EAGAIN, ERR_RETRY_LATER},
	{"", NULL, EBUSY, ERR_RETRY_LATER},
	{"", NULL, EINTR, ERR_RETRY_LATER},
	{"", NULL, ETIMEDOUT, ERR_RETRY_LATER},
	{"", NULL, ENOTCONN, ERR_RETRY_LATER},
	{"", NULL, ECONNREFUSED, ERR_RETRY_LATER},
	{"", NULL, ECONNRESET, ERR_RETRY_LATER},
	{"", NULL, ECONNABORTED, ERR_RETRY_LATER},
	{"", NULL, EPIPE, ERR_RETRY_LATER},
	{"", NULL, EHOSTUNREACH, ERR_RETRY_LATER},
	{"", NULL, ENETUNREACH, ERR_RETRY_LATER},
	{"", NULL, EMFILE, ERR_RETRY_LATER},
	{"", NULL, ENFILE, ERR_RETRY_LATER},
	{"", NULL, ENOMEM, ERR_RETRY_LATER},
};

enum err_retry err_retry(const struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(retry_rules); i++) {
		const char *sqlstate = retry_rules[i].sqlstate;
		bool hit = sqlstate[0] ? strncmp(e->sqlstate, sqlstate, strlen(sqlstate)) == 0
				       : !e->sqlstate[0] && e->code == retry_rules[i].code;
		if (hit && (!retry_rules[i].text || strstr(e->message, retry_rules[i].text)))
			return retry_rules[i].retry;
	}
	return ERR_RETRY_NO;
}

bool err_is_retryable(const struct err *e)
{
	return err_retry(e) != ERR_RETRY_NO;
}
