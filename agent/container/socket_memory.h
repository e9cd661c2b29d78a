// SPDX-License-Identifier: Apache-2.0
// What the TCP and UDP sockets of a container may hold of the machine's memory.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"

struct err;

// What waits in TCP and UDP sockets is the kernel's memory. Version 2 of cgroups counts it towards
// memory.max, unless the kernel was started with cgroup.memory=nosocket. Version 1 counts it apart,
// and only in a group with a limit of its own, memory.kmem.tcp.limit_in_bytes, and only for sockets
// that were made after that was written: it must be there before the first program of a user. runc
// does not write it. Its name says tcp and it counts UDP too.
//
// What has no limit there goes on to the machine's end (tcp_mem, udp_mem), where the network of all suffers.
// A connection that is not accepted yet is counted nowhere, in both versions: the kernel gives
// it a group when it is accepted. It takes what its listener's receive buffer allows.
// Sources: Documentation/admin-guide/cgroup-v1/memory.rst (2.7), Documentation/admin-guide/
// cgroup-v2.rst, Linux net/core/sock.c (__sk_mem_raise_allocated), net/ipv4/inet_connection_sock.c
// (inet_csk_accept).
struct socket_memory {
	const char *container_id;
	pid_t pid; // of a process in the container, which is held or was proven
	int64_t memory_limit_mb; // the container's
};

// A sixteenth of the container's limit: the share of its memory at which a machine begins to take
// from all TCP sockets (tcp(7), tcp_mem), so containers that fit into the memory of a machine
// together stay below that. At least 16 MB: a download of 1 Gbit/s over 100 ms has 12.5 MB under way.
int64_t socket_memory_bytes(int64_t memory_limit_mb);

// Limits the container. `root` is "" but for tests. 0 also where socket_memory_check says that the
// machine has no such limits. -1: EPERM when the process is in no group of the container's, EBUSY
// when its sockets hold more already.
_must_check_ int socket_memory_limit(
	const char *root, const struct socket_memory *m, struct err *e);

// Does the memory of a container's sockets have a limit on this machine? -1 says why not.
_must_check_ int socket_memory_check(const char *root, struct err *e);
