// SPDX-License-Identifier: Apache-2.0
// The sockets of a namespace, in whatever process: finds and ends them (linux/sock_diag.h, linux/inet_diag.h).
#include "agent/net/sockdiag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/net/nl.h"
#include "lib/err.h"
#include "lib/mem.h"

enum { SOCKETS_MAX = 65536, ROUNDS_MAX = 4, TIME_WAIT_STATES = 1 << 6 | 1 << 12 };
enum { LISTEN = 10 }; // the kernel's TCP_LISTEN

// Two conversations: a dump and the deletions it leads to must not mix.
struct ending {
	struct nl dump, destroy;
	uint8_t family, protocol;
	bool routed_only;
	struct inet_diag_sockid *ids;
	size_t count;
};

static void ending_done(struct ending *d)
{
	nl_close(&d->dump);
	nl_close(&d->destroy);
	freep(&d->ids);
}

static bool is_local4(__be32 address)
{
	return address == 0 || ntohl(address) >> 24 == IN_LOOPBACKNET;
}

// No address at all, or one of the loopback interface.
static bool is_local(uint8_t family, const __be32 address[4])
{
	struct in6_addr six;
	if (family == AF_INET)
		return is_local4(address[0]);
	memcpy(&six, address, sizeof(six));
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return is_local4(address[3]);
	return IN6_IS_ADDR_UNSPECIFIED(&six) || IN6_IS_ADDR_LOOPBACK(&six);
}

static bool is_routed(const struct inet_diag_msg *found)
{
	uint8_t family = found->idiag_family;
	return !is_local(family, found->id.idiag_src) || !is_local(family, found->id.idiag_dst);
}

static int socket_collect(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct ending *d = arg;
	if (mnl_nlmsg_get_payload_len(m) < sizeof(struct inet_diag_msg))
		return err_set(e, EBADMSG, "read a socket of the namespace");
	const struct inet_diag_msg *found = mnl_nlmsg_get_payload(m);
	if (d->count == SOCKETS_MAX || (d->routed_only && !is_routed(found)))
		return 0; // the next round takes the rest
	if ((d->count & (d->count - 1)) == 0)
		d->ids = xreallocarray(d->ids, d->count ? 2 * d->count : 1, sizeof(d->ids[0]));
	d->ids[d->count++] = found->id;
	return 0;
}

static struct inet_diag_req_v2 request(const struct ending *d)
{
	return (struct inet_diag_req_v2){
		.sdiag_family = d->family,
		.sdiag_protocol = d->protocol,
		// Sockets that merely wait for late packets belong to no process.
		.idiag_states = ~(uint32_t)TIME_WAIT_STATES,
	};
}

static int sockets_list(struct ending *d, struct err *e)
{
	struct nl_batch b;
	nl_batch_init(&b);
	struct nlmsghdr *m = nl_put(&d->dump, &b, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
	struct inet_diag_req_v2 *q = mnl_nlmsg_put_extra_header(m, sizeof(*q));
	*q = request(d);
	d->count = 0;
	return nl_dump(&d->dump, &b, socket_collect, d, "list the namespace's sockets", e);
}

// 1: ended, 0: it had ended already, -1.
static int socket_end(struct ending *d, const struct inet_diag_sockid *id, struct err *e)
{
	struct nl_batch b;
	nl_batch_init(&b);
	struct nlmsghdr *m = nl_put(&d->destroy, &b, SOCK_DESTROY, NLM_F_ACK);
	struct inet_diag_req_v2 *q = mnl_nlmsg_put_extra_header(m, sizeof(*q));
	*q = request(d);
	q->id = *id;
	if (nl_send(&d->destroy, &b, "end a socket of the namespace", e) == 0)
		return 1;
	return e->code == ENOENT ? 0 : -1;
}

// One family and protocol, until a round finds nothing more (users may open sockets meanwhile).
static int family_end(struct ending *d, int *count, struct err *e)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		if (sockets_list(d, e) < 0)
			return -1;
		int ended = 0;
		for (size_t i = 0; i < d->count; i++) {
			int r = socket_end(d, &d->ids[i], e);
			if (r < 0)
				return -1;
			ended += r;
		}
		*count += ended;
		if (ended == 0)
			break;
	}
	return 0;
}

static int sockets_end(int ns_fd, bool routed_only, int *ret_count, struct err *e)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	_cleanup_(ending_done) struct ending d = {
		.dump = NL_INIT, .destroy = NL_INIT, .routed_only = routed_only};
	if (nl_open(&d.dump, ns_fd, NETLINK_SOCK_DIAG, e) < 0 ||
		nl_open(&d.destroy, ns_fd, NETLINK_SOCK_DIAG, e) < 0)
		return -1;
	int count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(families) * ARRAY_SIZE(protocols); i++) {
		d.family = families[i / ARRAY_SIZE(protocols)];
		d.protocol = protocols[i % ARRAY_SIZE(protocols)];
		if (family_end(&d, &count, e) == 0)
			continue;
		if (e->code != EOPNOTSUPP)
			return -1;
		return err_outcome(e, SOCKDIAG_UNSUPPORTED, EOPNOTSUPP,
			"this kernel cannot end sockets (no CONFIG_INET_DIAG_DESTROY): "
			"connections end with the container instead");
	}
	if (ret_count)
		*ret_count = count;
	return 0;
}

int sockdiag_end_all(int ns_fd, int *ret_count, struct err *e)
{
	return sockets_end(ns_fd, false, ret_count, e);
}

int sockdiag_end_routed(int ns_fd, int *ret_count, struct err *e)
{
	return sockets_end(ns_fd, true, ret_count, e);
}

static int listener_read(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct sockdiag_listener *ret = arg;
	if (mnl_nlmsg_get_payload_len(m) < sizeof(struct inet_diag_msg))
		return err_set(e, EBADMSG, "read a listener of the namespace");
	const struct inet_diag_msg *found = mnl_nlmsg_get_payload(m);
	const uint32_t *cookie = found->id.idiag_cookie;
	if (found->idiag_state != LISTEN)
		return 0;
	ret->cookie = (uint64_t)cookie[1] << 32 | cookie[0];
	ret->waiting = found->idiag_rqueue; // of a listener: sk_ack_backlog
	return 0;
}

// A question for one socket; the acknowledgement ends the answer.
int sockdiag_find_listener(int ns_fd, uint16_t port, struct sockdiag_listener *ret, struct err *e)
{
	_cleanup_(nl_close) struct nl n = NL_INIT;
	struct sockdiag_listener found = {0};
	struct nl_batch b;
	if (nl_open(&n, ns_fd, NETLINK_SOCK_DIAG, e) < 0)
		return -1;
	nl_batch_init(&b);
	struct nlmsghdr *m = nl_put(&n, &b, SOCK_DIAG_BY_FAMILY, NLM_F_ACK);
	struct inet_diag_req_v2 *q = mnl_nlmsg_put_extra_header(m, sizeof(*q));
	*q = (struct inet_diag_req_v2){.sdiag_family = AF_INET,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = 1 << LISTEN,
		.id = {.idiag_sport = htons(port),
			.idiag_src = {htonl(INADDR_LOOPBACK)},
			.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}};
	if (nl_dump(&n, &b, listener_read, &found, "find a listener of the namespace", e) < 0)
		return -1;
	if (found.cookie == 0)
		return err_say(e, ENOENT, "nothing listens on port %u", port);
	*ret = found;
	return 0;
}
