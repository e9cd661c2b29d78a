// SPDX-License-Identifier: Apache-2.0
// What requests do in the pools, and the handlers that answer from memory; the route tables name them.
#pragma once

#include "api/route.h"

// Calls the route's function with the request's values and answers with the JSON it returns.
extern const struct work work_call;

// A password login: the limits and the stored hash; the check (a dummy hash for unknown names, same
// cost); the call; then a token is signed for the answer. The refresh of one needs no password.
extern const struct work work_login;
extern const struct work work_refresh;

// The call; a browser that came by its cookie loses it.
extern const struct work work_logout;

// The same check, then a poll token for the answer. An entry link names a host in place of the user.
extern const struct work work_bootstrap;
extern const struct work work_entry;

// A long poll: answers when the task's version differs from what the client knows, or when its wait
// is over.
extern const struct work work_poll;

// The script of a bootstrap or entry link, with the setting public_url in it.
extern const struct work work_script;

// Making a hash is expensive, so these first ask whether the login lives and has the route's role:
// the password of a new user, made unless one was given; another for a user, made; an SSH password,
// made.
extern const struct work work_password;
extern const struct work work_rotate_password;
extern const struct work work_ssh_password;

// Checks the caller's old password with the limits of a login, then hashes the new one.
extern const struct work work_change_password;

// Seals the secrets of an exit to the installation's public key.
extern const struct work work_exit;

// Reads what a provider gave: a preview, or the exit.
extern const struct work work_import;

// Makes a webhook's secret and seals it to the worker.
extern const struct work work_webhook_secret;

// The text that the route's function returns, as Prometheus reads it.
extern const struct work work_metrics;

// Streams pieces that the route's function returns as long as they name a next one: export.c.
extern const struct work work_export;

// Streams what changes: listen.c.
extern const struct work work_live, work_own_live;

// What GET /docs and its script are: they have no steps, their handlers answer (docs.c).
extern const struct work work_docs;
extern const struct work work_docs_script;
void handle_docs(struct request *r);
void handle_docs_script(struct request *r);

void handle_healthz(struct request *r);
void handle_readyz(struct request *r);
void handle_openapi(struct request *r);
