// SPDX-License-Identifier: Apache-2.0
// Network namespaces: open one, do something inside it, come back.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct err;
struct wait;

// A descriptor of the namespace at `path` (Docker's NetworkSettings.SandboxKey, /run/netns/x,
// /proc/self/ns/net). A stopped container leaves a plain file at the same path: anything that is
// not NSFS_MAGIC is refused with ENXIO. Returns the descriptor (O_CLOEXEC, the caller closes) or
// -1. Never give it the /proc/PID/ns of a container's process.
//
// A held descriptor keeps the namespace alive, with its devices and the engine behind them: close
// it when the container has ended. Every function below takes such a descriptor as `ns_fd`, and
// none of them keeps it.
_must_check_ int netns_open(const char *path, struct err *e);

// The calling thread's own namespace.
_must_check_ int netns_self(struct err *e);

// A new one that has no name: it lives as long as its descriptors, so whatever is in it ends with
// its holder. lo is down, and its devices have no IPv6 address but those that they are given,
// without `ipv6` none at all. The calling thread goes in and comes back, as with netns_socket.
_must_check_ int netns_new(bool ipv6, struct err *e);

// Whether devices that come into it may have IPv6 addresses: as netns_new's `ipv6`.
_must_check_ int netns_set_ipv6(int ns_fd, bool ipv6, struct err *e);

// Is it the same namespace? Both descriptors are held by the caller, so their inode numbers cannot
// be reused meanwhile.
bool netns_same(int a_fd, int b_fd);

// A socket made inside the namespace, usable from anywhere (O_CLOEXEC and nonblocking). It belongs
// to that namespace for good and keeps it alive. Returns the descriptor, or -1 (EPERM without
// CAP_SYS_ADMIN). The calling thread goes in and comes back, about 5 us; when the way back fails
// the process aborts: no thread may stay in a foreign namespace.
_must_check_ int netns_socket(int ns_fd, int domain, int type, int protocol, struct err *e);

// The counters of the namespace's devices (/proc/net/dev), to be read from the beginning as often
// as one likes: that takes no lock that a change of links holds. The descriptor, or -1.
_must_check_ int netns_counts(int ns_fd, struct err *e);

// A TCP connection to 127.0.0.1:port inside the namespace. 0, WAIT_TIMEOUT, WAIT_CANCELED, -1
// (ECONNREFUSED).
_must_check_ int netns_connect(
	int ns_fd, uint16_t port, const struct wait *w, int *ret_fd, struct err *e);
