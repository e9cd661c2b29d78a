// SPDX-License-Identifier: Apache-2.0
// Sockets: listen, connect, pass descriptors. Every wait has a deadline and a cancel
// descriptor.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "lib/attr.h"
#include "lib/outcome.h"

struct addr;
struct addr_port;
struct err;
struct wait;

// All sockets are made O_CLOEXEC and non-blocking. Returned descriptors are the caller's.

// Listens on a numeric address with SO_REUSEADDR. A taken port is an error that says so (e->code
// EADDRINUSE).
_must_check_ int sock_listen_tcp(
	const struct addr_port *address, int backlog, int *ret_fd, struct err *e);

// Listens on a Unix socket of `type` (SOCK_STREAM, SOCK_SEQPACKET). A socket file on which
// no process listens is removed first; one on which a process listens is EADDRINUSE. `mode` is set
// before a client can connect. A path that starts with '@' is abstract.
_must_check_ int sock_listen_unix(
	const char *path, int type, mode_t mode, int *ret_fd, struct err *e);

// The address of a Unix socket; a path that starts with '@' is abstract. ENAMETOOLONG says so.
_must_check_ int sock_unix_address(
	const char *path, struct sockaddr_un *ret, socklen_t *ret_len, struct err *e);

// Connect, the first with the caller's socket (`what` names the other end in sentences): 0,
// WAIT_TIMEOUT, WAIT_CANCELED, -1.
_must_check_ int sock_connect(int fd, const struct sockaddr *to, socklen_t len, const char *what,
	const struct wait *w, struct err *e);
_must_check_ int sock_connect_unix(
	const char *path, int type, const struct wait *w, int *ret_fd, struct err *e);

// Accepts without blocking: 0, SOCK_NONE when no client waits (any more), -1.
enum sock_outcome {
	SOCK_NONE = OUTCOMES_SOCK, // sock_accept: no client waits
	SOCK_CLOSED, // the peer closed before a whole message came; `e` says so
};
_must_check_ int sock_accept(int listen_fd, int *ret_fd, struct err *e);

// Who is on the other end of a Unix socket, by SO_PEERCRED: the ids at connect().
struct sock_peer {
	pid_t pid; // 0: a process outside our pid namespace
	uid_t uid;
	gid_t gid;
};
_must_check_ int sock_peer(int fd, struct sock_peer *ret, struct err *e);

// One message with descriptors (SCM_RIGHTS), for SOCK_SEQPACKET and socketpairs. Sending keeps the
// caller's descriptors. sock_recv wants exactly `len` bytes; received descriptors are O_CLOEXEC and
// the caller's; more than `fds_max` or a wrong length is an error and all of them are closed.
enum { SOCK_FDS_MAX = 4 };
_must_check_ int sock_send(int fd, const void *message, size_t len, const int *fds,
	size_t fds_count, const struct wait *w, struct err *e);
_must_check_ int sock_recv(int fd, void *message, size_t len, int *fds, size_t fds_max,
	size_t *ret_fds, const struct wait *w, struct err *e);

// Reads or writes all of a stream's bytes. 0, SOCK_CLOSED, WAIT_TIMEOUT, WAIT_CANCELED, -1.
_must_check_ int sock_read_all(
	int fd, void *buffer, size_t len, const struct wait *w, struct err *e);
_must_check_ int sock_write_all(
	int fd, const void *buffer, size_t len, const struct wait *w, struct err *e);

// Dead peers are noticed: keepalive after idle_s, then each interval_s, count times. Without
// TCP_USER_TIMEOUT, which would also cut off a live peer whose program does not read for so long.
_must_check_ int sock_keepalive(int fd, int idle_s, int interval_s, int count, struct err *e);
_must_check_ int sock_nodelay(int fd, struct err *e);

// How much the kernel keeps of what has been sent and not yet taken; it doubles the number. What a listening
// socket accepts has the same.
_must_check_ int sock_send_buffer(int fd, int bytes, struct err *e);

// The address of the other end; an IPv4 address mapped into IPv6 comes as IPv4.
_must_check_ int sock_remote_address(int fd, struct addr *ret, struct err *e);
