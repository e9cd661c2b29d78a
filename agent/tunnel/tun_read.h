// SPDX-License-Identifier: Apache-2.0
// Does the program behind a tun read it? Asked without the program's help, and without waiting.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct err;

// One small packet is sent into LINK_TUNNEL, and a tun counts what its program has read. What is sent
// there by others counts as well: a queue that is full of a flood takes no packet of ours, but moves.
//
// The packet is an ICMP echo request for a documentation address (RFC 5737). A program that carries
// connections, such as a proxy's engine, answers it itself or drops it: nothing leaves. What carries
// packets would carry this one too, and is to be asked otherwise.
struct tun_read {
	int socket_fd, counts_fd;
	uint64_t packets; // that had been read when it was asked
	uint64_t own; // that we have put in since, the caller's too
	bool others; // packets not our own were read between the last two times it was asked
	bool asked; // the packet was sent: without one there may be nothing to read
};
#define TUN_READ_INIT ((struct tun_read){.socket_fd = -1, .counts_fd = -1})

_must_check_ int tun_read_open(int ns_fd, struct tun_read *ret, struct err *e);
void tun_read_close(struct tun_read *r);

// Asks. Neither waits. What the namespace does not let us send asks nothing: why is for others to say.
_must_check_ int tun_read_ask(struct tun_read *r, struct err *e);

// Has it read anything since it was asked, or could it not be asked?
_must_check_ int tun_read_answered(const struct tun_read *r, bool *ret, struct err *e);
