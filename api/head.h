// SPDX-License-Identifier: Apache-2.0
// The head of an HTTP request, from its raw bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/outcome.h"

// The headers that anything here looks at. A second one of the same name is refused.
enum head_header {
	HEAD_HOST,
	HEAD_CONTENT_LENGTH,
	HEAD_TRANSFER_ENCODING,
	HEAD_EXPECT,
	HEAD_CONTENT_TYPE,
	HEAD_AUTHORIZATION,
	HEAD_ACCEPT,
	HEAD_IF_MATCH,
	HEAD_IDEMPOTENCY_KEY,
	HEAD_REQUEST_ID,
	HEAD_COOKIE,
	HEAD_ORIGIN,
	HEAD_SEC_FETCH_SITE,
	HEAD_LAST_EVENT_ID,
	HEAD_HEADERS,
};

enum { HEAD_MAX = 16 * 1024 }; // bytes, with the blank line

// Texts point into the bytes that were parsed, and end in NUL.
struct head {
	const char *method;
	const char *target; // begins with "/"
	const char *values[HEAD_HEADERS]; // NULL when absent; without the blanks around them
	int64_t body_bytes; // that follow; 0 when is_chunked. INT64_MAX: more than anybody takes
	bool is_chunked;
	bool is_http10;
	bool wants_close; // no other request of this connection is answered
	bool wants_continue; // before it sends its body (Expect: 100-continue)
};

enum head_outcome {
	HEAD_MORE = OUTCOMES_HEAD, // right so far, but not complete
	HEAD_WRONG, // *ret_why is a sentence
	HEAD_TOO_LONG, // the same: HEAD_MAX bytes are there, and it is not complete
};

// Reads the head that `bytes` begin with, in place. 0: *ret is filled, and *ret_len bytes were its.
// Takes what RFC 9112 lets a client send and nothing that it tells servers to repair or two readers
// may understand differently: a line ends in CR LF; no control characters, no folded lines; a name
// ends at its colon; one Host; the body's length is said once, by digits or by "chunked" (sections
// 2.2, 3.2, 5.1, 5.2, 6.1, 6.3). The target is a path: this is not a proxy.
int head_parse(char *bytes, size_t len, struct head *ret, size_t *ret_len, const char **ret_why);
