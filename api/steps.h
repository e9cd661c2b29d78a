// SPDX-License-Identifier: Apache-2.0
// What requests do in the pools; the rows of the route table name these.
#pragma once

struct db;
struct err;
struct request;

// Calls the route's function with the request's values and answers with the JSON it returns.
int step_call(struct request *r, struct db *db, struct err *e);

// Whether the token's login lives and has the route's role: before a step that is dear.
int step_admit(struct request *r, struct db *db, struct err *e);

// Password logins: the limits and the stored hash; the check (a dummy hash for unknown names, same
// cost); then step_call or step_login.
int step_challenge(struct request *r, struct db *db, struct err *e);
int step_check(struct request *r, struct db *db, struct err *e);

// Like step_call, then signs a token for the answer's slot.
int step_login(struct request *r, struct db *db, struct err *e);

// Makes the secret of the answer's slot: a poll token; the password of a new user unless one was
// given; a host's SSH password.
int step_poll_token(struct request *r, struct db *db, struct err *e);
int step_hash_password(struct request *r, struct db *db, struct err *e);
int step_hash_ssh_password(struct request *r, struct db *db, struct err *e);

// Seals the field that is FIELD_AS_SEALED to the installation's public key.
int step_seal(struct request *r, struct db *db, struct err *e);

// A long poll: answers when the task's version differs from what the client knows, or when its wait
// is over.
int step_poll(struct request *r, struct db *db, struct err *e);

// The bootstrap script with the setting public_url in it.
int step_script(struct request *r, struct db *db, struct err *e);

// Answers from memory.
void now_healthz(struct request *r);
void now_readyz(struct request *r);
void now_openapi(struct request *r);
