// SPDX-License-Identifier: Apache-2.0
// The one table of routes: from it come routing, validation, the SQL call, the OpenAPI document and
// the tests' walk.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/field.h"
#include "lib/outcome.h"

struct db;
struct err;
struct request;
struct str;

// Who may use a route. A row without `who` is closed to everybody: the table says it, or nobody
// may.
enum route_who {
	ROUTE_NOBODY,
	ROUTE_PUBLIC,
	// whoever holds the poll token of a bootstrap session; its SHA-256 is the argument
	// p_poll_sha256
	ROUTE_POLL,
	ROUTE_USER, // any live login, for its own things: p_login_id, p_generation
	// a live login of an administrator: the same arguments; account.enter checks the role
	ROUTE_ADMIN,
};

enum {
	ROUTE_FIELDS_MAX = 20,
	ROUTE_STEPS_MAX = 4,
};

// What else a route does, and which arguments its function takes besides the fields (see
// arguments.c).
enum route_flag {
	ROUTE_FORM = 1 << 0, // takes forms as well as JSON, answers "Accept: text/plain" with
	// name=value lines
	ROUTE_VERDICT =
		1
		<< 1, // refusals are returned: OUT columns verdict, retry_after_s, sentence, answer
	// the function's answer also has user_id, login_id and generation: a token is made of them
	ROUTE_LOGIN = 1 << 2,
	ROUTE_ETAG = 1 << 3, // the answer's member "version" is its ETag
	ROUTE_IF_MATCH = 1 << 4, // If-Match: p_if_match
	ROUTE_IDEMPOTENT = 1 << 5, // Idempotency-Key: p_idempotency_key, p_request_sha256
	ROUTE_ADDRESS = 1 << 6, // p_address: where the client comes from
	ROUTE_MATCHED = 1 << 7, // after a challenge: p_matched, p_password_hash
	ROUTE_POLL_TOKEN = 1 << 8, // a poll token is made: p_poll_token_sha256
	ROUTE_SSH_PASSWORD = 1 << 9, // an SSH password is made: p_ssh_password_hash
};

// A request with work to do goes through its route's steps, each in a thread of the pool that it
// names. `db` is that thread's connection, NULL in the hash pool. A step returns 0 (next),
// STEP_ANSWERED (the reply is set), STEP_WAITS (somebody else owns the request now and will
// continue it), -1 or an outcome of db_call (the request is answered from `e`). The last step
// answers.
enum step_where { STEP_NONE, STEP_IN_DB, STEP_IN_HASH };
enum step_outcome { STEP_ANSWERED = OUTCOMES_STEP, STEP_WAITS };

struct step {
	enum step_where where;
	int (*run)(struct request *r, struct db *db, struct err *e);
};

struct route {
	const char *method; // NULL ends the table
	const char *path; // "/v1/user/hosts/{id}/start"
	enum route_who who;
	const char *summary; // one sentence for the document
	int status; // of success
	const char *function; // in schema api; NULL: no SQL of its own
	// composite type in schema api that the function returns, or has as its OUT column
	// "answer"; NULL: no content
	const char *answer;

	unsigned flags;
	const char *slot; // member of the answer that SQL leaves "" and the API fills with the
		// secret it made

	void (*now)(struct request *r); // answers at once, from memory, on the HTTP thread; or:
	struct step steps[ROUTE_STEPS_MAX];

	struct field fields[ROUTE_FIELDS_MAX];
};

extern const struct route routes[];

// Prepares the fields' patterns. Once, before the first request.
void routes_prepare(void);

enum route_outcome {
	ROUTE_NOT_FOUND = OUTCOMES_ROUTE,
	ROUTE_NO_METHOD, // the path is there; `allow` holds "GET, POST"
};

// A piece of the request's path that stands for a {name}.
struct route_part {
	const char *text;
	size_t len;
};
enum { ROUTE_PARTS_MAX = 2 };

// Finds the row of a method and a raw path. HEAD finds GET's. `parts` get the {names}' texts in the
// order of the path. Returns 0, ROUTE_NOT_FOUND, ROUTE_NO_METHOD.
int route_find(const char *method, const char *path, const struct route **ret,
	struct route_part parts[static ROUTE_PARTS_MAX], struct str *allow);
