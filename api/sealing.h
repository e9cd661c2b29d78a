// SPDX-License-Identifier: Apache-2.0
// Steps that seal what a request says in confidence, each to the program that opens it.
#pragma once

struct db;
struct err;
struct request;

// The fields that are FIELD_SEALED, to the agents: value->sealed of each that is given. Of an exit's
// proxy_secret the names of its members are left in r->made, of its wg_private_key, which becomes an
// object with that one member, the public half.
int step_seal_exit(struct request *r, struct db *db, struct err *e);

// The route's text, which a provider gave: r->made.import has what is in it. With save its secrets are
// sealed and the status is 201.
int step_import(struct request *r, struct db *db, struct err *e);

// A webhook's secret, which is made here, to the worker.
int step_seal_webhook(struct request *r, struct db *db, struct err *e);
