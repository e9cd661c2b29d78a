// SPDX-License-Identifier: Apache-2.0
// A program's connection to PostgreSQL for news: registers the program, listens for doorbells,
// sends beats. On the main loop, never blocking.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

struct err;
struct loop;
struct bus;

// The life of the one listening connection, driven by the loop:
//
//     away --connect--> register (once per program start) --> listen --> beat, scan --> up
//       ^                                                                               |
//       +---- lost, or no answer within 2 s; next try after 100 ms, doubling to 1 s ----+
//
// A doorbell is a NOTIFY with an empty payload: there is something to look for. Doorbells may be
// lost while the connection is away, so `scan` is called as soon as LISTEN holds and each second
// from then on. A beat says that the program is alive and which leases it holds; its answer lists
// those that are to stop. It goes each 5 s on the same connection, and soon after a doorbell while
// a task runs, because a cancellation rings too. It also carries what the program has counted.
enum {
	BUS_TIMEOUT_MS = 2000,
	BUS_SCAN_MS = 1000,
	BUS_BEAT_MS = 5000,
	BUS_BEAT_SOON_MS = 20, // beats asked for by bus_beat_soon are at least this far apart
	BUS_SAMPLES_MS = 4000, // a beat carries the samples when none has for so long
	BUS_STALE_MS = 15000, // without a beat for so long a program stops acting on tasks
	BUS_CHANNELS_MAX = 4,
};

struct bus_identity { // what process.register answered
	int64_t process_id;
	int64_t node_id;
	char queue[64]; // our doorbell
	char cluster[128]; // "<system identifier>/<database>"
};

struct bus_beat { // what process.beat answered
	// false: declared dead. Stop acting and exit; the supervisor starts a new process
	bool alive;
	const int64_t *drop; // leases that are not ours any more: abandon without a report
	size_t drop_count;
	const int64_t *stop; // leases asked to stop: stop, undo, report task.canceled
	size_t stop_count;
	const char *health; // JSON, what healthz says
};

enum bus_state {
	BUS_UP, // listening again, from now on doorbells come
	BUS_LOST, // with `e`: why. Reconnecting
};

// All run on the loop. Any may be NULL.
struct bus_hooks {
	// once, before the first scan
	void (*registered)(void *data, const struct bus_identity *identity);
	void (*state)(void *data, enum bus_state state, const struct err *e); // for the log
	void (*scan)(void *data); // look for work: after LISTEN and each second
	// one of our channels rang; several rings may come as one
	void (*doorbell)(void *data, const char *channel);
	size_t (*leases)(void *data, int64_t *ret, size_t max); // which leases run now
	char *(*samples)(void *data); // what it has counted, JSON on the heap (metric.h)
	void (*beat)(void *data, const struct bus_beat *beat);
};

enum { BUS_LEASES_MAX = 64 };

struct bus_conf {
	struct loop *loop;
	const char *conninfo; // copied, like the other texts
	const char *program; // whole name, "ccp-worker"; the application_name as well
	const char *node; // name of the machine
	const char *version;
	const char *channels[BUS_CHANNELS_MAX]; // besides our queue, "ccp_event"; ended by NULL
	struct bus_hooks hooks;
	void *data;
};

// Starts connecting at the next turn of the loop: a database that is away is not a failure.
_must_check_ int bus_new(const struct bus_conf *conf, struct bus **ret, struct err *e);
void bus_free(struct bus *bus); // closes without unregistering

// Unregisters (process.unregister) when the connection is up; waits for the answer at most 1 s.
// Call it after the loop has ended.
void bus_unregister(struct bus *bus);

// NULL until registered.
const struct bus_identity *bus_identity(const struct bus *bus);
bool bus_is_up(const struct bus *bus);

// true when no beat was answered for BUS_STALE_MS: the program must stop acting on tasks, for
// another process may have taken over. From any thread.
bool bus_is_stale(const struct bus *bus);

// Beats within BUS_BEAT_SOON_MS instead of at the next 5 s.
void bus_beat_soon(struct bus *bus);
