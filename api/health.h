// SPDX-License-Identifier: Apache-2.0
// What GET /healthz answers, kept in memory.
#pragma once

struct app;

// `checks` is the JSON object that came with the last beat: the database answers.
void health_set(struct app *app, const char *checks);

// The database does not answer: the body is this constant then. When the disk of the state directory is
// full, which is why a PostgreSQL on it ended, it says that too. On the loop.
extern const char health_unavailable[];
void health_away(struct app *app);

// Each second, on the loop: while the database is away the disk may fill, or have room again.
void health_look(struct app *app);

// The HTTP status; *ret_body is on the heap.
unsigned health_read(struct app *app, char **ret_body);
