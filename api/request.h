// SPDX-License-Identifier: Apache-2.0
// One HTTP request from its first byte to its answer.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/cookie.h"
#include "api/input.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/token.h"
#include "lib/hash.h"
#include "lib/key32.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/source.h"
#include "lib/wait.h"
#include "lib/webhook.h"

struct app;
struct connection;
struct head;

enum {
	REQUEST_ID_MAX = 64,
	REQUEST_BODY_MAX = 64 * 1024,
	REQUEST_WORK_MS = 4000, // queueing and calls of one request; then 503
	REQUEST_QUEUE_MS = 1000, // of that, waiting for a thread
};

enum request_state {
	REQUEST_NEW, // its header has not been looked at
	REQUEST_BODY, // its body comes in
	REQUEST_WORKING, // a pool or the waiters own it
	REQUEST_ANSWERED, // the reply is set, the connection may send it
};

// Its first lines; from request_head on they do not change.
struct request_head {
	const char *method; // the connection's; "-": what came is not a request
	char *path; // raw
	char *query; // raw, what follows "?"; "" when none
	char id[REQUEST_ID_MAX + 1]; // X-Request-Id, taken or made
	char address[64]; // the client's, numeric
	struct source source; // of that
	const char *idempotency_key; // the connection's; NULL: none
	const char *last_event_id; // the connection's; NULL: none
	bool has_if_match;
	char if_match[256]; // versions, with commas
	bool wants_csv; // Accept asks for text/csv
	bool wants_lines; // the answer goes out as name=value lines
	bool is_monitor; // came in at the listener for monitoring
};

// What its token or cookie says.
struct request_caller {
	struct claims claims; // ROUTE_USER, ROUTE_ADMIN
	char generation[24]; // claims.generation as text
	char poll_sha256[HASH_SHA256_HEX_SIZE]; // ROUTE_POLL
	struct cookie cookie; // in place of a token: the claims are empty
	bool is_own_page; // the browser says that a page of ours asks
};

struct request_body {
	struct str text;
	bool is_form;
	// of the route and the checked values, but secret ones; with an Idempotency-Key only
	char sha256[HASH_SHA256_HEX_SIZE];
};

// Where its work is; work.c alone changes this, but `wait`.
struct request_work {
	struct pool_job job; // the pool's while it is worked on
	unsigned step; // index in the route's steps
	bool waits; // the step said STEP_WAITS
	int64_t queued_ms;
	// until when all of it must be done; set by who hands the request on (connection.c, waiters.c)
	struct wait wait;
};

// What steps leave for later steps.
struct request_made {
	char *stored_hash; // from a challenge
	bool matched;
	char secret[WEBHOOK_SECRET_SIZE]; // made by us, goes into the answer's secret member
	char secret_sha256[HASH_SHA256_HEX_SIZE];
	char cookie[HASH_TOKEN_SIZE]; // the secret of a new refresh cookie; "": none is made
	char cookie_sha256[HASH_SHA256_HEX_SIZE];
	char hash[HASH_TEXT_MAX]; // of the secret, or of the field that is FIELD_HASHED
	char *sealed; // the secret
	char *import; // what is in an import's text, but for secrets: JSON
	unsigned status; // of success; 0: the route's
	char *secret_members; // the names in an exit's proxy_secret, as SQL's text[]; NULL: none is given
	char *secret_keys; // the bytes of each key that its password is made of, as SQL's integer[]; NULL: of none
	char own_public_key[KEY32_TEXT_SIZE]; // of an exit's wg_private_key; "": none is given
};

// Its long poll; waiters.c alone changes this.
struct request_poll {
	int64_t until_ms; // 0: does not wait
	char version[64]; // what the client, or the first look, has seen
	struct request *next;
};

struct request {
	struct app *app;
	struct connection *connection;
	enum request_state state;
	int64_t began_us;

	struct request_head head;
	const struct route *route; // NULL until found
	struct request_caller caller;
	struct request_body body;
	struct input input; // its route is NULL until there is one
	struct request_work work;
	struct request_made made;
	struct request_poll poll;
	struct reply reply;
};

struct request *request_new(struct app *app, struct connection *connection, const char *target);
void request_free(struct request *r); // wipes what was secret

// Looks at everything but the body: route, token, path, query. `head` stays while the request does.
// Afterwards the request is REQUEST_BODY or REQUEST_ANSWERED.
void request_head(struct request *r, const struct head *head);

// A piece of the body. What passes REQUEST_BODY_MAX is dropped and answered 413 at the end.
void request_body(struct request *r, const char *data, size_t len);

// The body is complete: parses and checks it. Afterwards the request is REQUEST_ANSWERED, or ready
// for its first step.
void request_complete(struct request *r);
