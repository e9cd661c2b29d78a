// SPDX-License-Identifier: Apache-2.0
// Strict reading of request headers.
#include "api/headers.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"

static const char *const names[HEADER_COUNT] = {
	[HEADER_HOST] = "Host",
	[HEADER_CONTENT_LENGTH] = "Content-Length",
	[HEADER_TRANSFER_ENCODING] = "Transfer-Encoding",
	[HEADER_CONTENT_TYPE] = "Content-Type",
	[HEADER_AUTHORIZATION] = "Authorization",
	[HEADER_ACCEPT] = "Accept",
	[HEADER_IF_MATCH] = "If-Match",
	[HEADER_IDEMPOTENCY_KEY] = "Idempotency-Key",
	[HEADER_REQUEST_ID] = "X-Request-Id",
};

// Of names: RFC 9110 section 5.6.2. So a blank before the colon, or before the name, is refused.
#define TOKEN_CHARACTERS \
	"!#$%&'*+-.^_`|~0123456789" \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

struct reading {
	struct headers *headers;
	const char *first; // where the first name begins
	const char *end; // behind the last value
};

static void note_known(struct headers *headers, const char *name, const char *value)
{
	for (size_t i = 0; i < HEADER_COUNT; i++) {
		if (strcasecmp(name, names[i]) != 0)
			continue;
		if (headers->values[i])
			headers->wrong = "A header is repeated that may come once only.";
		headers->values[i] = value;
	}
}

static enum MHD_Result read_one(void *data, enum MHD_ValueKind kind, const char *name,
	size_t name_len, const char *value, size_t value_len)
{
	struct reading *reading = data;
	(void)kind;
	if (!value)
		value = name + name_len; // "Name:" alone
	bool in_place = !reading->end || name == reading->end + 2;
	bool value_follows = value > name + name_len && value - (name + name_len) < 256;
	for (const char *p = name + name_len + 1; value_follows && p < value; p++)
		value_follows = *p == ' ' || *p == '\t';
	if (!in_place || (!value_follows && value_len > 0))
		reading->headers->wrong = "The header's lines are not well-formed.";
	if (name_len == 0 || strspn(name, TOKEN_CHARACTERS) != name_len)
		reading->headers->wrong = "A header's name is not well-formed.";
	for (size_t i = 0; i < value_len; i++)
		if ((unsigned char)value[i] < 0x20 && value[i] != '\t')
			reading->headers->wrong = "A header holds a control character.";
	if (!reading->first)
		reading->first = name;
	reading->end = value + value_len;
	note_known(reading->headers, name, value);
	return MHD_YES;
}

void headers_read(struct MHD_Connection *connection, size_t line_bytes, struct headers *ret)
{
	*ret = (struct headers){0};
	struct reading reading = {.headers = ret};
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_one, &reading);
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	size_t bytes =
		line_bytes + (reading.first ? (size_t)(reading.end - reading.first) + 2 : 0) + 2;
	if (!ret->wrong && size->header_size != bytes)
		ret->wrong = "The header's lines are not well-formed.";
	if (ret->values[HEADER_TRANSFER_ENCODING]) {
		if (strcasecmp(ret->values[HEADER_TRANSFER_ENCODING], "chunked") != 0)
			ret->wrong = "Transfer-Encoding must be chunked.";
		else if (ret->values[HEADER_CONTENT_LENGTH])
			ret->wrong = "Content-Length and Transfer-Encoding must not come together.";
	}
	const char *length = ret->values[HEADER_CONTENT_LENGTH];
	if (length && (*length == '\0' || length[strspn(length, "0123456789")] != '\0'))
		ret->wrong = "Content-Length must be a number.";
}
