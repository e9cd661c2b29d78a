// SPDX-License-Identifier: Apache-2.0
// The HTTP thread: takes connections in, shares the places among their networks, keeps deadlines.
#pragma once

#include "lib/attr.h"

struct app;
struct err;
struct server;

enum {
	SERVER_CONNECTIONS_MAX = 2000,
	SERVER_PER_ADDRESS_MAX = 250,
};

// Where connections come in.
enum server_listener { SERVER_USERS, SERVER_MONITOR, SERVER_LISTENERS };

// Takes over the listening descriptors (-1: none) and starts the thread.
_must_check_ int server_new(struct app *app, const int listen_fds[static SERVER_LISTENERS],
	struct server **ret, struct err *e);

// From then on there are no new connections, and each answer is its connection's last one.
void server_quiesce(struct server *server);

// No request is worked on any more: sends for a moment what is being sent, ends the thread.
void server_free(struct server *server);
