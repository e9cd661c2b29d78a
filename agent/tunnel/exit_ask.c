// SPDX-License-Identifier: Apache-2.0
// Does the exit answer? Asked through the tunnel, without waiting, of an exit that shows no greeting of its own.
#include "agent/tunnel/exit_ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/net/link.h"
#include "agent/net/netns.h"
#include "agent/net/wall.h"
#include "lib/err.h"
#include "lib/mem.h"

enum {
	DNS_PORT = 53,
	HEAD_BYTES = 12, // RFC 1035, section 4.1.1
	IS_ANSWER = 0x80, // of the third byte
	RCODE = 0x0f, // of the fourth
	SERVFAIL = 2,
	READS_MAX = 8, // what comes beyond that is read the next time
	PATIENCE = 2, // questions
};

// What listens in the container must not answer for the exit.
static int socket_prepare(int fd, struct err *e)
{
	uint32_t mark = WALL_MARK_VERIFY;
	return setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0 ||
			       setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, LINK_TUNNEL,
				       sizeof(LINK_TUNNEL)) < 0
		       ? err_set(e, errno, "prepare what asks an exit's resolver")
		       : 0;
}

// Only what comes from there is then received.
static int reach(const struct exit_ask *a)
{
	struct sockaddr_storage to;
	socklen_t size = addr_to_socket(&a->resolver, DNS_PORT, &to);
	return connect(a->fd, (struct sockaddr *)&to, size);
}

int exit_ask_open(int ns_fd, const struct addr *resolver, struct exit_ask *ret, struct err *e)
{
	struct exit_ask a = {.resolver = *resolver};
	a.fd = netns_socket(ns_fd, resolver->family, SOCK_DGRAM, 0, e);
	if (a.fd < 0)
		return -1;
	int r = socket_prepare(a.fd, e);
	if (r == 0 && reach(&a) < 0)
		r = err_set(e, errno, "reach an exit's resolver");
	if (r == 0)
		*ret = a;
	else
		exit_ask_close(&a);
	return r;
}

void exit_ask_close(struct exit_ask *a)
{
	closep(&a->fd);
}

// Without a peer a socket has no port of its own either, until it is connected again.
static void port_change(struct exit_ask *a)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	(void)!connect(a->fd, &none, sizeof(none));
	(void)!reach(a); // what fails shows when it sends
}

static bool is_answer(const struct exit_ask *a, const uint8_t *head, ssize_t len)
{
	if (len != HEAD_BYTES)
		return false;
	uint16_t id = (uint16_t)(head[0] << 8 | head[1]);
	return (uint16_t)(a->id - id) < PATIENCE && (head[2] & IS_ANSWER) &&
	       (head[3] & RCODE) != SERVFAIL;
}

// Errors are those of what was sent, such as a refusal: no answer.
static void answers_read(struct exit_ask *a)
{
	for (int i = 0; i < READS_MAX; i++) {
		uint8_t head[HEAD_BYTES];
		ssize_t len = recv(a->fd, head, sizeof(head), MSG_DONTWAIT);
		if (len < 0 && errno == EAGAIN)
			return;
		if (!is_answer(a, head, len))
			continue;
		a->heard = true;
		a->unanswered = 0;
	}
}

void exit_ask_send(struct exit_ask *a)
{
	uint8_t question[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, // one, recursion desired
		9, 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't', 0, 0, 1, 0, 1}; // A, IN
	answers_read(a);
	if (a->unanswered >= PATIENCE)
		port_change(a);
	a->id++;
	question[0] = (uint8_t)(a->id >> 8);
	question[1] = (uint8_t)a->id;
	if (send(a->fd, question, sizeof(question), MSG_DONTWAIT) >= 0)
		a->unanswered++;
}

bool exit_ask_answered(struct exit_ask *a)
{
	answers_read(a);
	bool heard = a->heard || a->unanswered == 0;
	a->heard = false;
	return heard;
}
