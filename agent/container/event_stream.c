// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.0 answer that never ends, line by line: the bytes of Docker's event stream.
#include "agent/container/event_stream.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"

void event_stream_init(struct event_stream *s)
{
	s->part = STREAM_STATUS;
	s->begin = s->end = 0;
}

char *event_stream_space(struct event_stream *s, size_t *ret_size)
{
	memmove(s->bytes, s->bytes + s->begin, s->end - s->begin);
	s->end -= s->begin;
	s->begin = 0;
	*ret_size = sizeof(s->bytes) - s->end;
	return s->bytes + s->end;
}

void event_stream_added(struct event_stream *s, size_t count)
{
	s->end += count;
}

// Takes one line, without its end. NULL: it has not come whole.
static char *line_take(struct event_stream *s, size_t *ret_len)
{
	char *line = s->bytes + s->begin;
	char *newline = memchr(line, '\n', s->end - s->begin);
	if (!newline)
		return NULL;
	s->begin += (size_t)(newline - line) + 1;
	if (newline > line && newline[-1] == '\r')
		newline--;
	*newline = '\0';
	*ret_len = (size_t)(newline - line);
	return line;
}

static int status_check(const char *line, struct err *e)
{
	static const char *const good[] = {"HTTP/1.0 200", "HTTP/1.1 200"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (strncmp(line, good[i], strlen(good[i])) == 0)
			return 0;
	return err_say(e, EPROTO, "Docker refuses its events: %.100s", line);
}

int event_stream_next(struct event_stream *s, const char **ret_line, size_t *ret_len, struct err *e)
{
	size_t len;
	char *line;
	while ((line = line_take(s, &len))) {
		switch (s->part) {
		case STREAM_STATUS:
			if (status_check(line, e) < 0)
				return -1;
			s->part = STREAM_HEADERS;
			break;
		case STREAM_HEADERS:
			if (len > 0)
				break;
			s->part = STREAM_BODY;
			return STREAM_BEGUN;
		case STREAM_BODY:
			if (len == 0)
				break;
			*ret_line = line;
			*ret_len = len;
			return STREAM_LINE;
		}
	}
	if (s->end - s->begin == sizeof(s->bytes))
		return err_say(e, EMSGSIZE, "a line of Docker's events is longer than %zu bytes",
			sizeof(s->bytes));
	return STREAM_MORE;
}
