// SPDX-License-Identifier: Apache-2.0
// Sockets with deadlines, descriptor passing.
#include "lib/sock.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/args.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

static int tcp_address(const struct args_address *address, struct sockaddr_storage *ret,
	socklen_t *ret_len, struct err *e)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, address->host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(address->port);
		*ret_len = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, address->host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(address->port);
		*ret_len = sizeof(*v6);
		return 0;
	}
	return err_say(e, EINVAL, "\"%s\" is no numeric address", address->host);
}

int sock_listen_tcp(const struct args_address *address, int backlog, int *ret_fd, struct err *e)
{
	struct sockaddr_storage to;
	socklen_t len;
	const int on = 1;

	if (tcp_address(address, &to, &len, e) < 0)
		return -1;
	_cleanup_(closep) int fd =
		socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return err_set(e, errno, "SO_REUSEADDR");
	if (bind(fd, (struct sockaddr *)&to, len) < 0 || listen(fd, backlog) < 0) {
		if (errno == EADDRINUSE)
			return err_say(e, EADDRINUSE,
				"%s port %u is taken by another program: stop it or choose another port",
				address->host, address->port);
		return err_set(e, errno, "listen on %s port %u", address->host, address->port);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int unix_address(
	const char *path, struct sockaddr_un *ret, socklen_t *ret_len, struct err *e)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!text_copy(ret->sun_path, sizeof(ret->sun_path), path))
		return err_say(e, ENAMETOOLONG,
			"the socket path %s is longer than %zu bytes: use a shorter directory",
			path, sizeof(ret->sun_path) - 1);
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@') // abstract: a NUL in front, no NUL behind
		ret->sun_path[0] = '\0';
	else
		++*ret_len;
	return 0;
}

// Removes a socket file that nobody answers on.
static int remove_stale(const char *path, int type, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, "look at %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_say(e, EEXIST, "%s is in the way: it is no socket", path);
	_cleanup_(closep) int fd = -1;
	struct wait now = wait_for(0, -1);
	if (sock_connect_unix(path, type, &now, &fd, e) != -1 || e->code != ECONNREFUSED)
		return err_say(e, EADDRINUSE, "another process listens on %s: stop it first", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", path);
	return 0;
}

int sock_listen_unix(const char *path, int type, mode_t mode, int *ret_fd, struct err *e)
{
	struct sockaddr_un to;
	socklen_t len;

	if (unix_address(path, &to, &len, e) < 0)
		return -1;
	if (path[0] != '@' && remove_stale(path, type, e) < 0)
		return -1;
	_cleanup_(closep) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "socket");
	if (bind(fd, (struct sockaddr *)&to, len) < 0)
		return err_set(e, errno, "bind %s", path);
	// Nobody can connect before listen(), so the mode is right from the first moment that
	// counts.
	if (path[0] != '@' && chmod(path, mode) < 0)
		return err_set(e, errno, "change the mode of %s", path);
	if (listen(fd, SOMAXCONN) < 0)
		return err_set(e, errno, "listen on %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int connect_to(int fd, const struct sockaddr *to, socklen_t len, const struct wait *w,
	const char *what, struct err *e)
{
	int failed = 0;
	socklen_t size = sizeof(failed);

	if (connect(fd, to, len) == 0)
		return 0;
	// A Unix socket says EAGAIN when the listener's queue is full; there is nothing to poll for
	// then.
	if (errno != EINPROGRESS)
		return err_set(e, errno, "connect to %s", what);
	int r = wait_fd(w, fd, POLLOUT, what, e);
	if (r != 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) < 0)
		return err_set(e, errno, "SO_ERROR");
	return failed ? err_set(e, failed, "connect to %s", what) : 0;
}

int sock_connect_tcp(
	const struct args_address *address, const struct wait *w, int *ret_fd, struct err *e)
{
	struct sockaddr_storage to;
	socklen_t len;
	char what[SOCK_ADDRESS_MAX + 16];

	if (tcp_address(address, &to, &len, e) < 0)
		return -1;
	_cleanup_(closep) int fd =
		socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "socket");
	snprintf(what, sizeof(what), "%s port %u", address->host, address->port);
	int r = connect_to(fd, (struct sockaddr *)&to, len, w, what, e);
	if (r != 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int sock_connect_unix(const char *path, int type, const struct wait *w, int *ret_fd, struct err *e)
{
	struct sockaddr_un to;
	socklen_t len;

	if (unix_address(path, &to, &len, e) < 0)
		return -1;
	_cleanup_(closep) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "socket");
	int r = connect_to(fd, (struct sockaddr *)&to, len, w, path, e);
	if (r != 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int sock_accept(int listen_fd, int *ret_fd, struct err *e)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		// The client may have gone between the wake-up and now (accept(2), "Error
		// handling").
		if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR || errno == EPROTO)
			return SOCK_NONE;
		return err_set(e, errno, "accept");
	}
	*ret_fd = fd;
	return 0;
}

int sock_peer(int fd, struct sock_peer *ret, struct err *e)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return err_set(e, errno, "SO_PEERCRED");
	*ret = (struct sock_peer){.pid = cred.pid, .uid = cred.uid, .gid = cred.gid};
	return 0;
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * SOCK_FDS_MAX)];
};

int sock_send(int fd, const void *message, size_t len, const int *fds, size_t fds_count,
	const struct wait *w, struct err *e)
{
	union control control = {0};
	struct iovec part = {.iov_len = len};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	assert(fds_count <= SOCK_FDS_MAX);
	memcpy(&part.iov_base, &message, sizeof(message)); // only read from
	if (fds_count > 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * fds_count);
		struct cmsghdr *c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fds_count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fds_count);
	}
	for (;;) {
		ssize_t sent = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent == (ssize_t)len)
			return 0;
		if (sent >= 0)
			return err_say(e, EMSGSIZE, "only a part of the message was sent");
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return err_set(e, errno, "send a message");
		int r = wait_fd(w, fd, POLLOUT, "room to send", e);
		if (r != 0)
			return r;
	}
}

// Takes the descriptors out of a received message; those beyond `max` are closed. Returns how many
// came in all.
static size_t take_fds(struct msghdr *header, int *fds, size_t max)
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t came = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < came; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (count < max)
				fds[count] = fd;
			else
				close(fd);
			count++;
		}
	}
	return count;
}

int sock_recv(int fd, void *message, size_t len, int *fds, size_t fds_max, size_t *ret_fds,
	const struct wait *w, struct err *e)
{
	union control control;
	struct iovec part = {.iov_base = message, .iov_len = len};
	struct msghdr header = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t got;

	do {
		int r = wait_fd(w, fd, POLLIN, "the message", e);
		if (r != 0)
			return r;
		got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0 && errno != ECONNRESET)
		return err_set(e, errno, "receive a message");
	size_t count = got > 0 ? take_fds(&header, fds, fds_max) : 0;
	bool whole = got == (ssize_t)len && !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
	if (whole && count <= fds_max) {
		if (ret_fds)
			*ret_fds = count;
		return 0;
	}
	for (size_t i = 0; i < count && i < fds_max; i++)
		close(fds[i]);
	if (got > 0)
		return err_say(e, EBADMSG, "a message of another form came");
	err_note(e, ECONNRESET, "the other side closed the connection");
	return SOCK_CLOSED;
}

int sock_ask(struct sock_question *question, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	int r = sock_connect_unix(question->path, SOCK_SEQPACKET, w, &fd, e);

	if (r == 0)
		r = sock_send(fd, question->request, question->request_len, NULL, 0, w, e);
	if (r == 0)
		r = sock_recv(fd, question->reply, question->reply_len, question->fds,
			question->fds_max, &question->fds_count, w, e);
	return r < 0 ? err_wrap(e, "ask %s", question->path) : r;
}

int sock_read_all(int fd, void *buffer, size_t len, const struct wait *w, struct err *e)
{
	char *at = buffer;

	while (len > 0) {
		ssize_t got = recv(fd, at, len, MSG_DONTWAIT);
		if (got == 0) {
			err_note(e, ECONNRESET, "the other side closed the connection");
			return SOCK_CLOSED;
		}
		if (got > 0) {
			at += got;
			len -= (size_t)got;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return err_set(e, errno, "receive");
		int r = wait_fd(w, fd, POLLIN, "the data", e);
		if (r != 0)
			return r;
	}
	return 0;
}

int sock_write_all(int fd, const void *buffer, size_t len, const struct wait *w, struct err *e)
{
	const char *at = buffer;

	while (len > 0) {
		ssize_t sent = send(fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			at += sent;
			len -= (size_t)sent;
			continue;
		}
		if (errno == EPIPE || errno == ECONNRESET) {
			err_note(e, ECONNRESET, "the other side closed the connection");
			return SOCK_CLOSED;
		}
		if (errno != EAGAIN && errno != EINTR)
			return err_set(e, errno, "send");
		int r = wait_fd(w, fd, POLLOUT, "room to send", e);
		if (r != 0)
			return r;
	}
	return 0;
}

int sock_keepalive(int fd, int idle_s, int interval_s, int count, struct err *e)
{
	const int on = 1;
	const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, on},
		{IPPROTO_TCP, TCP_KEEPIDLE, idle_s},
		{IPPROTO_TCP, TCP_KEEPINTVL, interval_s},
		{IPPROTO_TCP, TCP_KEEPCNT, count},
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			    sizeof(int)) < 0)
			return err_set(e, errno, "set keepalive");
	return 0;
}

int sock_nodelay(int fd, struct err *e)
{
	const int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		return err_set(e, errno, "TCP_NODELAY");
	return 0;
}

static int address_text(const struct sockaddr_storage *from, char ret[static SOCK_ADDRESS_MAX],
	uint16_t *ret_port, struct err *e)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	bool is_v6 = from->ss_family == AF_INET6;
	const void *binary = is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr;
	int family = from->ss_family;

	if (family != AF_INET && family != AF_INET6)
		return err_say(e, EAFNOSUPPORT, "the socket has no internet address");
	if (is_v6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		binary = v6->sin6_addr.s6_addr + 12;
		family = AF_INET;
	}
	if (!inet_ntop(family, binary, ret, SOCK_ADDRESS_MAX))
		return err_set(e, errno, "print an address");
	if (ret_port)
		*ret_port = ntohs(is_v6 ? v6->sin6_port : v4->sin_port);
	return 0;
}

int sock_remote_address(
	int fd, char ret[static SOCK_ADDRESS_MAX], uint16_t *ret_port, struct err *e)
{
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);

	if (getpeername(fd, (struct sockaddr *)&from, &len) < 0)
		return err_set(e, errno, "ask for the other end's address");
	return address_text(&from, ret, ret_port, e);
}

int sock_local_address(int fd, char ret[static SOCK_ADDRESS_MAX], uint16_t *ret_port, struct err *e)
{
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);

	if (getsockname(fd, (struct sockaddr *)&from, &len) < 0)
		return err_set(e, errno, "ask for our own address");
	return address_text(&from, ret, ret_port, e);
}
