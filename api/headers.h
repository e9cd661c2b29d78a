// SPDX-License-Identifier: Apache-2.0
// What the HTTP parser lets through and must not: refused on the handler's first call.
#pragma once

#include <stddef.h>

#include <microhttpd.h>

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

// Reads the headers of a request whose request line has `line_bytes` bytes with its line end.
// libmicrohttpd 0.9.75 accepts, even in strict mode, Content-Length with Transfer-Encoding,
// repeated Content-Length and Host, and folded lines, which it glues to the next header's name; it
// hangs on "Transfer-Encoding: xchunked". It parses in place, so folding shows in the addresses:
// each name begins two bytes after the value before it, only ": " and blanks lie between name and
// value, and all bytes add up to the header's size.
void headers_read(struct MHD_Connection *connection, size_t line_bytes, struct headers *ret);
