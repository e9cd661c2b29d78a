// SPDX-License-Identifier: Apache-2.0
// Logfmt lines.
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

static const char *log_program = "";
static enum log_level log_lowest = LOG_LEVEL_INFO;

struct line {
	char text[LOG_LINE_MAX];
	size_t len;
};

void log_init(const char *program, enum log_level level)
{
	log_program = program;
	log_lowest = level;
}

// Room for the closing quote and the newline is always kept.
static void line_add(struct line *line, const char *bytes, size_t len)
{
	size_t room = sizeof(line->text) - 2 - line->len;

	if (len > room)
		len = room;
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
}

static bool is_plain(const char *text)
{
	if (!*text)
		return false;
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p >= 0x7f)
			return false;
	return true;
}

// Everything outside printable ASCII is escaped byte by byte: a log is for terminals and tools
// alike.
static void line_add_value(struct line *line, const char *text)
{
	if (is_plain(text)) {
		line_add(line, text, strlen(text));
		return;
	}
	line_add(line, "\"", 1);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		char escaped[5];
		if (*p == '"' || *p == '\\')
			snprintf(escaped, sizeof(escaped), "\\%c", *p);
		else if (*p < ' ' || *p >= 0x7f)
			snprintf(escaped, sizeof(escaped), "\\x%02x", *p);
		else
			snprintf(escaped, sizeof(escaped), "%c", *p);
		size_t len = strlen(escaped);
		if (len > sizeof(line->text) - 2 - line->len)
			break; // no half escapes
		line_add(line, escaped, len);
	}
	line->text[line->len++] = '"';
}

static void line_add_text(struct line *line, const char *key, const char *text)
{
	if (line->len + strlen(key) + 8 > sizeof(line->text))
		return; // full: later fields are dropped whole
	if (line->len > 0)
		line_add(line, " ", 1);
	line_add(line, key, strlen(key));
	line_add(line, "=", 1);
	line_add_value(line, text ? text : "");
}

static void line_add_field(struct line *line, const struct log_field *field)
{
	char number[24];

	switch (field->type) {
	case LOG_TEXT:
		line_add_text(line, field->key, field->text);
		break;
	case LOG_NUMBER:
		snprintf(number, sizeof(number), "%" PRId64, field->number);
		line_add_text(line, field->key, number);
		break;
	case LOG_ERR:
		line_add_text(line, field->key, field->err->message);
		if (field->err->sqlstate[0])
			line_add_text(line, "sqlstate", field->err->sqlstate);
		break;
	}
}

static void line_add_time(struct line *line)
{
	struct timespec now;
	struct tm utc;
	char text[64], whole[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, sizeof(text), "%s.%03ldZ", whole, now.tv_nsec / 1000000);
	line_add_text(line, "time", text);
}

static void line_begin(struct line *line, enum log_level level, const char *event)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	char pid[16];

	line->len = 0;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	line_add_time(line);
	line_add_text(line, "level", names[level]);
	line_add_text(line, "program", log_program);
	line_add_text(line, "pid", pid);
	line_add_text(line, "event", event);
}

// A log that cannot be written must not stop the work. Who reads the pipe waits as long as its disk
// is full, and the pipe fills. A pipe with room has room for a whole line (PIPE_BUF).
static bool line_write(struct line *line)
{
	struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (poll(&room, 1, 0) == 0)
		return false;
	line->text[line->len++] = '\n';
	(void)!write(STDERR_FILENO, line->text, line->len);
	return true;
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // from poll to write
	static int64_t lost; // lines, since the last that was written
	struct line line, before;

	if (level < log_lowest)
		return;
	int saved = errno;
	line_begin(&line, level, event);
	for (; fields->key; fields++)
		line_add_field(&line, fields);
	pthread_mutex_lock(&lock);
	if (lost > 0) {
		const struct log_field count = log_number("lines", lost);

		line_begin(&before, LOG_LEVEL_WARNING, "the log was full, lines are lost");
		line_add_field(&before, &count);
		lost = line_write(&before) ? 0 : lost;
	}
	if (lost > 0 || !line_write(&line))
		lost++;
	pthread_mutex_unlock(&lock);
	errno = saved;
}

// What was written of an event since a moment, and what was left out.
struct often {
	const char *event; // NULL: a free place
	enum log_level level;
	int64_t since_ms;
	unsigned lines, more;
};

static struct often often_events[LOG_OFTEN_EVENTS];
static pthread_mutex_t often_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t (*log_now_ms)(void) = wait_now_ms;

void log_set_clock(int64_t (*now_ms)(void))
{
	log_now_ms = now_ms;
}

static bool often_is_over(const struct often *often)
{
	return !often->event || log_now_ms() - often->since_ms >= LOG_OFTEN_MS;
}

// The lock is held.
static void often_end(struct often *often)
{
	if (often->event && often->more > 0)
		log_event(often->level, often->event, LOG_FIELDS(log_number("more", often->more)));
	*often = (struct often){0};
}

// The event's place; NULL when all are taken by others, whose time is not over. The lock is held.
static struct often *often_find(enum log_level level, const char *event)
{
	struct often *free_place = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(often_events); i++) {
		struct often *often = &often_events[i];
		if (often_is_over(often))
			often_end(often);
		if (often->event && strcmp(often->event, event) == 0)
			return often;
		if (!often->event && !free_place)
			free_place = often;
	}
	if (free_place)
		*free_place =
			(struct often){.event = event, .level = level, .since_ms = log_now_ms()};
	return free_place;
}

void log_event_often(enum log_level level, const char *event, const struct log_field *fields)
{
	pthread_mutex_lock(&often_lock);
	struct often *often = often_find(level, event);
	if (often && often->lines == LOG_OFTEN_LINES) {
		often->more++;
	} else {
		if (often)
			often->lines++;
		log_event(level, event, fields);
	}
	pthread_mutex_unlock(&often_lock);
}

void log_flush(void)
{
	pthread_mutex_lock(&often_lock);
	for (size_t i = 0; i < ARRAY_SIZE(often_events); i++)
		if (often_is_over(&often_events[i]))
			often_end(&often_events[i]);
	pthread_mutex_unlock(&often_lock);
}
