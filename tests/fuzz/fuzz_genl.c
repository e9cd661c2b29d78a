// SPDX-License-Identifier: Apache-2.0
// Fuzzes what reads the kernel's generic netlink: the number of a family, and a WireGuard device. The
// kernel is this file: it stands in for sendto() and recv().
// uses: agent/net/genl.c agent/net/netns.c agent/net/nl.c agent/tunnel/wg_netlink.c agent/tunnel/wireguard.c
#include <errno.h>
#include <linux/wireguard.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/net/genl.h"
#include "agent/tunnel/wg_netlink.h"
#include "lib/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What the kernel says from now on: datagrams, each behind its length (two bytes, little-endian).
static const uint8_t *answers;
static size_t answers_left;

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
	socklen_t to_len)
{
	(void)fd;
	(void)data;
	(void)flags;
	(void)to;
	(void)to_len;
	return (ssize_t)size;
}

// After the input's own: the end of the dump, or an acknowledgement, which is the same message.
static ssize_t finish(char *buffer)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	m->nlmsg_type = NLMSG_ERROR;
	m->nlmsg_seq = 1;
	mnl_nlmsg_put_extra_header(m, sizeof(struct nlmsgerr));
	return m->nlmsg_len;
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
	(void)fd;
	(void)flags;
	if (answers_left < 2)
		return finish(buffer);
	size_t len = answers[0] | (size_t)answers[1] << 8;
	answers += 2;
	answers_left -= 2;
	len = len < answers_left ? len : answers_left;
	len = len < size ? len : size;
	memcpy(buffer, answers, len);
	answers += len;
	answers_left -= len;
	return (ssize_t)len;
}

static void read_family(struct nl *n)
{
	uint16_t family = 0;
	struct err e;
	int r = genl_family(n, WG_GENL_NAME, &family, &e);
	if ((r == 0) != (family != 0))
		abort();
}

static void read_device(struct nl *n)
{
	static const struct wg_netlink device = {0x1c, "tun0"};
	struct wg_netlink_reading reading = {0};
	struct wireguard_status status;
	struct nl_batch b;
	struct err e;
	nl_batch_init(&b);
	wg_netlink_put_get(n, &b, &device);
	if (nl_dump(n, &b, wg_netlink_take, &reading, "ask", &e) == 0 &&
		wg_netlink_finish(&reading, &status, &e) == 0 && status.handshake_ns < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nl n = {.fd = 0, .sequence = 1};
	if (size < 1)
		return 0;
	answers = data + 1;
	answers_left = size - 1;
	if (data[0] % 2)
		read_device(&n);
	else
		read_family(&n);
	return 0;
}
