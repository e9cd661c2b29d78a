// SPDX-License-Identifier: Apache-2.0
// A ring that grows up to its limit.
#include "api/stream.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

enum { ROOM_MIN = 16 };

struct stream_text {
	unsigned holders;
	size_t len;
	char *text;
};

struct stream_text *stream_text_new(char *text)
{
	struct stream_text *one = xnew(struct stream_text);
	*one = (struct stream_text){.holders = 1, .len = strlen(text), .text = text};
	return one;
}

void stream_text_drop(struct stream_text *text)
{
	if (!text || --text->holders > 0)
		return;
	free(text->text);
	free(text);
}

static struct stream_text **place(const struct stream *stream, size_t i)
{
	return &stream->texts[(stream->first + i) % stream->room];
}

static void grow(struct stream *stream)
{
	size_t room = stream->room ? stream->room * 2 : ROOM_MIN;
	struct stream_text **texts = xcalloc(room, sizeof(struct stream_text *));
	for (size_t i = 0; i < stream->count; i++)
		texts[i] = *place(stream, i);
	free(stream->texts);
	stream->texts = texts;
	stream->room = room;
	stream->first = 0;
}

void stream_cut(struct stream *stream)
{
	size_t kept = stream->at > 0 ? 1 : 0;
	while (stream->count > kept) {
		struct stream_text *last = *place(stream, --stream->count);
		stream->bytes -= last->len;
		stream_text_drop(last);
	}
}

void stream_add(struct stream *stream, struct stream_text *text)
{
	if (stream->lost)
		return;
	if (stream->count == STREAM_TEXTS_MAX || stream->bytes + text->len > STREAM_BYTES_MAX) {
		stream_cut(stream);
		stream->lost = true;
		return;
	}
	if (stream->count == stream->room)
		grow(stream);
	*place(stream, stream->count++) = text;
	stream->bytes += text->len;
	text->holders++;
}

static void first_out(struct stream *stream)
{
	struct stream_text *text = *place(stream, 0);
	stream->first = (stream->first + 1) % stream->room;
	stream->count--;
	stream->at = 0;
	stream->bytes -= text->len;
	stream_text_drop(text);
}

size_t stream_take(struct stream *stream, char *to, size_t max)
{
	size_t taken = 0;
	while (stream->count > 0 && taken < max) {
		const struct stream_text *text = *place(stream, 0);
		size_t len = text->len - stream->at;
		if (len > max - taken)
			len = max - taken;
		memcpy(to + taken, text->text + stream->at, len);
		taken += len;
		stream->at += len;
		if (stream->at == text->len)
			first_out(stream);
	}
	return taken;
}

void stream_done(struct stream *stream)
{
	stream->at = 0;
	stream_cut(stream);
	free(stream->texts);
	*stream = (struct stream){0};
}
