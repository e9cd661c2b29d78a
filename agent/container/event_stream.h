// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.0 answer that never ends, line by line: the bytes of Docker's event stream.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

struct err;

enum { EVENT_STREAM_LINE_MAX = 64 * 1024 };

// RFC 9112: a status line, header lines, an empty line, the body. An answer to an HTTP/1.0 request
// is not chunked, so the body's lines are the events.
struct event_stream {
	enum { STREAM_STATUS, STREAM_HEADERS, STREAM_BODY } part;
	size_t begin, end; // what has come and was not given out yet
	char bytes[EVENT_STREAM_LINE_MAX];
};
void event_stream_init(struct event_stream *s);

// Where the next bytes go; at least one fits unless event_stream_next has failed.
char *event_stream_space(struct event_stream *s, size_t *ret_size);
void event_stream_added(struct event_stream *s, size_t count);

enum event_stream_outcome {
	STREAM_MORE = 0, // nothing whole has come: read on
	STREAM_BEGUN = 1, // the header has ended: from now on nothing is missed
	STREAM_LINE = 2, // *ret_line, NUL-terminated, valid until the next call
};

// The next thing that has come. -1: refused (e says how), or a line that is too long.
_must_check_ int event_stream_next(
	struct event_stream *s, const char **ret_line, size_t *ret_len, struct err *e);
