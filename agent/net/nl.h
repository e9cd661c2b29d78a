// SPDX-License-Identifier: Apache-2.0
// One netlink conversation inside a namespace: batches with an acknowledgement per message, and
// dumps.
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

struct err;

// A socket belongs for good to the namespace in which it was made. It keeps the namespace alive.
struct nl {
	int fd;
	uint32_t sequence;
};
#define NL_INIT ((struct nl){.fd = -1})

_must_check_ int nl_open(struct nl *n, int ns_fd, int protocol, struct err *e);
void nl_close(struct nl *n);

// Messages that go out together. Lives on the stack. nl_put starts the next message; the caller
// then adds payload with mnl_attr_put & co. or a libnftnl builder. Passing NL_BATCH_BYTES is a
// programmer's error.
enum { NL_BATCH_BYTES = 32768, NL_MESSAGE_BYTES = 2048 };
struct nl_batch {
	size_t used; // bytes of the finished messages
	unsigned acks; // messages with NLM_F_ACK
	struct nlmsghdr *last; // the one being built
	_Alignas(NLMSG_ALIGNTO) char data[NL_BATCH_BYTES];
};
void nl_batch_init(struct nl_batch *b);
struct nlmsghdr *nl_put(struct nl *n, struct nl_batch *b, uint16_t type, uint16_t flags);

// Sends all and waits until every message with NLM_F_ACK is acknowledged. The first refusal is the
// error, with the kernel's own words when it gives some. `what` says what was tried. 1 s at most.
_must_check_ int nl_send(struct nl *n, struct nl_batch *b, const char *what, struct err *e);

// Sends one request (NLM_F_DUMP, or NLM_F_ACK after a single answer) and gives every answer to `each`, which returns 0, or -1 to stop
// with its error. A dump that the kernel calls inconsistent is EAGAIN, one that it could not finish
// its own error. 1 s at most.
typedef int nl_each(const struct nlmsghdr *message, void *arg, struct err *e);
_must_check_ int nl_dump(struct nl *n, struct nl_batch *b, nl_each *each, void *arg,
	const char *what, struct err *e);

// Attributes by type into table[0..max]; those of other types are left out. `header` is the size of
// the protocol's own struct in front of them. The nested form reads the attributes inside one.
void nl_attributes(
	const struct nlmsghdr *message, size_t header, const struct nlattr **table, unsigned max);
void nl_attributes_nested(const struct nlattr *nest, const struct nlattr **table, unsigned max);

// Joins a multicast group of the protocol.
_must_check_ int nl_subscribe(struct nl *n, int group, struct err *e);

// Reads whatever is queued without waiting. true when `counts` says yes to one of the messages, or
// when the queue overflowed and something was lost.
typedef bool nl_counts(const struct nlmsghdr *message, const void *arg);
bool nl_drain(int fd, nl_counts *counts, const void *arg);

// The socket's own number: the kernel writes it into the notifications of what this socket changed
// (nlmsg_pid).
_must_check_ int nl_port(const struct nl *n, uint32_t *ret, struct err *e);
