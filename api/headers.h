// SPDX-License-Identifier: Apache-2.0
// What the HTTP parser lets through and must not: refused on the handler's first call.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <microhttpd.h>

#include "lib/attr.h"

struct err;

// The headers that anything here looks at. A second one of the same name is refused.
enum header {
	HEADER_HOST,
	HEADER_CONTENT_LENGTH,
	HEADER_TRANSFER_ENCODING,
	HEADER_CONTENT_TYPE,
	HEADER_AUTHORIZATION,
	HEADER_ACCEPT,
	HEADER_IF_MATCH,
	HEADER_IDEMPOTENCY_KEY,
	HEADER_REQUEST_ID,
	HEADER_COUNT,
};

struct headers {
	const char *values[HEADER_COUNT]; // NUL-terminated, NULL when absent
	const char *wrong; // sentence about the first thing that is wrong, or NULL
};

// The library that headers.c was written for. libmicrohttpd 0.9.75 accepts, even in strict mode,
// Content-Length with Transfer-Encoding, repeated Content-Length and Host, and folded lines, which
// it glues to the next header's name; it hangs on "Transfer-Encoding: xchunked". It parses in place,
// so folding shows in the addresses: each name begins two bytes after the value before it, only ": "
// and blanks lie between name and value, and all bytes add up to the header's size. No document
// promises that: after an upgrade read src/microhttpd/connection.c again, then raise the number.
#define HEADERS_MHD "0.9.75"

// Reads the headers of a request whose request line has `line_bytes` bytes with its line end.
void headers_read(struct MHD_Connection *connection, size_t line_bytes, struct headers *ret);

// A head and whether headers_read must find it right.
struct headers_probe {
	const char *head;
	bool right;
};

// NULL head ends the list.
extern const struct headers_probe headers_probes[];

// Whether this is the library that headers.c knows: by its version and by what it makes of the
// probes, each sent over a connection of its own. Before the first request; takes a few
// milliseconds.
_must_check_ int headers_check_library(
	const char *version, const struct headers_probe *probes, struct err *e);
