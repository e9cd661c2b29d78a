// SPDX-License-Identifier: Apache-2.0
// A chunked body (RFC 9112 section 7.1), from its raw bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/outcome.h"

// Where in the body we are; all zero at its beginning.
struct chunks {
	enum { CHUNKS_SIZE, CHUNKS_SIZE_END, CHUNKS_DATA, CHUNKS_DATA_END, CHUNKS_LAST_END } at;
	unsigned count; // digits of the size, or bytes of a line's end, that have come
	uint32_t left; // of the chunk's data
};

enum chunks_outcome {
	CHUNKS_MORE = OUTCOMES_CHUNKS, // no data, and all bytes are read
	CHUNKS_END, // so is the body; what follows belongs to the next request
	CHUNKS_WRONG,
};

// Reads on at *at, to `end`, and leaves *at behind what it has read. 0: *ret_data are the next
// *ret_len bytes of the body. Lines end in CR LF. Extensions and trailers, of which we know none, are
// refused: readers have been found to disagree on where they end.
int chunks_next(struct chunks *chunks, const char **at, const char *end, const char **ret_data,
	size_t *ret_len);
