// SPDX-License-Identifier: Apache-2.0
// HTTP as a client: one request, one answer, over TCP or a Unix socket, with a deadline and a
// cancel descriptor.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

struct addr_port;
struct err;
struct wait;
struct http;

// An http belongs to one thread and keeps its connections alive between requests. No proxy is taken
// from the environment, no redirect is followed, only http and https are spoken, names are resolved
// by the machine unless `resolve` pins them.
struct http *http_new(void);
void http_free(struct http *http);
void http_freep(struct http **http);

struct http_request {
	const char *method; // "GET", "POST", ...
	const char *url;
	const char *unix_path; // connect to this socket instead of the URL's host; or NULL
	const char *const *headers; // "Name: value", NULL-terminated; or NULL
	// "host:port:address", NULL-terminated: a resolver is never asked for these; or NULL
	const char *const *resolve;
	const char *device; // bind to this network device (SO_BINDTODEVICE); or NULL
	const char *body; // or NULL
	size_t body_len;
	size_t answer_max_bytes; // longest body; 0: HTTP_ANSWER_MAX
	bool answer_cut; // a longer body is cut there, instead of being no answer
	const char *answer_header; // name of the one header that is wanted; or NULL
	// Asked before each connection is made, with the address it goes to: whatever names resolve to,
	// and however often, none is made to one that is not admitted. NULL: all are. Connections that
	// are kept are not asked about again.
	bool (*admit)(void *data, const struct addr_port *to);
	void *admit_data;
	const char *name; // for errors, in place of method and URL; NULL: those, without the query
};

enum { HTTP_ANSWER_MAX = 4 * 1024 * 1024 };

struct http_answer {
	int status; // 200, 404, ...
	char *body; // NUL-terminated, never NULL after success
	size_t body_len;
	char *header; // value of the header that was wanted; NULL without one
	int64_t retry_after_s; // Retry-After as seconds from now (RFC 9110, 10.2.3), also of a date; 0: none, or over
	char remote_address[64]; // who answered; "" on a Unix socket
};

// 0: an answer of whatever status. WAIT_TIMEOUT, WAIT_CANCELED: *ret is empty. -1: no answer, or
// one that is too long (e->code EMSGSIZE). The caller ends *ret with http_answer_done always.
_must_check_ int http_do(struct http *http, const struct http_request *request,
	const struct wait *w, struct http_answer *ret, struct err *e);
void http_answer_done(struct http_answer *answer);
