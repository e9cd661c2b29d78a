// SPDX-License-Identifier: Apache-2.0
// What waits to go out to one client that listens: a bounded queue of texts. On one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
	STREAM_TEXTS_MAX = 1000, // then its client has fallen behind
	STREAM_BYTES_MAX = 1024 * 1024, // the same
};

// A text that many streams may hold. Its maker is its first holder.
struct stream_text;
struct stream_text *stream_text_new(char *text); // takes over `text`, which is on the heap
void stream_text_drop(struct stream_text *text); // one holder less; NULL is fine

// All zero when new.
struct stream {
	struct stream_text **texts; // a ring of `room`
	size_t room, first, count;
	size_t at; // how much of the first one is out
	size_t bytes; // of all that wait
	bool lost; // what did not fit was thrown away, and so is all that comes; the owner resets it
};

// Holds `text` until it is out. When it does not fit, all that waits is thrown away, but the text that
// is partly out.
void stream_add(struct stream *stream, struct stream_text *text);

// Moves at most `max` bytes out; returns how many.
size_t stream_take(struct stream *stream, char *to, size_t max);

// Throws away what waits, but the text that is partly out.
void stream_cut(struct stream *stream);

void stream_done(struct stream *stream);
