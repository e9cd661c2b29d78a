// SPDX-License-Identifier: Apache-2.0
// What the agent has seen and not yet reported: observations and evidence, kept while PostgreSQL
// is away.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "lib/attr.h"
#include "lib/wait.h"

struct db;
struct err;
struct evidence;
struct outbox;

// A ring of OUTBOX_MAX entries in the order of their happening, each with its own time; when it is
// full the oldest goes. All functions may be called from any thread.
enum { OUTBOX_MAX = 1024 };

// `wake` is called, in the thread that puts something in, to have it sent soon.
struct outbox *outbox_new(void (*wake)(void *data), void *data);
void outbox_free(struct outbox *box);

// host.observe: `state` is running, closed, stopped or absent; code and message may be NULL.
void outbox_observe(struct outbox *box, const char *host_id, const char *state, const char *code,
	const char *message);

// host.note_proofs: the exit of a host has just been proven, which keeps its wall open for life_s.
// It wakes no thread: the proofs of a second are sent together, the latest of each host.
void outbox_proven(struct outbox *box, const char *host_id, int64_t life_s);

// The place, among the observations, of what the caller sees now of a host that it holds: for a
// report that says it.
int64_t outbox_sequence(struct outbox *box);

// verification.record: `kind` is start, light, full or task; task_id may be NULL.
void outbox_verified(struct outbox *box, const char *host_id, const char *task_id, const char *kind,
	const struct evidence *ev);

// host.observe_ssh: why its sshd does not answer; NULL: it does.
void outbox_ssh(struct outbox *box, const char *host_id, const char *why_not);

// node.set_troubles: everything that is wrong with the machine, as {name: sentence}.
void outbox_troubles(struct outbox *box, const cJSON *troubles);

// node.set_disk: what users without privileges may still have of the disk with the state directory.
struct disk_room {
	int64_t free_bytes, bytes;
	int64_t free_files, files; // 0 of 0 where the file system has no limit of them
};
void outbox_disk(struct outbox *box, const struct disk_room *room);

// host.note_disk.
void outbox_usage(struct outbox *box, const char *host_id, int64_t bytes, int64_t files, int depth);

// Is half of the ring free? What is told again and again is not put in otherwise.
bool outbox_has_room(struct outbox *box);

// Sends what is there. 0: all is reported (what SQL refuses, such as a deleted host's, is dropped).
// Not 0: the database is away or w has ended, the rest waits. Concurrent callers take turns, so
// after 0 the caller's own entries are stored.
_must_check_ int outbox_flush(
	struct outbox *box, struct db *db, int64_t process_id, const struct wait *w, struct err *e);

bool outbox_is_empty(struct outbox *box);
