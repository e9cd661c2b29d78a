// SPDX-License-Identifier: Apache-2.0
// What passes between the agent and PostgreSQL beside tasks: specs of its hosts, the sealing key,
// the outbox.
#pragma once

struct agent;
struct sync;

struct sync *sync_new(struct agent *a);
void sync_free(struct sync *sync);

// From the bus: registered once, then a scan each second. At first, until it succeeds: gives the
// public sealing key, learns every host, ends strays, has each host inspected, begins to read
// Docker's events.
// Later: sends the outbox, and fetches the specs again each SYNC_MS; a running host whose exit or
// settings changed is checked at once.
enum { SYNC_MS = 5000 };
void sync_scan(struct sync *sync);

// Has the outbox sent soon. From any thread; `data` is the sync.
void sync_soon(void *data);
