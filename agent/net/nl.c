// SPDX-License-Identifier: Apache-2.0
// One netlink conversation inside a namespace: batches with an acknowledgement per message, and
// dumps.
#include "agent/net/nl.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/net/netns.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { ANSWER_MS = 1000, RECEIVE_BYTES = 65536 };

int nl_open(struct nl *n, int ns_fd, int protocol, struct err *e)
{
	*n = NL_INIT;
	_cleanup_(closep) int fd = netns_socket(ns_fd, AF_NETLINK, SOCK_RAW, protocol, e);
	if (fd < 0)
		return -1;
	// Acknowledgements without the request's own bytes, and with the kernel's words on a
	// refusal.
	int on = 1;
	if (setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) < 0)
		return err_set(e, errno, "prepare a netlink socket");
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(e, errno, "bind a netlink socket");
	n->fd = TAKE_FD(fd);
	n->sequence = 1;
	return 0;
}

void nl_close(struct nl *n)
{
	closep(&n->fd);
	*n = NL_INIT;
}

void nl_batch_init(struct nl_batch *b)
{
	b->used = 0;
	b->acks = 0;
	b->last = NULL;
}

static void batch_finish_message(struct nl_batch *b)
{
	if (b->last)
		b->used += MNL_ALIGN(b->last->nlmsg_len);
	b->last = NULL;
	assert(b->used + NL_MESSAGE_BYTES <= sizeof(b->data));
}

struct nlmsghdr *nl_put(struct nl *n, struct nl_batch *b, uint16_t type, uint16_t flags)
{
	batch_finish_message(b);
	b->last = mnl_nlmsg_put_header(b->data + b->used);
	b->last->nlmsg_type = type;
	b->last->nlmsg_flags = NLM_F_REQUEST | flags;
	b->last->nlmsg_seq = n->sequence++;
	if (flags & NLM_F_ACK)
		b->acks++;
	return b->last;
}

static int batch_send(struct nl *n, struct nl_batch *b, const char *what, struct err *e)
{
	batch_finish_message(b);
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent =
		sendto(n->fd, b->data, b->used, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	if (sent < 0)
		return err_set(e, errno, "%s", what);
	return 0;
}

// One datagram of the kernel. Returns its length or -1.
static ssize_t receive(
	struct nl *n, const struct wait *w, char *buffer, const char *what, struct err *e)
{
	for (;;) {
		ssize_t len = recv(n->fd, buffer, RECEIVE_BYTES, MSG_TRUNC);
		if (len > RECEIVE_BYTES)
			return err_set(e, EMSGSIZE, "%s: the kernel's answer", what);
		if (len >= 0)
			return len;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return err_set(e, errno, "%s", what);
		if (wait_fd(w, n->fd, POLLIN, "the kernel's answer", e) != 0)
			return err_wrap(e, "%s", what);
	}
}

struct attribute_table {
	const struct nlattr **table;
	unsigned max;
};

static int attribute_take(const struct nlattr *a, void *arg)
{
	struct attribute_table *t = arg;
	if (mnl_attr_get_type(a) <= t->max)
		t->table[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

void nl_attributes(
	const struct nlmsghdr *message, size_t header, const struct nlattr **table, unsigned max)
{
	struct attribute_table t = {.table = table, .max = max};
	if (header <= mnl_nlmsg_get_payload_len(message))
		mnl_attr_parse(message, (unsigned)header, attribute_take, &t);
}

void nl_attributes_nested(const struct nlattr *nest, const struct nlattr **table, unsigned max)
{
	struct attribute_table t = {.table = table, .max = max};
	mnl_attr_parse_nested(nest, attribute_take, &t);
}

// libmnl compares lengths as int, so it takes one above INT_MAX for less than what is left.
static bool is_whole(const struct nlmsghdr *m, int left)
{
	return mnl_nlmsg_ok(m, left) && m->nlmsg_len <= (uint32_t)left;
}

// The kernel's sentence in an extended acknowledgement, or NULL.
static const char *refusal_words(const struct nlmsghdr *message)
{
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	size_t offset = sizeof(struct nlmsgerr);
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		offset += error->msg.nlmsg_len - NLMSG_HDRLEN;
	const struct nlattr *table[NLMSGERR_ATTR_MSG + 1] = {0};
	nl_attributes(message, offset, table, NLMSGERR_ATTR_MSG);
	const struct nlattr *words = table[NLMSGERR_ATTR_MSG];
	if (!words || mnl_attr_validate(words, MNL_TYPE_NUL_STRING) < 0)
		return NULL;
	return mnl_attr_get_str(words);
}

// The kernel's errors are -1 to -4095 (linux/err.h, MAX_ERRNO).
static int errno_of(int32_t error)
{
	return error < 0 && error >= -4095 ? -error : EBADMSG;
}

// 0 for an acknowledgement, -1 for a refusal.
static int answer_check(const struct nlmsghdr *message, const char *what, struct err *e)
{
	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct nlmsgerr))
		return err_set(e, EBADMSG, "%s", what);
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	if (error->error == 0)
		return 0;
	const char *words = refusal_words(message);
	if (words)
		return err_set(e, errno_of(error->error), "%s (%s)", what, words);
	return err_set(e, errno_of(error->error), "%s", what);
}

int nl_send(struct nl *n, struct nl_batch *b, const char *what, struct err *e)
{
	uint32_t first = n->sequence;
	batch_finish_message(b);
	if (b->used > 0)
		first = ((struct nlmsghdr *)b->data)->nlmsg_seq;
	if (batch_send(n, b, what, e) < 0)
		return -1;
	struct wait w = wait_for(ANSWER_MS, -1);
	char buffer[RECEIVE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	unsigned refused = 0;
	for (unsigned seen = 0; seen < b->acks;) {
		ssize_t received = receive(n, &w, buffer, what, e);
		if (received < 0)
			return -1;
		int len = (int)received;
		const struct nlmsghdr *m = (struct nlmsghdr *)buffer;
		for (; is_whole(m, len); m = mnl_nlmsg_next(m, &len)) {
			if (m->nlmsg_type != NLMSG_ERROR ||
				m->nlmsg_seq - first >= n->sequence - first)
				continue; // a late answer to an earlier batch that timed out
			struct err ignored;
			seen++;
			if (answer_check(m, what, refused ? &ignored : e) < 0)
				refused++;
		}
	}
	return refused ? -1 : 0;
}

// The end of a dump carries an error when the kernel could not give all of it.
static int done_check(const struct nlmsghdr *message, const char *what, struct err *e)
{
	int32_t error = -EBADMSG;
	if (mnl_nlmsg_get_payload_len(message) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
	return error < 0 ? err_set(e, errno_of(error), "%s", what) : 0;
}

struct dump {
	uint32_t sequence;
	nl_each *each;
	void *arg;
	const char *what;
	bool failed; // the error is set; the rest is only read to its end
};

// The messages of one datagram. true: the dump has ended.
static bool dump_step(struct dump *d, const char *buffer, int len, struct err *e)
{
	const struct nlmsghdr *m = (const struct nlmsghdr *)buffer;
	for (; is_whole(m, len); m = mnl_nlmsg_next(m, &len)) {
		if (m->nlmsg_seq != d->sequence)
			continue;
		int r = 0;
		if (!d->failed && m->nlmsg_flags & NLM_F_DUMP_INTR)
			r = err_set(e, EAGAIN, "%s: it changed meanwhile", d->what);
		else if (m->nlmsg_type == NLMSG_ERROR)
			r = answer_check(m, d->what, e);
		else if (!d->failed && m->nlmsg_type == NLMSG_DONE)
			r = done_check(m, d->what, e);
		else if (!d->failed)
			r = d->each(m, d->arg, e);
		d->failed = d->failed || r < 0;
		if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR)
			return true;
	}
	return false;
}

int nl_dump(
	struct nl *n, struct nl_batch *b, nl_each *each, void *arg, const char *what, struct err *e)
{
	struct dump d = {.sequence = b->last->nlmsg_seq, .each = each, .arg = arg, .what = what};
	if (batch_send(n, b, what, e) < 0)
		return -1;
	struct wait w = wait_for(ANSWER_MS, -1);
	char buffer[RECEIVE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t len, longest = 0;
	bool ended = false;
	while (!ended && (len = receive(n, &w, buffer, what, e)) >= 0) {
		longest = len > longest ? len : longest;
		ended = dump_step(&d, buffer, (int)len, e);
	}
	mem_wipe(buffer, (size_t)longest); // WireGuard's answers hold keys
	return ended && !d.failed ? 0 : -1;
}

int nl_subscribe(struct nl *n, int group, struct err *e)
{
	if (setsockopt(n->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return err_set(e, errno, "subscribe to netlink group %d", group);
	return 0;
}

int nl_port(const struct nl *n, uint32_t *ret, struct err *e)
{
	struct sockaddr_nl address = {0};
	socklen_t size = sizeof(address);
	if (getsockname(n->fd, (struct sockaddr *)&address, &size) < 0)
		return err_set(e, errno, "read the number of a netlink socket");
	*ret = address.nl_pid;
	return 0;
}

bool nl_drain(int fd, nl_counts *counts, const void *arg)
{
	char buffer[RECEIVE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool changed = false;
	for (;;) {
		ssize_t received = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (received < 0 && errno == EINTR)
			continue;
		if (received < 0)
			return changed || errno != EAGAIN; // ENOBUFS: something was lost
		int len = (int)received;
		const struct nlmsghdr *m = (struct nlmsghdr *)buffer;
		for (; is_whole(m, len); m = mnl_nlmsg_next(m, &len))
			changed = changed || counts(m, arg);
	}
}
