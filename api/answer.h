// SPDX-License-Identifier: Apache-2.0
// An answer on its way: a reply as HTTP/1.1 bytes, and how many of them the socket has taken.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct head;
struct request;

struct answer {
	bool is_last; // the connection's
	bool has_content; // not to HEAD
	bool is_chunked; // a stream to a client that knows chunks; others read until the end
	bool has_ended; // the stream has
	char lines[4096]; // its head; then the stream's piece that goes out
	size_t lines_len;
	size_t sent; // of lines, and of the reply's data behind them
};

enum answer_state {
	ANSWER_SENT,
	ANSWER_BLOCKED, // until the socket can be written to
	ANSWER_WAITS, // until the stream has more
	ANSWER_LOST, // the client has gone
};

// Writes the head for r's reply, which must be set. Sends nothing.
void answer_begin(struct answer *answer, const struct request *r, const struct head *head);

// Sends what the socket takes.
enum answer_state answer_send(struct answer *answer, const struct request *r, int fd);
