// SPDX-License-Identifier: Apache-2.0
// Monitor: the one process of the proxy that speaks to the database and to the agent.
#pragma once

#include <stdint.h>

#include "lib/attr.h"

struct monitor;
struct err;
struct loop;

enum {
	MONITOR_DB_THREADS = 2, // with the listening connection: three connections
	MONITOR_HASH_THREADS = 1,
	MONITOR_KILL_MS = 6000, // a child that was ordered to end and lives is killed
};

struct monitor_conf {
	struct loop *loop;
	int listener_fd; // its end ends us
	const char *database; // conninfo
	const char *dial_path;
	const char *host_key; // the proxy's public host key, one line
};

// Makes the pools and watches the listener. Everything runs on the loop. The texts stay the
// caller's.
_must_check_ int monitor_new(const struct monitor_conf *conf, struct monitor **ret, struct err *e);

void monitor_registered(struct monitor *monitor, int64_t process_id);
void monitor_scan(struct monitor *monitor); // each second
void monitor_doorbell(struct monitor *monitor);

// Orders every child to end, stops the pools. Returns 0, or POOL_LATE when a thread hangs.
_must_check_ int monitor_stop(struct monitor *monitor);
