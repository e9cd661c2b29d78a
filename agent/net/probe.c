// SPDX-License-Identifier: Apache-2.0
// Negative probes: packets that must not get out, sent from inside the namespace and counted
// exactly.
#include "agent/net/probe.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/net/netns.h"
#include "agent/net/wall.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { PORT_DISCARD = 9, PORT_DNS = 53, PORT_HTTP = 80, PORT_DNS_TLS = 853 };

// Where a probe is sent. No answer is needed, and a packet that got out would go through the tunnel
// at worst.
enum target {
	TARGET_RESOLVER, // the exit's own resolver
	TARGET_OTHER, // an address next to it: surely another one, and not the namespace's own
	TARGET_METADATA, // where a cloud tells a machine its secrets
	TARGET_V6, // documentation (RFC 3849)
	TARGET_V6_METADATA,
	TARGET_V6_GROUP, // multicast
};

// Which exits it is for.
enum exits { EXITS_ALL, EXITS_V4, EXITS_V6 };

struct probe {
	enum exits exits;
	const char *name;
	enum target target;
	// SOCK_DGRAM: one packet; SOCK_STREAM: opened nonblocking, deaf, and closed at once, one SYN
	int type;
	uint16_t port;
	enum wall_chain closed, open; // where it must end
};

// clang-format off
static const struct probe probes[] = {
	{EXITS_ALL, "udp",           TARGET_RESOLVER, SOCK_DGRAM,  PORT_DISCARD, WALL_DENY_CLOSED, WALL_PASS},
	{EXITS_ALL, "tcp",           TARGET_RESOLVER, SOCK_STREAM, PORT_DISCARD, WALL_DENY_CLOSED, WALL_PASS},
	{EXITS_ALL, "other udp",     TARGET_OTHER,    SOCK_DGRAM,  PORT_DISCARD, WALL_DENY_CLOSED, WALL_PASS},
	{EXITS_ALL, "dns",           TARGET_OTHER,    SOCK_DGRAM,  PORT_DNS,     WALL_DENY_DNS,    WALL_DENY_DNS},
	{EXITS_ALL, "dns over tcp",  TARGET_OTHER,    SOCK_STREAM, PORT_DNS,     WALL_DENY_DNS,    WALL_DENY_DNS},
	{EXITS_ALL, "dns over tls",  TARGET_OTHER,    SOCK_STREAM, PORT_DNS_TLS, WALL_DENY_DNS,    WALL_DENY_DNS},
	{EXITS_ALL, "dns over quic", TARGET_RESOLVER, SOCK_DGRAM,  PORT_DNS_TLS, WALL_DENY_DNS,    WALL_DENY_DNS},
	{EXITS_ALL, "metadata",      TARGET_METADATA, SOCK_STREAM, PORT_HTTP,    WALL_DENY_LOCAL,  WALL_DENY_LOCAL},
	{EXITS_V4,  "ipv6 udp",      TARGET_V6,       SOCK_DGRAM,  PORT_DISCARD, WALL_DENY_V6,     WALL_DENY_V6},
	{EXITS_V4,  "ipv6 tcp",      TARGET_V6,       SOCK_STREAM, PORT_DISCARD, WALL_DENY_V6,     WALL_DENY_V6},
	{EXITS_V6,  "ipv6 udp",      TARGET_V6,       SOCK_DGRAM,  PORT_DISCARD, WALL_DENY_CLOSED, WALL_PASS},
	{EXITS_V6,  "ipv6 tcp",      TARGET_V6,       SOCK_STREAM, PORT_DISCARD, WALL_DENY_CLOSED, WALL_PASS},
	{EXITS_V6,  "ipv6 dns",      TARGET_V6,       SOCK_DGRAM,  PORT_DNS,     WALL_DENY_DNS,    WALL_DENY_DNS},
	{EXITS_V6,  "ipv6 dns over tls", TARGET_V6,   SOCK_STREAM, PORT_DNS_TLS, WALL_DENY_DNS,    WALL_DENY_DNS},
	{EXITS_V6,  "ipv6 metadata", TARGET_V6_METADATA, SOCK_STREAM, PORT_HTTP, WALL_DENY_LOCAL,  WALL_DENY_LOCAL},
	{EXITS_V6,  "ipv6 group",    TARGET_V6_GROUP, SOCK_DGRAM,  PORT_DISCARD, WALL_DENY_LOCAL,  WALL_DENY_LOCAL},
};
// clang-format on

static struct addr address6(const uint8_t bytes[static 16])
{
	struct addr a = {.family = AF_INET6, .prefix = 128};
	memcpy(a.bytes, bytes, 16);
	return a;
}

static struct addr target_address(const struct wall_spec *spec, enum target target)
{
	struct addr a = spec->resolver;
	switch (target) {
	case TARGET_RESOLVER:
		break;
	case TARGET_OTHER:
		a.bytes[addr_size(&a) - 1] ^= 1;
		if (addr_equal(&a, &spec->own))
			a.bytes[addr_size(&a) - 1] ^= 3;
		break;
	case TARGET_METADATA:
		a = (struct addr){.family = AF_INET, .bytes = {169, 254, 169, 254}, .prefix = 32};
		break;
	case TARGET_V6:
		return address6((const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = PORT_DISCARD});
	case TARGET_V6_METADATA:
		return address6((const uint8_t[16]){0xfd, 0x00, 0x0e, 0xc2, [14] = 2, [15] = 0x54});
	case TARGET_V6_GROUP:
		return address6((const uint8_t[16]){0xff, 0x0e, [15] = PORT_DISCARD});
	}
	return a;
}

enum sent {
	SENT_PACKET, // one packet reached the rule set; errno says what the sender sees
	SENT_NOTHING, // the namespace has no address or route for it: no packet was made
};

// A proxy's engine answers a SYN within microseconds. What the socket then said would carry its mark,
// and be counted. Answers are dropped before TCP sees them.
static int deafen(int fd, struct err *e)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog filter = {.len = 1, .filter = &nothing};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0
		       ? err_set(e, errno, "make a probe deaf")
		       : 0;
}

// Returns enum sent, or -1.
static int probe_send(int ns_fd, const struct probe *p, const struct addr *to, struct err *e)
{
	uint32_t mark = WALL_MARK_PROBE;
	struct sockaddr_storage address;
	socklen_t len = addr_to_socket(to, p->port, &address);
	_cleanup_(closep) int fd = netns_socket(ns_fd, to->family, p->type, 0, e);
	if (fd < 0 && e->code == EAFNOSUPPORT)
		return SENT_NOTHING; // a kernel without IPv6
	if (fd < 0 || deafen(fd, e) < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		return err_set(e, errno, "mark a probe");
	ssize_t r = p->type == SOCK_STREAM
			    ? connect(fd, (struct sockaddr *)&address, len)
			    : sendto(fd, "", 1, MSG_DONTWAIT, (struct sockaddr *)&address, len);
	if (r >= 0 || errno == EINPROGRESS || errno == EPERM)
		return SENT_PACKET;
	if (errno == EADDRNOTAVAIL || errno == ENETUNREACH || errno == EACCES)
		return SENT_NOTHING;
	return err_set(e, errno, "send the probe \"%s\"", p->name);
}

struct tally {
	uint64_t expected[WALL_CHAINS];
	unsigned sent, unsendable;
};

static int send_all(
	struct wall *w, int ns_fd, enum probe_wall state, struct tally *t, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		const struct probe *p = &probes[i];
		if (p->exits != EXITS_ALL && p->exits != (w->spec.ipv6 ? EXITS_V6 : EXITS_V4))
			continue;
		struct addr to = target_address(&w->spec, p->target);
		int r = probe_send(ns_fd, p, &to, e);
		if (r < 0)
			return -1;
		if (r == SENT_NOTHING) {
			t->unsendable++;
			continue;
		}
		t->sent++;
		t->expected[state == PROBE_OPEN ? p->open : p->closed]++;
	}
	return 0;
}

// "" when the counters rose by exactly what was sent, else a sentence.
static void compare(const struct wall_counts *before, const struct wall_counts *after,
	const struct tally *t, char *ret, size_t size)
{
	static const char *const ends[WALL_CHAINS] = {
		[WALL_DENY_V6] = "IPv6 denied",
		[WALL_DENY_DNS] = "DNS denied",
		[WALL_DENY_LOCAL] = "denied as a link's own",
		[WALL_DENY_CLOSED] = "denied, closed",
		[WALL_DENY_IN] = "denied incoming",
		[WALL_PASS] = "passed",
	};
	ret[0] = '\0';
	for (int c = 0; c < WALL_CHAINS; c++) {
		uint64_t rose = after->packets[c][WALL_PROBE] - before->packets[c][WALL_PROBE];
		if (rose == t->expected[c])
			continue;
		snprintf(ret, size, "%llu probes %s, expected %llu", (unsigned long long)rose,
			ends[c], (unsigned long long)t->expected[c]);
		if (c == WALL_PASS)
			return; // the worst of them
	}
}

int probe_run(struct wall *w, int ns_fd, enum probe_wall state, struct evidence *ev, struct err *e)
{
	const char *name = state == PROBE_OPEN ? "leak_open" : "leak_closed";
	int64_t start = wait_now_us();
	struct wall_counts before, after;
	struct tally t = {0};
	if (wall_read_counts(w, &before, e) < 0 || send_all(w, ns_fd, state, &t, e) < 0 ||
		wall_read_counts(w, &after, e) < 0)
		return err_wrap(e, "probe the wall");
	char wrong[128];
	compare(&before, &after, &t, wrong, sizeof(wrong));
	int64_t took = wait_now_us() - start;
	// Without a single ordinary packet nothing would have been shown: no route, no proof.
	uint64_t ordinary = t.expected[state == PROBE_OPEN ? WALL_PASS : WALL_DENY_CLOSED];
	if (wrong[0] != '\0')
		evidence_add(ev, name, OUTCOME_FAILED, "leak", took, "%s", wrong);
	else if (ordinary == 0)
		evidence_add(ev, name, OUTCOME_FAILED, "leak", took,
			"no probe could be sent: the namespace has no route to the tunnel");
	else
		evidence_add(ev, name, OUTCOME_PASSED, NULL, took,
			"%u probes counted exactly, %u could not be sent at all", t.sent,
			t.unsendable);
	return 0;
}
