// SPDX-License-Identifier: Apache-2.0
// Sockets with deadlines, descriptor passing.
#include "lib/sock.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

int sock_listen_tcp(const struct addr_port *address, int backlog, int *ret_fd, struct err *e)
{
	struct sockaddr_storage to;
	socklen_t len = addr_to_socket(&address->addr, address->port, &to);
	const int on = 1;

	_cleanup_(closep) int fd =
		socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return err_set(e, errno, "SO_REUSEADDR");
	if (bind(fd, (struct sockaddr *)&to, len) < 0 || listen(fd, backlog) < 0) {
		int failed = errno;
		char text[ADDR_TEXT_MAX];
		addr_text(&address->addr, text);
		if (failed == EADDRINUSE)
			return err_say(e, failed,
				"%s port %u is taken by another program: stop it or choose another port",
				text, address->port);
		return err_set(e, failed, "listen on %s port %u", text, address->port);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int sock_unix_address(const char *path, struct sockaddr_un *ret, socklen_t *ret_len, struct err *e)
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

// Removes a socket file on which no process listens.
static int remove_stale(const char *path, int type, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, "look at %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_say(e, EEXIST, "%s is in the way: it is not a socket", path);
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

	if (sock_unix_address(path, &to, &len, e) < 0)
		return -1;
	if (path[0] != '@' && remove_stale(path, type, e) < 0)
		return -1;
	_cleanup_(closep) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "socket");
	if (bind(fd, (struct sockaddr *)&to, len) < 0)
		return err_set(e, errno, "bind %s", path);
	// No client can connect before listen(), so the mode is right in time.
	if (path[0] != '@' && chmod(path, mode) < 0)
		return err_set(e, errno, "change the mode of %s", path);
	if (listen(fd, SOMAXCONN) < 0)
		return err_set(e, errno, "listen on %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int sock_connect(int fd, const struct sockaddr *to, socklen_t len, const char *what,
	const struct wait *w, struct err *e)
{
	int failed = 0;
	socklen_t size = sizeof(failed);
	char answer[128];

	if (connect(fd, to, len) == 0)
		return 0;
	// A Unix socket says EAGAIN when the listener's queue is full; there is nothing to poll for
	// then.
	if (errno != EINPROGRESS)
		return err_set(e, errno, "connect to %s", what);
	snprintf(answer, sizeof(answer), "the answer of %s", what);
	int r = wait_fd(w, fd, POLLOUT, answer, e);
	if (r != 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) < 0)
		return err_set(e, errno, "SO_ERROR");
	return failed ? err_set(e, failed, "connect to %s", what) : 0;
}

int sock_connect_unix(const char *path, int type, const struct wait *w, int *ret_fd, struct err *e)
{
	struct sockaddr_un to;
	socklen_t len;

	if (sock_unix_address(path, &to, &len, e) < 0)
		return -1;
	_cleanup_(closep) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "socket");
	int r = sock_connect(fd, (struct sockaddr *)&to, len, path, w, e);
	if (r != 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int sock_accept(int listen_fd, int *ret_fd, struct err *e)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		// The client may have left between the wake-up and now (accept(2), "Error
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

int sock_send_buffer(int fd, int bytes, struct err *e)
{
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) < 0)
		return err_set(e, errno, "SO_SNDBUF");
	return 0;
}

int sock_remote_address(int fd, struct addr *ret, struct err *e)
{
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);

	if (getpeername(fd, (struct sockaddr *)&from, &len) < 0)
		return err_set(e, errno, "ask for the other end's address");
	struct addr a = addr_from_socket((struct sockaddr *)&from).addr;
	if (a.family == 0)
		return err_say(e, EAFNOSUPPORT, "the socket has no internet address");
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; // RFC 4291 section 2.5.5.2
	if (a.family == AF_INET6 && memcmp(a.bytes, mapped, sizeof(mapped)) == 0)
		a = (struct addr)ADDR_V4(a.bytes[12], a.bytes[13], a.bytes[14], a.bytes[15]);
	*ret = a;
	return 0;
}
