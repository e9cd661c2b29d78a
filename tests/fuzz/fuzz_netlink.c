// SPDX-License-Identifier: Apache-2.0
// Fuzzes what reads the kernel's answers: batches, the inventory, the two watches. The kernel is
// this file: it stands in for sendto() and recv(). What the wall reads back is left out: libnftnl
// parses it, which believes the kernel and falls over attributes that no kernel sends.
// uses: agent/evidence.c agent/net/elements.c agent/net/link.c agent/net/netns.c agent/net/nl.c
// uses: agent/net/nft_expr.c agent/net/nft_table.c agent/net/ruleset.c agent/net/wall.c
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/net/link.h"
#include "agent/net/netns.h"
#include "agent/net/wall.h"
#include "lib/err.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What the kernel says from now on: datagrams, each behind its length (two bytes, little-endian).
static const uint8_t *answers;
static size_t answers_left;
static uint32_t sequence; // of the last request
static bool is_watch;

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
	socklen_t to_len)
{
	const struct nlmsghdr *m = data;
	(void)fd;
	(void)flags;
	(void)to;
	(void)to_len;
	for (int left = (int)size; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
		sequence = m->nlmsg_seq;
	return (ssize_t)size;
}

// Gives the messages of a datagram the sequence number that is waited for.
static void adopt(char *buffer, size_t size)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(void *)buffer;
	for (int left = (int)size; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
		m->nlmsg_seq = sequence;
		if (m->nlmsg_len > (uint32_t)left)
			return;
	}
}

// After the input's own: the end of the dump, or an acknowledgement, which is the same message for a
// batch.
static ssize_t finish(char *buffer, uint16_t type)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	m->nlmsg_type = type;
	m->nlmsg_seq = sequence;
	mnl_nlmsg_put_extra_header(m, sizeof(struct nlmsgerr));
	return m->nlmsg_len;
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
	(void)fd;
	(void)flags;
	if (answers_left < 2 && is_watch) {
		errno = EAGAIN;
		return -1;
	}
	if (answers_left < 2)
		return finish(buffer, NLMSG_ERROR);
	size_t len = answers[0] | (size_t)answers[1] << 8;
	answers += 2;
	answers_left -= 2;
	len = len < answers_left ? len : answers_left;
	len = len < size ? len : size;
	memcpy(buffer, answers, len);
	adopt(buffer, len);
	answers += len;
	answers_left -= len;
	return (ssize_t)len;
}

static void read_links(void)
{
	struct link_spec spec = {
		.tunnel = LINK_TUNNEL, .address = ADDR_V4(198, 18, 130, 9), .mtu = 1420};
	struct evidence ev;
	struct err e;
	static int ns_fd = -1;
	if (ns_fd < 0 && (ns_fd = netns_open("/proc/self/ns/net", &e)) < 0)
		abort();
	evidence_init(&ev);
	int r = link_check(ns_fd, &spec, &ev, &e);
	if (r == 0 && ev.outcome == OUTCOME_PASSED && cJSON_GetArraySize(ev.checks) != 1)
		abort();
	evidence_done(&ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wall w = {.nl = {.fd = 0, .sequence = 1},
		.spec = {.tunnel = LINK_TUNNEL, .resolver = ADDR_V4(198, 18, 0, 53)}};
	struct err e;
	if (size < 1)
		return 0;
	answers = data + 1;
	answers_left = size - 1;
	sequence = 0;
	is_watch = data[0] % 3 == 2;
	switch (data[0] % 3) {
	case 0:
		(void)!wall_load(&w, &e);
		break;
	case 1:
		read_links();
		break;
	case 2:
		(void)wall_changed(0);
		(void)link_changed(0);
		break;
	}
	return 0;
}
