// SPDX-License-Identifier: Apache-2.0
// Does the program behind a tun read it? Asked without the program's help, and without waiting.
#include "agent/tunnel/tun_read.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/net/link.h"
#include "agent/net/netns.h"
#include "agent/net/wall.h"
#include "lib/addr.h"
#include "lib/err.h"
#include "lib/mem.h"

enum { COUNTS_BYTES = 4096 };

// No answer is needed.
static int socket_prepare(int fd, struct err *e)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog deaf = {.len = 1, .filter = &nothing};
	uint32_t mark = WALL_MARK_VERIFY; // it passes a closed wall
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &deaf, sizeof(deaf)) < 0 ||
			       setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0
		       ? err_set(e, errno, "prepare what asks a tunnel's engine")
		       : 0;
}

int tun_read_open(int ns_fd, struct tun_read *ret, struct err *e)
{
	struct tun_read r = TUN_READ_INIT;
	r.socket_fd = netns_socket(ns_fd, AF_INET, SOCK_RAW, IPPROTO_ICMP, e);
	if (r.socket_fd >= 0 && socket_prepare(r.socket_fd, e) == 0)
		r.counts_fd = netns_counts(ns_fd, e);
	if (r.counts_fd < 0) {
		tun_read_close(&r);
		return -1;
	}
	*ret = r;
	return 0;
}

void tun_read_close(struct tun_read *r)
{
	closep(&r->socket_fd);
	closep(&r->counts_fd);
}

// What the device's program has read is what the device has sent: of the numbers of /proc/net/dev the
// tenth.
static int packets_read(int counts_fd, uint64_t *ret, struct err *e)
{
	char text[COUNTS_BYTES];
	ssize_t len = pread(counts_fd, text, sizeof(text) - 1, 0);
	if (len < 0)
		return err_set(e, errno, "read the counters of " LINK_TUNNEL);
	text[len] = '\0';
	const char *line = strstr(text, " " LINK_TUNNEL ":");
	if (!line || sscanf(strchr(line, ':'), ": %*u %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64,
			     ret) != 1)
		return err_say(e, ENODEV, "there is no " LINK_TUNNEL);
	return 0;
}

int tun_read_ask(struct tun_read *r, struct err *e)
{
	static const struct addr nowhere = ADDR_V4(192, 0, 2, 1);
	static const uint8_t echo_request[] = {8, 0, 0xf7, 0xff, 0, 0, 0, 0}; // RFC 792
	struct sockaddr_storage to;
	socklen_t size = addr_to_socket(&nowhere, 0, &to);
	uint64_t before = r->packets;
	r->asked = false;
	if (packets_read(r->counts_fd, &r->packets, e) < 0)
		return -1;
	r->others = r->packets - before > r->own;
	r->asked = sendto(r->socket_fd, echo_request, sizeof(echo_request), MSG_DONTWAIT,
			   (struct sockaddr *)&to, size) >= 0;
	r->own = r->asked;
	return 0;
}

int tun_read_answered(const struct tun_read *r, bool *ret, struct err *e)
{
	uint64_t packets;
	if (packets_read(r->counts_fd, &packets, e) < 0)
		return -1;
	*ret = !r->asked || packets != r->packets;
	return 0;
}
