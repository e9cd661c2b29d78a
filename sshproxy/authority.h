// SPDX-License-Identifier: Apache-2.0
// The one process of the proxy that speaks to the database and to the agent.
#pragma once

#include <stdint.h>

#include "lib/attr.h"

struct authority;
struct err;
struct loop;

enum {
	AUTHORITY_DB_THREADS = 2, // with the listening connection: three connections
	AUTHORITY_HASH_THREADS = 1,
	AUTHORITY_KILL_MS = 6000, // a child that was told to end and lives is killed
};

struct authority_conf {
	struct loop *loop;
	int acceptor_fd; // its end ends us
	const char *database; // conninfo
	const char *dial_path;
	const char *host_key; // the proxy's public host key, one line
};

// Makes the pools and watches the acceptor. Everything runs on the loop. The texts stay the
// caller's.
_must_check_ int authority_new(
	const struct authority_conf *conf, struct authority **ret, struct err *e);

void authority_registered(struct authority *authority, int64_t process_id);
void authority_scan(struct authority *authority); // each second
void authority_doorbell(struct authority *authority);

// Tells every child to end, stops the pools. Returns 0, or POOL_LATE when a thread hangs.
_must_check_ int authority_stop(struct authority *authority);
