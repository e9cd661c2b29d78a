// SPDX-License-Identifier: Apache-2.0
// Fuzzes heads and chunked bodies: what is found right is right by a second reading, in any pieces.
// uses: api/head.c api/chunks.c
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/chunks.h"
#include "api/head.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_header(const char *line, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	return len > name_len && strncasecmp(line, name, name_len) == 0 && line[name_len] == ':';
}

// RFC 9112: lines end in CR LF, no folding, a name before the colon, one Host, one way to say the
// body's length.
static void check_head(const char *head, size_t size)
{
	static const char *const single[] = {"Host", "Content-Length", "Transfer-Encoding"};
	unsigned seen[ARRAY_SIZE(single)] = {0};
	const char *end = head + size;
	const char *line = size >= 2 && memcmp(head, "\r\n", 2) == 0 ? head + 2 : head;
	line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
	while (line < end) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		if (!lf || lf[-1] != '\r')
			abort();
		size_t len = (size_t)(lf - line) - 1;
		if (len == 0 && lf + 1 != end)
			abort();
		if (len > 0 && (strchr(" \t:", *line) || !memchr(line, ':', len)))
			abort();
		for (size_t i = 0; i < ARRAY_SIZE(single); i++)
			seen[i] += is_header(line, len, single[i]);
		line = lf + 1;
	}
	if (seen[0] > 1 || seen[1] > 1 || seen[2] > 1 || (seen[1] && seen[2]))
		abort();
}

// Nothing but the whole of a right head is a head, and what follows does not change it.
static void check_parse(const char *data, size_t size)
{
	_cleanup_(freep) char *copy = xcalloc(size + 1, 1);
	struct head head;
	size_t len = 0;
	const char *why = NULL;
	memcpy(copy, data, size);
	if (head_parse(copy, size, &head, &len, &why) != 0) {
		if (!why)
			abort();
		return;
	}
	check_head(data, len);
	if (strchr(head.target, ' ') || *head.target != '/' || head.body_bytes < 0)
		abort();
	memcpy(copy, data, size);
	if (head_parse(copy, len - 1, &head, &(size_t){0}, &why) != HEAD_MORE)
		abort();
}

static int decode(const char *data, size_t size, size_t step, struct str *ret)
{
	struct chunks chunks = {0};
	const char *at = data;
	int r = CHUNKS_MORE;
	while (r == CHUNKS_MORE && at < data + size) {
		size_t left = (size_t)(data + size - at);
		const char *end = at + (left < step ? left : step);
		const char *piece;
		size_t len;
		while ((r = chunks_next(&chunks, &at, end, &piece, &len)) == 0)
			str_add_bytes(ret, piece, len);
	}
	return r;
}

static void check_chunks(const char *data, size_t size)
{
	_cleanup_(str_done) struct str whole = STR_INIT(size);
	_cleanup_(str_done) struct str bytes = STR_INIT(size);
	if (decode(data, size, size, &whole) != decode(data, size, 1, &bytes) ||
		whole.len != bytes.len ||
		memcmp(str_text(&whole), str_text(&bytes), whole.len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	check_parse(text, size);
	check_chunks(text, size);
	return 0;
}
