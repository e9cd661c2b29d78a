// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1, a table of phases. One request at a time; those that are sent ahead wait in the socket.
#include "api/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/reply.h"
#include "api/request.h"
#include "api/work.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/metric.h"
#include "lib/wait.h"

static void set_deadline(struct connection *c, int seconds)
{
	c->since_ms = wait_now_ms();
	c->deadline_ms = seconds > 0 ? c->since_ms + seconds * 1000 : INT64_MAX;
}

static void set_interest(struct connection *c, uint32_t events)
{
	struct err e;
	if (!c->watch || c->interest == events)
		return;
	c->interest = events;
	if (loop_watch_events(c->watch, events, &e) < 0)
		abort(); // a descriptor that is watched
}

// One line a request; probes that succeed would only drown the others. Never the query: it is the
// client's.
static void log_request(const struct request *r)
{
	if (r->route && r->route->inline_handler && r->reply.status < 400)
		return;
	char path[201] = "";
	strncat(path, r->head.path, sizeof(path) - 1);
	log_info("request", log_text("method", r->head.method), log_text("path", path),
		log_number("status", r->reply.status),
		log_number("us", wait_now_us() - r->began_us), log_text("request_id", r->head.id),
		log_text("address", r->head.address), log_text("user", r->caller.claims.user_id));
}

// Every part of it is a word of ours: what the client wrote as path or method is not counted by.
static void count_request(const struct request *r)
{
	static const struct metric requests = {
		"ccp_http_requests_total", METRIC_COUNTER, {"method", "route", "status"}};
	static const struct metric took = {"ccp_http_request_duration_seconds", METRIC_HISTOGRAM,
		{"method", "route", "status"}};
	char http_status[16];
	snprintf(http_status, sizeof(http_status), "%u", r->reply.status);
	const char *const *values = METRIC_VALUES(
		r->route ? r->route->method : "", r->route ? r->route->path : "", http_status);
	metric_add(&requests, 1, values);
	metric_observe(&took, (double)(wait_now_us() - r->began_us) / 1e6, values);
}

static void request_over(struct connection *c)
{
	if (!c->request)
		return;
	log_request(c->request);
	count_request(c->request);
	request_free(TAKE_PTR(c->request));
}

void connection_end(struct connection *c)
{
	assert(c->phase != CONNECTION_WORK);
	request_over(c);
	loop_source_free(c->watch);
	close(c->fd);
	if (c->prev)
		c->prev->next = c->next;
	else
		c->all->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->all->count--;
	free(c);
}

// Leads to CONNECTION_SEND: the request has its answer.
static bool send_begin(struct connection *c)
{
	c->answer.is_last = c->head.wants_close || !c->body_is_read || c->all->stopping;
	answer_begin(&c->answer, c->request, &c->head);
	c->phase = CONNECTION_SEND;
	set_deadline(c, CONNECTION_SEND_S);
	return true;
}

static struct request *request_begin(struct connection *c, const char *target)
{
	c->request = request_new(c->all->app, c, target);
	memcpy(c->request->head.address, c->address, sizeof(c->address));
	c->request->head.source = c->source;
	c->request->head.is_monitor = c->is_monitor;
	return c->request;
}

static bool head_refused(struct connection *c, unsigned status, const char *why)
{
	c->head = (struct head){.method = "-", .wants_close = true};
	c->body_is_read = false;
	reply_problem(request_begin(c, ""), status, NULL, why, NULL);
	return send_begin(c);
}

static bool head_taken(struct connection *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct request *r = request_begin(c, c->head.target);
	c->in_at = c->head_len;
	c->chunks = (struct chunks){0};
	c->body_left = c->head.body_bytes;
	c->body_is_read = !c->head.is_chunked && c->body_left == 0;
	request_head(r, &c->head);
	if (r->state == REQUEST_ANSWERED)
		return send_begin(c);
	c->phase = CONNECTION_BODY;
	set_deadline(c, CONNECTION_BODY_S);
	if (c->head.wants_continue && !c->body_is_read && c->in_at == c->in_len)
		(void)!send(c->fd, go_on, strlen(go_on), MSG_NOSIGNAL);
	return true;
}

static bool phase_head(struct connection *c)
{
	const char *why;
	if (c->in_len == 0)
		return false;
	switch (head_parse(c->in, c->in_len, &c->head, &c->head_len, &why)) {
	case 0:
		return head_taken(c);
	case HEAD_MORE:
		return false;
	case HEAD_TOO_LONG:
		return head_refused(c, 431, why);
	default:
		return head_refused(c, 400, why);
	}
}

// The next piece of the body, as chunks_next returns it.
static int body_next(struct connection *c, const char **at, const char **ret_data, size_t *ret_len)
{
	const char *end = c->in + c->in_len;
	if (c->head.is_chunked)
		return chunks_next(&c->chunks, at, end, ret_data, ret_len);
	if (c->body_left == 0)
		return CHUNKS_END;
	if (*at == end)
		return CHUNKS_MORE;
	*ret_data = *at;
	*ret_len = (size_t)(end - *at);
	if ((int64_t)*ret_len > c->body_left)
		*ret_len = (size_t)c->body_left;
	*at += *ret_len;
	c->body_left -= (int64_t)*ret_len;
	return 0;
}

static int body_read(struct connection *c)
{
	const char *at = c->in + c->in_at;
	const char *data;
	size_t len;
	int r;
	while ((r = body_next(c, &at, &data, &len)) == 0)
		request_body(c->request, data, len);
	c->in_at = (size_t)(at - c->in);
	if (c->in_at == c->in_len) // room for more behind the head
		c->in_at = c->in_len = c->head_len;
	return r;
}

static bool phase_body(struct connection *c)
{
	struct request *r = c->request;
	int end = body_read(c);
	if (end == CHUNKS_MORE && !r->body.text.overflow)
		return false;
	if (end == CHUNKS_WRONG) {
		reply_problem(r, 400, NULL, "The body's chunks are not well-formed.", NULL);
		return send_begin(c);
	}
	c->body_is_read = end == CHUNKS_END;
	request_complete(r);
	if (r->state == REQUEST_ANSWERED)
		return send_begin(c);
	r->state = REQUEST_WORKING;
	r->work.wait = wait_for(REQUEST_WORK_MS, -1);
	c->phase = CONNECTION_WORK;
	set_deadline(c, 0);
	set_interest(c, 0);
	work_continue(r->app, r); // may be answered by now, in another thread
	return false;
}

static bool phase_work(struct connection *c)
{
	(void)c;
	return false;
}

// What was sent ahead of this answer is the next request.
static bool answer_sent(struct connection *c)
{
	request_over(c);
	if (c->answer.is_last) {
		shutdown(c->fd, SHUT_WR);
		c->phase = CONNECTION_LINGER;
		set_deadline(c, CONNECTION_LINGER_S);
	} else {
		c->in_len -= c->in_at;
		memmove(c->in, c->in + c->in_at, c->in_len);
		c->in_at = 0;
		c->phase = CONNECTION_HEAD;
		set_deadline(c, CONNECTION_HEAD_S);
	}
	set_interest(c, EPOLLIN);
	return true;
}

static bool phase_send(struct connection *c)
{
	switch (answer_send(&c->answer, c->request, c->fd)) {
	case ANSWER_SENT:
		return answer_sent(c);
	case ANSWER_BLOCKED:
		set_interest(c, EPOLLOUT);
		if (c->request->reply.stream.read) // has no end: each piece has its time
			set_deadline(c, CONNECTION_SEND_S);
		return false;
	case ANSWER_WAITS:
		set_interest(c, EPOLLRDHUP);
		set_deadline(c, 0);
		return false;
	case ANSWER_LOST:
		connection_end(c);
		return false;
	}
	assert(false);
	return false;
}

// Closing with unread bytes would make the kernel reset the connection and throw the answer away.
static bool phase_linger(struct connection *c)
{
	(void)c;
	return false;
}

// Each looks at what is there; true: there may be more to do.
static bool (*const phases[CONNECTION_PHASES])(struct connection *c) = {
	[CONNECTION_HEAD] = phase_head,
	[CONNECTION_BODY] = phase_body,
	[CONNECTION_WORK] = phase_work,
	[CONNECTION_SEND] = phase_send,
	[CONNECTION_LINGER] = phase_linger,
};

static void advance(struct connection *c)
{
	while (phases[c->phase](c))
		;
}

// false: the client has gone, and so has the connection.
static bool bytes_read(struct connection *c)
{
	if (c->phase == CONNECTION_LINGER)
		c->in_len = 0;
	ssize_t got = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		connection_end(c);
		return false;
	}
	c->in_len += got > 0 ? (size_t)got : 0;
	return true;
}

static void on_ready(void *data, uint32_t events)
{
	struct connection *c = data;
	if (c->phase == CONNECTION_SEND && (events & EPOLLRDHUP)) { // while its stream waits
		connection_end(c);
		return;
	}
	if (c->phase == CONNECTION_WORK) { // nothing is watched for: the client has gone
		loop_source_free(TAKE_PTR(c->watch));
		return;
	}
	if (c->phase == CONNECTION_SEND || bytes_read(c))
		advance(c);
}

void connection_wake(struct connection *c)
{
	if (c->phase == CONNECTION_SEND && c->interest != EPOLLOUT)
		advance(c);
}

static void on_resumed(struct loop_post *post)
{
	struct connection *c = container_of(post, struct connection, resumed);
	send_begin(c);
	if (c->watch)
		advance(c);
	else
		connection_end(c);
}

void connection_resume(struct request *r)
{
	struct connection *c = r->connection;
	c->resumed.fn = on_resumed;
	loop_post(c->all->loop, &c->resumed);
}

int connection_new(
	struct connections *all, int fd, const struct addr *address, bool is_monitor, struct err *e)
{
	struct connection *c = xnew(struct connection);
	c->fd = fd;
	c->is_monitor = is_monitor;
	c->interest = EPOLLIN;
	if (loop_watch(all->loop, fd, c->interest, on_ready, c, &c->watch, e) < 0) {
		free(c);
		return -1;
	}
	c->all = all;
	c->source = source_of(address);
	addr_text(address, c->address);
	set_deadline(c, CONNECTION_HEAD_S);
	c->next = all->first;
	if (c->next)
		c->next->prev = c;
	all->first = c;
	all->count++;
	return 0;
}
