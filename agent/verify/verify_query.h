// SPDX-License-Identifier: Apache-2.0
// What a verification asks: echo sources, targets and names, made from the settings.
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
	QUERY_SIZES = 5, // that a target is asked in once more
	QUERY_REPEATED_MAX = 2, // targets that are asked once more
	QUERY_TARGETS_MAX = VERIFY_CONNECT_MAX + QUERY_REPEATED_MAX * (QUERY_SIZES + 1),
	QUERIES_MAX = VERIFY_ECHO_MAX + QUERY_NAMES_FULL + QUERY_TARGETS_MAX,
	QUERY_WIDE = 1500, // bytes of an answer that fills a packet of every tunnel's full size
};

// A target is spoken to with TLS at port 443, else with HTTP; whatever it says is an answer.
enum query_kind {
	QUERY_ECHO, // HTTP: which address do you see?
	QUERY_NAME, // a name to look up, and nothing after it
	QUERY_TARGET, // a wide request: it fills packets of the tunnel's full size
	QUERY_SIZED, // a target once more, a wide request, both ways in packets of at most `size` bytes
	QUERY_THIN, // a target once more, a small request
};
enum query_state { QUERY_RESOLVING, QUERY_RUNNING, QUERY_DONE, QUERY_FAILED };

struct query {
	enum query_kind kind;
	enum query_state state;
	char host[QUERY_HOST_SIZE]; // name or address
	char port[8];
	char *url; // QUERY_ECHO: for libcurl
	bool unheard; // QUERY_FAILED: the resolver was silent about its name
	bool by_tcp; // the resolver answered for its name, but over TCP
	struct addr answer; // QUERY_ECHO, QUERY_DONE: the address that the source saw
	char why[160]; // QUERY_FAILED: why

	// What a target's connection has carried.
	struct query_traffic {
		int headers; // bytes of IP's and TCP's
		bool connected;
		bool arrived; // the whole request, as the tunnel's other end says, or the target
		uint64_t heard; // bytes of the answer that have come, without a gap
		int there, back; // bytes of the largest IP packet each way
	} traffic;
	bool late; // QUERY_TARGET: it was asked so long ago that what is lost was sent again
	int size; // QUERY_SIZED
	const struct query *of; // QUERY_SIZED, QUERY_THIN: the target
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

// Asks a target once more, in several sizes: does it answer to one of them? Adds QUERY_SIZES + 1 queries
// at the end, or none when QUERY_REPEATED_MAX targets are asked so already. Returns how many.
size_t query_repeat(struct queries *q, const struct query *target);

bool query_is_target(const struct query *q); // or a target once more
bool query_is_wide(const struct query *q);
bool query_is_tls(const struct query *q);

// How much a target has answered to the whole request; what it says before it has that is no answer.
uint64_t query_answered_bytes(const struct query *q);

// Takes the answer of an echo source: an address and blanks behind it. Anything else fails the
// query.
void query_answered(struct query *q, const char *body, size_t len);
_printf_(2, 3) void query_fail(struct query *q, const char *format, ...);
