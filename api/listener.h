// SPDX-License-Identifier: Apache-2.0
// One client of the live streams, and what it is told. On the HTTP thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/places.h"
#include "api/stream.h"
#include "api/token.h"

struct connection;
struct live;
struct pg_result;

enum listener_state {
	LISTENER_NEW, // its answer has not begun
	LISTENER_WAITS, // for a step that it can join
	LISTENER_JOINS, // the present step reads for it
	LISTENER_LISTENS, // it has been told all up to where the reader is
	LISTENER_ENDS, // when what it is told last is out
};

struct listener {
	struct live *live;
	struct listener *next, *prev; // not in LISTENER_NEW
	struct place place;
	struct connection *connection;
	enum listener_state state;
	struct claims claims; // who it is
	bool is_admin; // as which it listens
	unsigned topics;
	char *cursor; // where it was; NULL: nowhere
	size_t group; // LISTENER_JOINS: index of live_read.joining
	bool is_told; // something, since listener_send
	int64_t told_ms;
	struct stream out;
};

// A loop over a list, in which that one may end.
#define LISTENERS_EACH(l_, first_) \
	for (struct listener *l_ = (first_), *next_; (l_) && (next_ = (l_)->next, true); \
		(l_) = next_)

// What one is told is an event's text from the line break that ends the event before it up to its last
// line. Where all of a step has been told is the last line of the step's last event, so a client that
// has heard a part of the step hears all of it again. (A line break that ends nothing means nothing.)
void listener_tell(struct listener *l, struct stream_text *text);
void listener_tell_new(struct listener *l, char *text); // takes over `text`, which is on the heap
#define LISTENER_READY(resumed) "\nevent: ready\ndata: {\"resumed\":" resumed "}\n"
#define LISTENER_HEARTBEAT "\nevent: heartbeat\ndata: {}\n"
#define LISTENER_RESYNC "\nevent: resync\ndata: {\"topic\":null}\n"

// Throws away what waits for it and tells why it ends: LISTENER_ENDS.
void listener_end(struct listener *l, const char *code, const char *sentence);

// The text of a row of live.read(); NULL: it is not for clients.
struct stream_text *listener_row_text(const struct pg_result *rows, int row);

// Whether that row is for it. What is for a user is for that user's own streams, and what is for no
// user for those of administrators; but that lists are to be read again all may know.
bool listener_may_hear(const struct listener *l, const struct pg_result *rows, int row);

// If it was told anything, ends that with `where` ("id: ...\n\n") and sends what the client takes. That
// may end the connection, and so the listener.
void listener_send(struct listener *l, struct stream_text *where);

// What it has to send. Who fell behind hears when it reads again that it did, and is then where all
// are, which is `where`.
size_t listener_take(struct listener *l, struct stream_text *where, char *to, size_t max);
