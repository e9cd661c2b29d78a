// SPDX-License-Identifier: Apache-2.0
// One client's connection: its bytes become requests, and answers its bytes. On the HTTP thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/answer.h"
#include "api/chunks.h"
#include "api/head.h"
#include "lib/addr.h"
#include "lib/attr.h"
#include "lib/loop.h"
#include "lib/source.h"

struct app;
struct connection;
struct err;
struct request;

enum {
	CONNECTION_HEAD_S = 10, // from its or the last answer's moment until a whole head is there
	CONNECTION_BODY_S = 10, // from the head until the body is there
	CONNECTION_SEND_S = 30, // to take the answer
	CONNECTION_LINGER_S = 2, // to hang up, when the answer was the last one
};

enum connection_phase {
	CONNECTION_HEAD, // a request's head comes in, or nothing
	CONNECTION_BODY,
	CONNECTION_WORK, // a pool or the waiters own the request; nothing is read
	CONNECTION_SEND, // its answer goes out
	CONNECTION_LINGER, // the last answer is out: what comes is thrown away
	CONNECTION_PHASES,
};

// All connections, and what they share.
struct connections {
	struct app *app;
	struct loop *loop; // of the HTTP thread
	struct connection *first;
	size_t count;
	bool stopping; // each answer is the connection's last one
};

struct connection {
	struct connections *all;
	struct connection *next, *prev;
	int fd;
	struct loop_source *watch; // NULL: the client has gone while its request is worked on
	uint32_t interest; // events that are watched for
	struct loop_post resumed;
	enum connection_phase phase;
	int64_t since_ms, deadline_ms;
	struct source source;
	char address[ADDR_TEXT_MAX];
	bool is_monitor; // came in at the listener for monitoring

	struct request *request; // NULL in CONNECTION_HEAD and CONNECTION_LINGER
	struct head head; // its texts point into `in`
	size_t head_len;
	struct chunks chunks;
	int64_t body_left;
	bool body_is_read;
	char in[HEAD_MAX + 4096]; // the head, then what has come and is not read
	size_t in_at, in_len; // unread from, and its end

	struct answer answer; // in CONNECTION_SEND
};

// Takes over the descriptor, watches it and adds it to the list.
_must_check_ int connection_new(struct connections *all, int fd, const struct addr *address,
	bool is_monitor, struct err *e);

// Closes it at once; not in CONNECTION_WORK.
void connection_end(struct connection *c);

// The stream that it sends has more. While the client does not take what it was sent this does nothing.
void connection_wake(struct connection *c);

// The request, which was in CONNECTION_WORK, has its answer. From any thread.
void connection_resume(struct request *r);
