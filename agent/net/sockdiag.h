// SPDX-License-Identifier: Apache-2.0
// The sockets of a namespace, in whatever process: finds and ends them (linux/sock_diag.h, linux/inet_diag.h).
#pragma once

#include <stdint.h>

#include "lib/attr.h"
#include "lib/outcome.h"

struct err;

enum sockdiag_outcome {
	SOCKDIAG_UNSUPPORTED =
		OUTCOMES_SOCKDIAG, // the kernel has no CONFIG_INET_DIAG_DESTROY; `e` says so
};

// Ends every TCP and UDP socket inside the namespace, IPv4 and IPv6, listeners included: the
// inverse of netns_socket for the descriptors that were handed out. Their owners see ECONNABORTED.
// Used on stop, expiry and disable. *ret_count = how many ended; may be NULL.
_must_check_ int sockdiag_end_all(int ns_fd, int *ret_count, struct err *e);

// The same for those that have an end outside the namespace, or an address of a tunnel's for their own. Listeners, sockets that
// are tied to no address and what speaks over the loopback interface, as users' ssh sessions do, live on.
_must_check_ int sockdiag_end_routed(int ns_fd, int *ret_count, struct err *e);

struct sockdiag_listener {
	uint64_t cookie; // the kernel's number of the socket, which no other one ever has; not 0
	uint32_t waiting; // connections that were not accepted yet
};

// Which socket takes connections to that TCP port of 127.0.0.1 inside. Its process does not learn that
// it was asked. ENOENT: none does.
_must_check_ int sockdiag_find_listener(
	int ns_fd, uint16_t port, struct sockdiag_listener *ret, struct err *e);
