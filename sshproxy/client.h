// SPDX-License-Identifier: Apache-2.0
// What the authority knows of one child: its state, its session, and what it may ask.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "sshproxy/asking.h"

struct client;
struct err;
struct ledger;
struct loop;

// What all clients share; kept by the caller.
struct clients {
	struct loop *loop;
	struct asking_pools pools;
	struct ledger *ledger;
	const char *dial_path;
	int acceptor_fd;
	struct client *first;
};

enum { CLIENTS_KILL_MS = 6000 }; // a child that was told to end and lives is killed

// A child has connected: takes over our end of its socketpair.
void clients_add(struct clients *all, const char *address, uint64_t serial, int fd);

// Tells the child that holds this session, or every child, to end with a sentence.
void clients_end_session(struct clients *all, const char *session_id, const char *sentence);
void clients_end_all(struct clients *all, const char *sentence);

// Each second: has those killed that did not end.
void clients_scan(struct clients *all);

// The live sessions as a PostgreSQL array "{uuid,...}" on the heap; NULL when there is none.
char *clients_sessions(const struct clients *all);

// After the pools were stopped.
void clients_free(struct clients *all);
