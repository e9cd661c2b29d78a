// SPDX-License-Identifier: Apache-2.0
// One logfmt line to stderr per event.
#pragma once

#include <stdint.h>

struct err;

// Only programs log; lib/ returns named outcomes and leaves it to them. A line is one write(), at
// most LOG_LINE_MAX bytes, so that lines of threads and processes that share a pipe never mix:
//
//     time=2025-01-02T03:04:05.678Z level=info program=ccp-agent pid=7 event="host started" ms=431
//
// Values are quoted when they need it, control characters and invalid UTF-8 are escaped: nothing
// that came from outside can forge a line. Never pass tokens, keys, passwords or SQL parameters.
enum { LOG_LINE_MAX = 4096 };

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

struct log_field {
	const char *key; // NULL: no field
	enum { LOG_TEXT, LOG_NUMBER, LOG_ERR } type;
	union {
		const char *text; // NULL is written as an empty value
		int64_t number;
		const struct err *err; // becomes error="..." and, when there is one, sqlstate=...
	};
};

// Names the program in every later line (the string is kept, not copied). Lines below `level` are
// dropped.
void log_init(const char *program, enum log_level level);

// For what others can cause as often as they like. Of one event LOG_OFTEN_LINES lines are written in
// LOG_OFTEN_MS and no more: what came before is worth more than the same again. When that time is over
// a line `event="..." more=N` says how many were left out: before the next line of the event, or by
// log_flush(), which a program calls from time to time. The event is kept, not copied.
enum { LOG_OFTEN_LINES = 20, LOG_OFTEN_MS = 10000, LOG_OFTEN_EVENTS = 16 };

void log_event_often(enum log_level level, const char *event, const struct log_field *fields);
void log_flush(void);
void log_set_clock(int64_t (*now_ms)(void)); // for tests

// Writes a line. `fields` is ended by a field whose key is NULL. Use the macros below.
void log_event(enum log_level level, const char *event, const struct log_field *fields);

// Fields: log_info("task claimed", log_text("task", id), log_number("lease", lease), log_err(&e));
static inline struct log_field log_text(const char *key, const char *text)
{
	return (struct log_field){.key = key, .type = LOG_TEXT, .text = text};
}

static inline struct log_field log_number(const char *key, int64_t number)
{
	return (struct log_field){.key = key, .type = LOG_NUMBER, .number = number};
}

static inline struct log_field log_err(const struct err *e)
{
	return (struct log_field){.key = "error", .type = LOG_ERR, .err = e};
}

#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})
#define log_debug(event, ...) log_event(LOG_LEVEL_DEBUG, event, LOG_FIELDS(__VA_ARGS__))
#define log_info(event, ...) log_event(LOG_LEVEL_INFO, event, LOG_FIELDS(__VA_ARGS__))
#define log_warning(event, ...) log_event(LOG_LEVEL_WARNING, event, LOG_FIELDS(__VA_ARGS__))
#define log_error(event, ...) log_event(LOG_LEVEL_ERROR, event, LOG_FIELDS(__VA_ARGS__))
#define log_info_often(event, ...) log_event_often(LOG_LEVEL_INFO, event, LOG_FIELDS(__VA_ARGS__))
#define log_warning_often(event, ...) \
	log_event_often(LOG_LEVEL_WARNING, event, LOG_FIELDS(__VA_ARGS__))
