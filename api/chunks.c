// SPDX-License-Identifier: Apache-2.0
// The grammar of chunked bodies, a byte at a time but for the data.
#include "api/chunks.h"

#include <stdbool.h>
#include <string.h>

enum { SIZE_DIGITS_MAX = 7 }; // so that it fits into uint32_t

static int digit_value(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = c != '\0' ? strchr(digits, c) : NULL;
	return found ? (int)((found - digits) % 16) : -1;
}

// A byte of a line's end; CHUNKS_END when that was the last one of the body.
static int read_line_end(struct chunks *chunks, char c)
{
	if (c != "\r\n"[chunks->count])
		return CHUNKS_WRONG;
	if (++chunks->count < 2)
		return 0;
	chunks->count = 0;
	switch (chunks->at) {
	case CHUNKS_SIZE_END:
		chunks->at = chunks->left > 0 ? CHUNKS_DATA : CHUNKS_LAST_END;
		return 0;
	case CHUNKS_DATA_END:
		chunks->at = CHUNKS_SIZE;
		return 0;
	default:
		return CHUNKS_END;
	}
}

static int read_size(struct chunks *chunks, char c)
{
	int digit = digit_value(c);
	if (digit >= 0 && chunks->count < SIZE_DIGITS_MAX) {
		chunks->left = chunks->left * 16 + (uint32_t)digit; // from 0
		chunks->count++;
		return 0;
	}
	if (chunks->count == 0)
		return CHUNKS_WRONG;
	chunks->at = CHUNKS_SIZE_END;
	chunks->count = 0;
	return read_line_end(chunks, c);
}

int chunks_next(struct chunks *chunks, const char **at, const char *end, const char **ret_data,
	size_t *ret_len)
{
	int r = 0;
	while (*at < end && chunks->at != CHUNKS_DATA && r == 0) {
		char c = *(*at)++;
		r = chunks->at == CHUNKS_SIZE ? read_size(chunks, c) : read_line_end(chunks, c);
	}
	if (r != 0)
		return r;
	if (*at == end)
		return CHUNKS_MORE;
	size_t there = (size_t)(end - *at);
	*ret_data = *at;
	*ret_len = there < chunks->left ? there : chunks->left;
	*at += *ret_len;
	chunks->left -= (uint32_t)*ret_len;
	if (chunks->left == 0)
		chunks->at = CHUNKS_DATA_END;
	return 0;
}
