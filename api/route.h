// SPDX-License-Identifier: Apache-2.0
// The rows of the route tables (api/routes/): from a row come routing, validation, the SQL call, the
// OpenAPI document and the tests' walk.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/outcome.h"

struct db;
struct err;
struct input;
struct request;
struct str;

// Who may use a route. A row without `who` is closed to all.
enum route_who {
	ROUTE_CLOSED,
	ROUTE_PUBLIC,
	// the holder of a bootstrap session's poll token; its SHA-256 is the argument p_poll_sha256
	ROUTE_POLL,
	ROUTE_USER, // any live login, for its own things: p_login_id, p_generation
	ROUTE_ADMIN, // a live login of an administrator: the same; account.enter checks the role
	// every client of the listener for monitoring, which has these routes and no others; they are
	// not in the document
	ROUTE_MONITOR,
};

// What else a route does, and the arguments that its function takes for it (see arguments.c).
// clang-format off
enum route_flag {
	ROUTE_FORM         = 1 << 0, // takes forms besides JSON, answers "Accept: text/plain" with name=value lines
	ROUTE_VERDICT      = 1 << 1, // refusals are returned: OUT columns verdict, retry_after_s, sentence, answer
	ROUTE_LOGIN        = 1 << 2, // a token is made of the OUT columns user_id, login_id, generation
	ROUTE_ETAG         = 1 << 3, // the answer's member "version" is its ETag
	ROUTE_IF_MATCH     = 1 << 4, // If-Match: p_if_match
	ROUTE_IDEMPOTENT   = 1 << 5, // Idempotency-Key: p_idempotency_key, p_request_sha256
	ROUTE_ADDRESS      = 1 << 6, // p_address: where the client comes from
	ROUTE_MATCHED      = 1 << 7, // after a challenge: p_matched, p_password_hash
	ROUTE_POLL_TOKEN   = 1 << 8, // a poll token is made: p_poll_token_sha256
	ROUTE_SSH_PASSWORD = 1 << 9, // an SSH password is made: p_ssh_password_hash
	ROUTE_NEW_PASSWORD = 1 << 10, // a login password is made: p_password_hash
	ROUTE_NULLS        = 1 << 11, // what is absent stays: p_nulls, the members that are there and null
	ROUTE_COOKIE       = 1 << 12, // a browser's refresh cookie counts in place of a token: p_cookie_id, p_cookie_sha256
	ROUTE_NEW_COOKIE   = 1 << 13, // a refresh cookie may be made: p_new_cookie_sha256; OUT columns cookie_id, cookie_life_s
	ROUTE_ACCEPTED     = 1 << 14, // the verdict may be "accepted": the same answer with 202, as work goes on
	ROUTE_NEW_SECRET   = 1 << 15, // a webhook's secret is made: p_secret_sealed
	ROUTE_RESUMES      = 1 << 16, // a stream that goes on behind Last-Event-ID; each client has a few
	ROUTE_EXIT_SECRETS = 1 << 17, // secrets of an exit are sealed: p_proxy_secret_members and _keys, p_wg_own_public_key
	ROUTE_IMPORT       = 1 << 18, // a text is read: p_read; 201 when it is saved
};
// clang-format on

// An input. Its type (type.h) says what is let through, and is the type of the argument p_<name>.
enum field_in { FIELD_IN_PATH, FIELD_IN_QUERY, FIELD_IN_BODY };

enum field_flag {
	FIELD_REQUIRED = 1 << 0,
	FIELD_NULLABLE = 1 << 1, // JSON null is accepted and passed on as SQL's NULL
	FIELD_HASHED = 1 << 2, // a step hashes it; the argument is text p_<name>_hash
	FIELD_SEALED = 1 << 3, // sealed to the installation's public key: text p_<name>_sealed
	FIELD_LOCAL = 1 << 4, // a step uses it; no argument
};

struct field {
	const char *name; // NULL ends a list
	const char *type; // "uuid", "ccp.label"
	enum field_in in;
	unsigned flags;
	const char *help; // one sentence for the document
};

// A request with work to do goes through its route's steps, each in a thread of the pool that it
// names. `db` is that thread's connection, NULL in the hash pool. A step returns 0 (next),
// STEP_ANSWERED (the reply is set), STEP_WAITS (the waiters own the request now and will continue
// it), -1 or an outcome of db_call (the request is answered from `e`). The last step answers.
enum step_where { STEP_NONE, STEP_IN_DB, STEP_IN_HASH };
enum step_outcome { STEP_ANSWERED = OUTCOMES_STEP, STEP_WAITS };

struct step {
	enum step_where where;
	int (*run)(struct request *r, struct db *db, struct err *e);
};

enum {
	ROUTE_FIELDS_MAX = 20,
	ROUTE_STEPS_MAX = 4,
	ROUTE_EVENTS_MAX = 5,
};

// What a route does with a request, and what its rows have because of that.
struct work {
	struct step steps[ROUTE_STEPS_MAX];
	unsigned flags;
	// member of the answer that SQL leaves "" and the API fills with the secret it made
	const char *secret_member; // NULL: the answer holds no secret of ours
	const char *content_type; // of success; NULL: application/json
	const char *other_type; // what else it may be, if the client asks for that; NULL: nothing
	// of text/event-stream: the composites that its events' data may be
	const char *events[ROUTE_EVENTS_MAX];
};

struct route {
	const char *method; // NULL ends a table
	const char *path; // "/v1/user/hosts/{id}/start"
	enum route_who who;
	int status; // of success
	const char *function; // in schema api; NULL: no SQL of its own
	// composite type in schema api that the function returns, or has as its OUT column
	// "answer"; NULL: no content
	const char *answer;
	const char *summary; // one sentence for the document
	const struct work *work; // NULL: the inline handler answers
	unsigned flags; // besides those of its work
	const struct field *fields; // NULL: none
	const char *kind; // the argument p_kind, a constant; NULL: none
	void (*inline_handler)(struct request *r); // answers from memory, on the HTTP thread
	// operationId in the document; NULL: the function's name, or with a kind its verb in place of
	// the last word: own_host_task of host.start is own_host_start
	const char *name;
	// When its field of this name, a boolean that is FIELD_LOCAL, is true, the request is one of `other`,
	// which has the same fields, and another function, status and answer; NULL: never
	const char *other_if;
	const struct route *other;
};

struct route_table {
	const char *noun; // tag in the document; NULL ends the list
	const char *help; // one sentence for it
	const struct route *routes;
};

// The tables in the order of the document.
extern const struct route_table route_tables[];

// A loop over the routes of a table.
#define ROUTES_OF(route, table) \
	for (const struct route *route = (table)->routes; (route)->method; (route)++)

// A loop over all routes; `break` leaves one table only.
#define ROUTES_EACH(route) \
	for (const struct route_table *table_ = route_tables; table_->noun; table_++) \
		ROUTES_OF (route, table_)

// A loop over a route's fields.
#define FIELDS_EACH(field, route) \
	for (const struct field *field = (route)->fields; (field) && (field)->name; (field)++)

// What a request is, now that its values are known: the row or its `other`.
const struct route *route_of_values(const struct route *route, const struct input *input);

// What a row and its work say together.
unsigned route_flags(const struct route *route);

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

// What is looked for, and on which listener.
struct route_query {
	const char *method, *path; // raw
	bool is_monitor;
};

// Finds the row of a method and path. HEAD finds GET's. `parts` get the {names}' texts in the order
// of the path. Returns 0, ROUTE_NOT_FOUND, ROUTE_NO_METHOD.
int route_find(const struct route_query *query, const struct route **ret,
	struct route_part parts[static ROUTE_PARTS_MAX], struct str *allow);
