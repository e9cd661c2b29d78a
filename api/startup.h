// SPDX-License-Identifier: Apache-2.0
// Work that needs the database before requests can be served: rules, the tables' check, keys.
#pragma once

#include <stdbool.h>

struct app;
struct err;

// The OpenAPI document of a database, which must fit the route tables; the caller frees it. It
// serves nothing: for a program that only prints it.
int startup_document(const char *database, char **ret, struct err *e);

// Starts that work in the pool when it is due: until it has succeeded once, then each
// APP_HELD_RELOAD_S for what we hold of it, and when a token came with a key that is not known. On the
// loop. A database that does not fit the route tables ends the program.
void startup_if_due(struct app *app);

// Whether there may be signing keys that we have not heard of, since the bus was away and they have
// not been read since: a token of an unknown one may be right. From any thread.
bool startup_keys_are_old(struct app *app);
