// SPDX-License-Identifier: Apache-2.0
// Namespaces of our own: which IPv6 addresses their devices have, and that the thread comes back.
// uses: agent/net/netns.c
#include "agent/net/netns.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/err.h"
#include "lib/mem.h"

static int home_fd, fds_before;

static int start(void **state)
{
	struct err e;
	(void)state;
	fds_before = lowest_free_fd();
	home_fd = netns_self(&e);
	return home_fd < 0 ? -1 : 0;
}

static int stop(void **state)
{
	(void)state;
	close(home_fd);
	assert_int_equal(lowest_free_fd(), fds_before);
	return 0;
}

static void assert_home(void)
{
	struct err e;
	_cleanup_(closep) int here_fd = netns_self(&e);
	assert_true(netns_same(here_fd, home_fd));
}

static void up(const char *device)
{
	struct ifreq request = {.ifr_flags = IFF_UP};
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strcpy(request.ifr_name, device);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

// A device like that of a tunnel. It goes with the descriptor.
static int tun_make(void)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	strcpy(request.ifr_name, "tun0");
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	return fd;
}

static bool has_address(const char *digits)
{
	char text[4096] = "";
	_cleanup_(closep) int fd = open("/proc/thread-self/net/if_inet6", O_RDONLY | O_CLOEXEC);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	return strstr(text, digits) != NULL;
}

// What the kernel gives by itself to lo and to a tunnel's device in that namespace.
static void addresses(int ns_fd, bool *ret_loopback, bool *ret_link_local)
{
	assert_int_equal(setns(ns_fd, CLONE_NEWNET), 0);
	int tun_fd = tun_make();
	up("lo");
	up("tun0");
	*ret_loopback = has_address("00000000000000000000000000000001");
	*ret_link_local = has_address("fe80");
	close(tun_fd);
	assert_int_equal(setns(home_fd, CLONE_NEWNET), 0);
}

static void a_device_has_no_ipv6_address_but_those_that_it_is_given(void **state)
{
	bool loopback, link_local;
	struct err e;
	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0); // as the kernel makes one
	int ns_fd = netns_self(&e);
	addresses(ns_fd, &loopback, &link_local);
	assert_true(loopback && link_local);
	close(ns_fd);
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		ns_fd = netns_new(ipv6, &e);
		assert_true(ns_fd >= 0);
		assert_home();
		assert_false(netns_same(ns_fd, home_fd));
		addresses(ns_fd, &loopback, &link_local);
		assert_int_equal(loopback, ipv6);
		assert_false(link_local);
		close(ns_fd);
	}
}

static void a_namespace_may_get_ipv6_later_and_lose_it(void **state)
{
	bool loopback, link_local;
	struct err e;
	(void)state;
	_cleanup_(closep) int ns_fd = netns_new(false, &e);
	for (int ipv6 = 1; ipv6 >= 0; ipv6--) {
		assert_int_equal(netns_set_ipv6(ns_fd, ipv6, &e), 0);
		assert_home();
		addresses(ns_fd, &loopback, &link_local);
		assert_int_equal(loopback, ipv6);
		assert_false(link_local);
	}
}

static void what_is_no_namespace_is_refused(void **state)
{
	struct err e;
	(void)state;
	assert_int_equal(netns_open("/dev/null", &e), -1);
	assert_int_equal(e.code, ENXIO);
	assert_int_equal(netns_open("/nowhere", &e), -1);
	assert_int_equal(e.code, ENOENT);
	_cleanup_(closep) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(netns_set_ipv6(fd, true, &e), -1);
	assert_home();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_has_no_ipv6_address_but_those_that_it_is_given),
		TEST(a_namespace_may_get_ipv6_later_and_lose_it),
		TEST(what_is_no_namespace_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
