// SPDX-License-Identifier: Apache-2.0
// Network namespaces: open one, do something inside it, come back.
#include "agent/net/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/sock.h"

int netns_open(const char *path, struct err *e)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, errno, "open network namespace %s", path);
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return err_set(e, errno, "look at network namespace %s", path);
	if (fs.f_type != NSFS_MAGIC)
		return err_say(e, ENXIO,
			"%s is not a network namespace (any more): the container has ended", path);
	return TAKE_FD(fd);
}

int netns_self(struct err *e)
{
	// The thread's own: /proc/self would be the leader's.
	return netns_open("/proc/thread-self/ns/net", e);
}

// As in a container: a device has no address but those that it is given. /proc/sys/net is that of
// the namespace of the thread that opens it.
static int ipv6_settle(bool ipv6, struct err *e)
{
	static const struct {
		const char *path, *without, *with;
	} rows[] = {
		{"/proc/sys/net/ipv6/conf/all/disable_ipv6", "1", "0"},
		{"/proc/sys/net/ipv6/conf/default/disable_ipv6", "1", "0"},
		{"/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1", "1"}, // none
		{"/proc/sys/net/ipv6/conf/default/accept_ra", "0", "0"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *value = ipv6 ? rows[i].with : rows[i].without;
		char before = 0;
		_cleanup_(closep) int now_fd = open(rows[i].path, O_RDONLY | O_CLOEXEC);
		if (now_fd < 0 && errno == ENOENT && !ipv6)
			continue; // the kernel has none
		if (now_fd < 0 || read(now_fd, &before, 1) != 1)
			return err_set(e, errno, "read %s", rows[i].path);
		if (before == *value)
			continue;
		_cleanup_(closep) int fd = open(rows[i].path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, value, 1) != 1)
			return err_set(e, errno, "write %s", rows[i].path);
	}
	return 0;
}

int netns_new(bool ipv6, struct err *e)
{
	_cleanup_(closep) int home_fd = netns_self(e), fd = -1;
	if (home_fd < 0)
		return -1;
	if (unshare(CLONE_NEWNET) < 0)
		return err_set(e, errno, "make a network namespace");
	fd = netns_self(e);
	int r = fd < 0 ? -1 : ipv6_settle(ipv6, e);
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort(); // as below
	return r < 0 ? -1 : TAKE_FD(fd);
}

bool netns_same(int a_fd, int b_fd)
{
	struct stat a, b;
	return fstat(a_fd, &a) == 0 && fstat(b_fd, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

// The way back, which the caller closes. A thread that stayed there would do all later work in the
// wrong network.
static int enter(int ns_fd, struct err *e)
{
	_cleanup_(closep) int home_fd = netns_self(e);
	if (home_fd < 0)
		return -1;
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return err_set(e, errno, "enter a network namespace");
	return TAKE_FD(home_fd);
}

static void leave(int home_fd)
{
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
}

int netns_set_ipv6(int ns_fd, bool ipv6, struct err *e)
{
	_cleanup_(closep) int home_fd = enter(ns_fd, e);
	if (home_fd < 0)
		return -1;
	int r = ipv6_settle(ipv6, e);
	leave(home_fd);
	return r;
}

int netns_socket(int ns_fd, int domain, int type, int protocol, struct err *e)
{
	_cleanup_(closep) int home_fd = enter(ns_fd, e);
	if (home_fd < 0)
		return -1;
	int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	int error = errno;
	leave(home_fd);
	if (fd < 0)
		return err_set(
			e, error, "make a socket (family %d) in a network namespace", domain);
	return fd;
}

int netns_counts(int ns_fd, struct err *e)
{
	_cleanup_(closep) int home_fd = enter(ns_fd, e);
	if (home_fd < 0)
		return -1;
	int fd = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	int error = errno;
	leave(home_fd);
	return fd < 0 ? err_set(e, error, "open the counters of a network namespace") : fd;
}

int netns_connect(int ns_fd, uint16_t port, const struct wait *w, int *ret_fd, struct err *e)
{
	static const struct addr loopback = ADDR_V4(127, 0, 0, 1);
	struct sockaddr_storage to;
	socklen_t len = addr_to_socket(&loopback, port, &to);
	char what[64];
	_cleanup_(closep) int fd = netns_socket(ns_fd, AF_INET, SOCK_STREAM, 0, e);
	if (fd < 0)
		return -1;
	snprintf(what, sizeof(what), "port %u in the container", port);
	int r = sock_connect(fd, (struct sockaddr *)&to, len, what, w, e);
	if (r != 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
