// SPDX-License-Identifier: Apache-2.0
// The grammar of request heads (RFC 9112), without its leniency.
#include "api/head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define TOKEN LETTERS DIGITS "!#$%&'*+-.^_`|~" // RFC 9110 section 5.6.2
#define HOST LETTERS DIGITS ".-_:[]" // names, addresses and a port
enum { LENGTH_DIGITS_MAX = 18 }; // so that it fits into int64_t

static const char *const names[HEAD_HEADERS] = {
	[HEAD_HOST] = "Host",
	[HEAD_CONTENT_LENGTH] = "Content-Length",
	[HEAD_TRANSFER_ENCODING] = "Transfer-Encoding",
	[HEAD_EXPECT] = "Expect",
	[HEAD_CONTENT_TYPE] = "Content-Type",
	[HEAD_AUTHORIZATION] = "Authorization",
	[HEAD_ACCEPT] = "Accept",
	[HEAD_IF_MATCH] = "If-Match",
	[HEAD_IDEMPOTENCY_KEY] = "Idempotency-Key",
	[HEAD_REQUEST_ID] = "X-Request-Id",
	[HEAD_COOKIE] = "Cookie",
	[HEAD_ORIGIN] = "Origin",
	[HEAD_SEC_FETCH_SITE] = "Sec-Fetch-Site",
	[HEAD_LAST_EVENT_ID] = "Last-Event-ID",
};

// Of all bytes that are there, so that what is wrong is refused before the head is complete.
// Returns the length up to and with the blank line, 0 when that has not come, -1 when wrong.
static ssize_t bytes_check(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c == '\n') {
			if (i == 0 || bytes[i - 1] != '\r')
				return -1;
			if (i >= 3 && bytes[i - 2] == '\n')
				return (ssize_t)i + 1;
		} else if ((i > 0 && bytes[i - 1] == '\r') || c == 0x7f ||
			   (c < 0x20 && c != '\t' && c != '\r')) {
			return -1;
		}
	}
	return 0;
}

static bool consists_of(const char *text, const char *characters)
{
	return *text != '\0' && text[strspn(text, characters)] == '\0';
}

// Cuts off the line that *at begins with; its end becomes a NUL.
static char *line_take(char **at)
{
	char *line = *at;
	char *end = strchr(line, '\r');
	*end = '\0';
	*at = end + 2;
	return line;
}

static const char *read_request_line(char *line, struct head *head)
{
	char *target = strchr(line, ' ');
	char *version = target ? strchr(target + 1, ' ') : NULL;
	if (!version)
		return "The request line is not METHOD TARGET VERSION.";
	*target++ = '\0';
	*version++ = '\0';
	if (!consists_of(line, TOKEN))
		return "The method is not well-formed.";
	if (*target != '/')
		return "The target must be a path.";
	for (const unsigned char *p = (const unsigned char *)target; *p != '\0'; p++)
		if (*p < 0x21 || *p > 0x7e)
			return "The target is not well-formed.";
	head->method = line;
	head->target = target;
	head->is_http10 = strcmp(version, "HTTP/1.0") == 0;
	if (!head->is_http10 && strcmp(version, "HTTP/1.1") != 0)
		return "The version must be HTTP/1.1 or HTTP/1.0.";
	return NULL;
}

// Is `word` in a list like "a, b"?
static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);
	while (*list != '\0') {
		list += strspn(list, " \t,");
		size_t item = strcspn(list, " \t,");
		if (item == len && strncasecmp(list, word, len) == 0)
			return true;
		list += item;
	}
	return false;
}

static const char *read_header(char *line, struct head *head)
{
	char *value = strchr(line, ':');
	if (!value)
		return "A header has no colon.";
	*value++ = '\0';
	if (!consists_of(line, TOKEN))
		return "A header's name is not well-formed.";
	value += strspn(value, " \t");
	for (char *end = value + strlen(value); end > value && strchr(" \t", end[-1]);)
		*--end = '\0';
	if (strcasecmp(line, "Connection") == 0)
		head->wants_close |= list_has(value, "close");
	for (size_t i = 0; i < HEAD_HEADERS; i++) {
		if (strcasecmp(line, names[i]) != 0)
			continue;
		if (head->values[i])
			return "A header is repeated that may come once only.";
		head->values[i] = value;
	}
	return NULL;
}

static const char *read_length(const char *text, int64_t *ret)
{
	if (!consists_of(text, DIGITS))
		return "Content-Length must be a number.";
	*ret = strlen(text) > LENGTH_DIGITS_MAX ? INT64_MAX : strtoll(text, NULL, 10);
	return NULL;
}

// What the headers say together.
static const char *judge(struct head *head)
{
	const char *host = head->values[HEAD_HOST];
	const char *length = head->values[HEAD_CONTENT_LENGTH];
	const char *coding = head->values[HEAD_TRANSFER_ENCODING];
	const char *expect = head->values[HEAD_EXPECT];
	head->wants_close |= head->is_http10;
	if (!host && !head->is_http10)
		return "The Host header is missing.";
	if (host && !consists_of(host, HOST))
		return "The Host header is not well-formed.";
	if (coding && length)
		return "Content-Length and Transfer-Encoding must not come together.";
	if (coding && (head->is_http10 || strcasecmp(coding, "chunked") != 0))
		return "Transfer-Encoding must be chunked.";
	if (expect && strcasecmp(expect, "100-continue") != 0)
		return "Expect must be 100-continue.";
	head->is_chunked = coding;
	head->wants_continue = expect && !head->is_http10;
	return length ? read_length(length, &head->body_bytes) : NULL;
}

static const char *read_lines(char *at, struct head *head)
{
	const char *why = read_request_line(line_take(&at), head);
	while (!why && *at != '\r')
		why = read_header(line_take(&at), head);
	return why ? why : judge(head);
}

int head_parse(char *bytes, size_t len, struct head *ret, size_t *ret_len, const char **ret_why)
{
	// A blank line before the request line is ignored (section 2.2).
	size_t blank = len >= 2 && memcmp(bytes, "\r\n", 2) == 0 ? 2 : 0;
	ssize_t head_len = bytes_check(bytes + blank, len - blank);
	struct head head = {0};
	*ret_why = "The header's lines are not well-formed.";
	if (head_len < 0)
		return HEAD_WRONG;
	if (head_len == 0 && len < HEAD_MAX)
		return HEAD_MORE;
	if (head_len == 0 || (size_t)head_len + blank > HEAD_MAX) {
		*ret_why = "The request's head is longer than 16 KiB.";
		return HEAD_TOO_LONG;
	}
	*ret_why = read_lines(bytes + blank, &head);
	if (*ret_why)
		return HEAD_WRONG;
	*ret = head;
	*ret_len = blank + (size_t)head_len;
	return 0;
}
