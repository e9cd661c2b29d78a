// SPDX-License-Identifier: Apache-2.0
// libmicrohttpd with one internal epoll thread; connections are suspended while pools work.
#pragma once

#include "lib/attr.h"

struct app;
struct err;
struct request;
struct server;

enum {
	SERVER_CONNECTIONS_MAX = 1000,
	SERVER_PER_ADDRESS_MAX = 250,
	// from the connection's or the last answer's moment until a whole header is there
	SERVER_HEAD_S = 10,
	SERVER_BODY_S = 10, // from the header until the body is there
	SERVER_SEND_S = 30, // to take the answer
};

// Takes over the listening descriptor.
_must_check_ int server_new(struct app *app, int listen_fd, struct server **ret, struct err *e);

// Gives a suspended request, which has its answer, back to MHD. From any thread.
void server_resume(struct request *r);

// Closes connections that are over a deadline: MHD's own timeout starts again with each byte. Each
// second, on the loop.
void server_expire(struct server *server);

// No new connections. Then, when no request is suspended any more, server_free ends the rest.
void server_quiesce(struct server *server);
void server_free(struct server *server);
