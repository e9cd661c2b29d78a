// SPDX-License-Identifier: Apache-2.0
// A target's connection: it is asked once, what it answers is counted and not read.
#include "agent/verify/verify_target.h"

#include <errno.h>
#include <linux/tcp.h> // glibc's lacks tcpi_notsent_bytes
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Bytes of headers (RFC 791, 8200, 9293), and of the timestamps in TCP's (RFC 7323).
enum { HEADERS_4 = 20 + 20, HEADERS_6 = 40 + 20, TIMESTAMPS = 12 };
enum { ESTABLISHED = 1, CLOSED = 7 }; // the kernel's TCP_ESTABLISHED and TCP_CLOSE

static int headers_of(const struct addr *a)
{
	return a->family == AF_INET6 ? HEADERS_6 : HEADERS_4;
}

// What the kernel says of the connection (tcp(7), TCP_INFO).
static void traffic_take(struct target *t, struct query_traffic *traffic)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	if (getsockopt(t->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return;
	int headers = traffic->headers + (info.tcpi_options & TCPI_OPT_TIMESTAMPS ? TIMESTAMPS : 0);
	int all = (int)traffic->heard;
	traffic->connected = traffic->connected || info.tcpi_state == ESTABLISHED;
	traffic->arrived = traffic->arrived ||
			   (t->sent == t->len && info.tcpi_unacked == 0 &&
				   info.tcpi_notsent_bytes == 0 && info.tcpi_state != CLOSED);
	traffic->there = (int)info.tcpi_snd_mss + headers;
	traffic->back = (all < (int)info.tcpi_rcv_mss ? all : (int)info.tcpi_rcv_mss) + headers;
}

static void target_end(struct target *t)
{
	close(t->fd);
	t->fd = -1;
}

static void target_fail(struct target *t, struct query *q, int error)
{
	query_fail(q, "%s: %s", q->host,
		error ? strerrordesc_np(error) : "it hung up before it answered");
	target_end(t);
}

void target_begin(struct target *t, struct query *q, int fd, const struct addr *address)
{
	struct sockaddr_storage to;
	socklen_t len = addr_to_socket(address, (uint16_t)atoi(q->port), &to);
	int segment = q->size - headers_of(address); // counts timestamps as data
	t->fd = fd;
	t->sent = 0;
	t->len = request_make(q, t->request);
	q->traffic.headers = headers_of(address);
	if (q->kind == QUERY_SIZED &&
		setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)) < 0) {
		target_fail(t, q, errno);
		return;
	}
	q->state = QUERY_RUNNING;
	if (connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS)
		target_fail(t, q, errno);
}

// The error; 0: there is none.
static int request_send(struct target *t)
{
	while (t->sent < t->len) {
		ssize_t n = send(
			t->fd, t->request + t->sent, t->len - t->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINPROGRESS ? 0 : errno;
		t->sent += (size_t)n;
	}
	return 0;
}

// Reads on when enough was heard: what comes to a socket that is closed the kernel refuses, without its
// mark. The error; 0: there is none. *ret_ended: the other end has hung up.
static int answer_hear(struct target *t, struct query_traffic *traffic, bool *ret_ended)
{
	char ignored[2048];
	while (traffic->heard < TARGET_ANSWER_MAX) {
		ssize_t n = recv(t->fd, ignored, sizeof(ignored), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? 0 : errno;
		if (n == 0) {
			*ret_ended = true;
			return 0;
		}
		traffic->heard += (uint64_t)n;
	}
	return 0;
}

void target_step(struct target *t, struct query *q, bool readable, bool writable)
{
	bool ended = false;
	int error = writable ? request_send(t) : 0;
	if (error == 0 && readable)
		error = answer_hear(t, &q->traffic, &ended);
	if (q->state == QUERY_RUNNING)
		traffic_take(t, &q->traffic);
	if (q->state == QUERY_RUNNING && query_answered_bytes(q) >= QUERY_WIDE) {
		q->state = QUERY_DONE;
		shutdown(t->fd, SHUT_WR);
	}
	if (error == 0 && !ended)
		return;
	if (query_answered_bytes(q) == 0) {
		target_fail(t, q, error);
		return;
	}
	q->state = QUERY_DONE;
	target_end(t);
}
