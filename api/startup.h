// SPDX-License-Identifier: Apache-2.0
// Work that needs the database before requests can be served: rules, the tables' check, keys.
#pragma once

struct app;
struct err;

// The OpenAPI document of a database, which must fit the route tables; the caller frees it. It
// serves nothing: for a program that only prints it.
int startup_document(const char *database, char **ret, struct err *e);

// Starts that work in the pool when it is due: until it has succeeded once, then each
// APP_KEYS_RELOAD_S for the signing keys, and when a token came with a key that is not known. On the
// loop. A database that does not fit the route tables ends the program.
void startup_if_due(struct app *app);
