// SPDX-License-Identifier: Apache-2.0
// What a verification asks: echo sources, connections and names, made from the settings.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/verify/verify_wire.h"
#include "lib/addr.h"
#include "lib/attr.h"

struct err;

enum {
	QUERY_NAMES_FULL = 3, // unique names that a full verification looks up
	QUERY_ANSWER_MAX = 64, // bytes of an echo source's answer
	QUERY_HOST_SIZE = 256,
	QUERIES_MAX = VERIFY_ECHO_MAX + VERIFY_CONNECT_MAX + QUERY_NAMES_FULL,
};

enum query_kind {
	QUERY_ECHO, // HTTP: which address do you see?
	QUERY_CONNECT, // a TCP connection
	QUERY_NAME, // a name to look up, and nothing after it
};
enum query_state { QUERY_RESOLVING, QUERY_RUNNING, QUERY_DONE, QUERY_FAILED };

struct query {
	enum query_kind kind;
	enum query_state state;
	char host[QUERY_HOST_SIZE]; // name or address
	char port[8];
	char *url; // for libcurl; NULL for QUERY_NAME
	bool unheard; // QUERY_FAILED: the resolver was silent about its name
	bool by_tcp; // the resolver answered for its name, but over TCP
	struct addr answer; // QUERY_ECHO, QUERY_DONE: the address that the source saw
	char why[160]; // QUERY_FAILED: why
};

struct queries {
	struct query of[QUERIES_MAX];
	size_t count;
};

// full: every echo source, every target, QUERY_NAMES_FULL names; light: one echo source by chance
// and one name. EINVAL names an entry of the settings that is not a URL or target. Whatever is
// returned, the caller ends *ret with queries_done.
_must_check_ int queries_make(const struct verify_spec *spec, struct queries *ret, struct err *e);
void queries_done(struct queries *q);

// Takes the answer of an echo source: an address and blanks behind it. Anything else fails the
// query.
void query_answered(struct query *q, const char *body, size_t len);
_printf_(2, 3) void query_fail(struct query *q, const char *format, ...);
