// SPDX-License-Identifier: Apache-2.0
// Head, content, chunks.
#include "api/answer.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "api/head.h"
#include "api/reply.h"
#include "api/request.h"
#include "lib/mem.h"

// A chunk (RFC 9112 section 7.1): its size, always in three digits, and a line break at each end.
enum { CHUNK_SIZE_LEN = sizeof("3ff\r\n") - 1, CHUNK_END_LEN = sizeof("\r\n") - 1 };

static void add_length(struct answer *answer, const struct reply *reply, struct str *lines)
{
	if (answer->is_chunked)
		str_add(lines, "Transfer-Encoding: chunked\r\n");
	else if (!reply->stream.read && reply->status != 204)
		str_addf(lines, "Content-Length: %zu\r\n", reply->len);
}

// Almost nothing that we send is a page: what a browser shows of it may fetch, run and frame nothing.
static const char closed_policy[] = "default-src 'none'; frame-ancestors 'none'";

static void add_optional(const struct reply *reply, struct str *lines)
{
	if (reply->content_type)
		str_addf(lines, "Content-Type: %s\r\n", reply->content_type);
	if (reply->etag[0] != '\0')
		str_addf(lines, "ETag: %s\r\n", reply->etag);
	if (reply->allow[0] != '\0')
		str_addf(lines, "Allow: %s\r\n", reply->allow);
	if (reply->retry_after_s > 0)
		str_addf(lines, "Retry-After: %d\r\n", reply->retry_after_s);
	if (reply->cookie[0] != '\0')
		str_addf(lines, "Set-Cookie: %s\r\n", reply->cookie);
	if (reply->status == 401)
		str_add(lines, "WWW-Authenticate: Bearer\r\n");
}

// Our texts are short; what is not, and what could hold a line break, is checked where it is made.
void answer_begin(struct answer *answer, const struct request *r, const struct head *head)
{
	const struct reply *reply = &r->reply;
	struct str lines = STR_INIT(sizeof(answer->lines) - 1);
	char date[40];
	struct tm utc;
	time_t now = time(NULL);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
	answer->has_content = strcmp(head->method, "HEAD") != 0;
	answer->has_ended = !answer->has_content || !reply->stream.read;
	answer->is_chunked = reply->stream.read && !head->is_http10;
	answer->sent = 0;
	str_addf(&lines,
		"HTTP/1.1 %u %s\r\nDate: %s\r\nX-Request-Id: %s\r\n"
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
		"Content-Security-Policy: %s\r\n",
		reply->status, reply_title(reply->status), date, r->head.id,
		reply->policy ? reply->policy : closed_policy);
	add_length(answer, reply, &lines);
	add_optional(reply, &lines);
	str_add(&lines, answer->is_last ? "Connection: close\r\n\r\n" : "\r\n");
	assert(!lines.overflow);
	memcpy(answer->lines, lines.data, lines.len);
	answer->lines_len = lines.len;
	str_done(&lines);
}

static enum answer_state bytes_send(struct answer *answer, const struct reply *reply, int fd)
{
	size_t content = answer->has_content ? reply->len : 0;
	while (answer->sent < answer->lines_len + content) {
		size_t lines =
			answer->sent < answer->lines_len ? answer->lines_len - answer->sent : 0;
		size_t of_content = answer->sent + lines - answer->lines_len;
		struct iovec parts[] = {{answer->lines + answer->lines_len - lines, lines},
			{(void *)((uintptr_t)reply->data + of_content), // is not written
				content - of_content}};
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts)};
		ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN ? ANSWER_BLOCKED : ANSWER_LOST;
		answer->sent += (size_t)sent;
	}
	return ANSWER_SENT;
}

// A chunk without content is the end.
static enum answer_state piece_next(struct answer *answer, const struct reply_stream *stream)
{
	size_t before = answer->is_chunked ? CHUNK_SIZE_LEN : 0;
	size_t behind = answer->is_chunked ? CHUNK_END_LEN : 0;
	char *piece = answer->lines + before;
	ssize_t len = stream->read(stream->data, piece, sizeof(answer->lines) - before - behind);
	if (len == 0)
		return ANSWER_WAITS;
	if (len < -1)
		return ANSWER_LOST;
	answer->has_ended = len < 0;
	if (len < 0)
		len = 0;
	char size[CHUNK_SIZE_LEN + 1];
	snprintf(size, sizeof(size), "%03zx\r\n", (size_t)len & 0xfff);
	memcpy(answer->lines, size, before);
	memcpy(piece + len, "\r\n", behind);
	answer->lines_len = before + (size_t)len + behind;
	answer->sent = 0;
	return ANSWER_SENT;
}

enum answer_state answer_send(struct answer *answer, const struct request *r, int fd)
{
	enum answer_state state = bytes_send(answer, &r->reply, fd);
	while (state == ANSWER_SENT && !answer->has_ended) {
		state = piece_next(answer, &r->reply.stream);
		if (state == ANSWER_SENT)
			state = bytes_send(answer, &r->reply, fd);
	}
	return state;
}
