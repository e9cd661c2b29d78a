// SPDX-License-Identifier: Apache-2.0
// The proxy engine's filter: what it refuses, and that the engine works under it.
// uses: agent/tunnel/proxy_seccomp.c agent/tunnel/proxy_config.c agent/tunnel/proxy_outbound.c agent/tunnel/member.c
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/tunnel/proxy_config.h"
#include "agent/tunnel/proxy_seccomp.h"
#include "lib/err.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/mem.h"

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s: errno %d\n", what, errno);
	_exit(1);
}

static bool filter_load(const struct sock_fprog *filter)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter) == 0;
}

static void child_must_succeed(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

// --- calls

#define BAD (-1L)
// A family with bits above those that the kernel looks at.
#define WIDE(family) ((1L << 32) | (family))

// With arguments that the kernel itself refuses for another reason, or that do no harm.
static const struct call {
	const char *name;
	long number, args[4];
	int error; // under the filter
} calls[] = {
	{"unshare", SYS_unshare, {CLONE_NEWNET}, EPERM},
	{"unshare(user)", SYS_unshare, {CLONE_NEWUSER}, EPERM},
	{"setns", SYS_setns, {BAD, CLONE_NEWNET}, EPERM},
	{"mount", SYS_mount, {0, 0, 0, 0}, EPERM},
	{"umount2", SYS_umount2, {0, 0}, EPERM},
	{"fsopen", SYS_fsopen, {0, 0}, EPERM},
	{"open_tree", SYS_open_tree, {BAD, 0, 0}, EPERM},
	{"move_mount", SYS_move_mount, {BAD, 0, BAD, 0}, EPERM},
	{"mount_setattr", SYS_mount_setattr, {BAD, 0, 0, 0}, EPERM},
	{"pivot_root", SYS_pivot_root, {0, 0}, EPERM},
	{"chroot", SYS_chroot, {0}, EPERM},
	{"ptrace", SYS_ptrace, {2 /* PTRACE_PEEKDATA */, BAD, 0, 0}, EPERM},
	{"process_vm_readv", SYS_process_vm_readv, {BAD, 0, 0, 0}, EPERM},
	{"process_vm_writev", SYS_process_vm_writev, {BAD, 0, 0, 0}, EPERM},
	{"pidfd_getfd", SYS_pidfd_getfd, {BAD, 0, 0}, EPERM},
	{"bpf", SYS_bpf, {BAD, 0, 0}, EPERM},
	{"perf_event_open", SYS_perf_event_open, {0, 0, BAD, BAD}, EPERM},
	{"userfaultfd", SYS_userfaultfd, {BAD}, EPERM},
	{"io_uring_setup", SYS_io_uring_setup, {1, 0}, EPERM},
	{"io_uring_enter", SYS_io_uring_enter, {BAD, 0, 0, 0}, EPERM},
	{"io_uring_register", SYS_io_uring_register, {BAD, 0, 0, 0}, EPERM},
	{"keyctl", SYS_keyctl, {BAD}, EPERM},
	{"add_key", SYS_add_key, {0, 0, 0, 0}, EPERM},
	{"request_key", SYS_request_key, {0, 0, 0, 0}, EPERM},
	{"open_by_handle_at", SYS_open_by_handle_at, {BAD, 0, 0}, EPERM},
	{"init_module", SYS_init_module, {0, 0, 0}, EPERM},
	{"kexec_load", SYS_kexec_load, {0, 0, 0, BAD}, EPERM},
	{"reboot", SYS_reboot, {0, 0, 0, 0}, EPERM},
	{"sethostname", SYS_sethostname, {0, BAD}, EPERM},
	{"clock_settime", SYS_clock_settime, {BAD, 0}, EPERM},
	{"fork", SYS_fork, {0}, EPERM},
	{"vfork", SYS_vfork, {0}, EPERM},
	{"clone", SYS_clone, {SIGCHLD, 0, 0, 0}, EPERM},
	{"clone(net)", SYS_clone, {CLONE_NEWNET | SIGCHLD, 0, 0, 0}, EPERM},
	{"clone3", SYS_clone3, {0, 0}, ENOSYS},
	{"socket(unix)", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, EPERM},
	{"socket(packet)", SYS_socket, {AF_PACKET, SOCK_RAW, 0}, EPERM},
	{"socket(vsock)", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}, EPERM},
	{"socket(alg)", SYS_socket, {AF_ALG, SOCK_SEQPACKET, 0}, EPERM},
	{"socket(wide unix)", SYS_socket, {WIDE(AF_UNIX), SOCK_STREAM, 0}, EPERM},
	{"socket(netfilter)", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}, EPERM},
	{"open(O_CREAT)", SYS_open, {(long)"/proc/new", O_CREAT | O_WRONLY, 0600}, EPERM},
	{"openat(O_CREAT)", SYS_openat, {BAD, (long)"new", O_CREAT | O_WRONLY, 0600}, EPERM},
	{"openat(O_TMPFILE)", SYS_openat, {BAD, (long)"new", O_TMPFILE | O_RDWR, 0600}, EPERM},
	{"openat2", SYS_openat2, {BAD, 0, 0, 0}, ENOSYS},
	{"mkdirat", SYS_mkdirat, {BAD, (long)"new", 0700}, EPERM},
	{"unlinkat", SYS_unlinkat, {BAD, (long)"old", 0}, EPERM},
	{"renameat2", SYS_renameat2, {BAD, (long)"old", BAD, (long)"new"}, EPERM},
	{"linkat", SYS_linkat, {BAD, (long)"old", BAD, (long)"new"}, EPERM},
	{"fchmod", SYS_fchmod, {BAD, 0700}, EPERM},
};

static void each_call_is_refused_by_the_filter(void **state)
{
	struct sock_fprog filter;
	struct err e;
	(void)state;
	assert_int_equal(proxy_seccomp_make(&filter, &e), 0);
	pid_t pid = fork();
	if (pid == 0) {
		must(filter_load(&filter), "load the filter");
		for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
			const struct call *c = &calls[i];
			errno = 0;
			long r = syscall(c->number, c->args[0], c->args[1], c->args[2], c->args[3]);
			must(r == -1 && errno == c->error, c->name);
		}
		_exit(0);
	}
	child_must_succeed(pid);
	filter_done(&filter);
}

static void what_the_engine_needs_is_allowed(void **state)
{
	static const int sockets[][3] = {
		{AF_INET, SOCK_STREAM, 0},
		{AF_INET, SOCK_DGRAM, 0},
		{AF_INET6, SOCK_STREAM, 0},
		{AF_NETLINK, SOCK_RAW, NETLINK_ROUTE},
	};
	struct sock_fprog filter;
	struct err e;
	(void)state;
	assert_int_equal(proxy_seccomp_make(&filter, &e), 0);
	pid_t pid = fork();
	if (pid == 0) {
		must(filter_load(&filter), "load the filter");
		for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
			must(socket(sockets[i][0], sockets[i][1], sockets[i][2]) >= 0 ||
					errno == EAFNOSUPPORT, // of a kernel without IPv6
				"a socket");
		must(open("/dev/null", O_RDWR | O_CLOEXEC) >= 0, "open a file");
		must(memfd_create("x", 0) >= 0, "memory");
		_exit(0);
	}
	child_must_succeed(pid);
	filter_done(&filter);
}

// --- the engine

#define DEVICE "c0123456789ab"
enum { PATIENCE_S = 60 };

// The program that tools/pins names, which must be there.
static void engine_find(char *ret, size_t size)
{
	FILE *bash = popen("bash -c '. tools/pins && printf %s \"$sing_box\"'", "re");
	assert_non_null(bash);
	ret[fread(ret, 1, size - 1, bash)] = '\0';
	assert_int_equal(pclose(bash), 0);
	assert_int_equal(access(ret, X_OK), 0);
}

static void lo_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	must(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "lo up");
	close(fd);
}

static bool device_is_up(void)
{
	struct ifreq request = {.ifr_name = DEVICE};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool up = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP;
	close(fd);
	return up;
}

static int link_watch(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	must(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "watch devices");
	return fd;
}

static void readable_wait(int fd, const char *what)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	must(poll(&p, 1, PATIENCE_S * 1000) == 1, what);
}

static void device_wait(int watch_fd)
{
	char message[8192];
	while (!device_is_up()) {
		readable_wait(watch_fd, "wait for the device");
		must(read(watch_fd, message, sizeof(message)) > 0, "hear of devices");
	}
}

static int proxy_listen(uint16_t *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	must(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0,
		"listen as the proxy");
	*ret_port = unit_port(fd);
	return fd;
}

// A file in memory with the configuration of an exit at our proxy.
static int config_fd(uint16_t port)
{
	_cleanup_(json_freep) cJSON *config = json_new_object();
	struct proxy_place place = {.name = DEVICE, .resolver = ADDR_V4(198, 18, 0, 53)};
	char *text = NULL;
	struct err e;
	json_set_text(config, "type", "socks");
	json_set_text(config, "server", "127.0.0.1");
	json_set_number(config, "server_port", port);
	must(proxy_config_text(config, NULL, &place, &text, &e) == 0, e.message);
	int fd = memfd_create("config", 0);
	must(write(fd, text, strlen(text)) == (ssize_t)strlen(text) && lseek(fd, 0, SEEK_SET) == 0,
		"keep its configuration");
	free(text);
	return fd;
}

static pid_t engine_start(const char *engine, int input_fd, const struct sock_fprog *filter)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	must(dup2(input_fd, STDIN_FILENO) == STDIN_FILENO && filter_load(filter), "prepare");
	execl(engine, engine, "run", "-c", "stdin", (char *)NULL);
	must(false, "exec");
	return 0;
}

static int user_connect(void)
{
	struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(80)};
	inet_pton(AF_INET, "203.0.113.9", &target.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(connect(fd, (struct sockaddr *)&target, sizeof(target)) == 0 || errno == EINPROGRESS,
		"connect as the user");
	return fd;
}

// What RFC 1928 says: a greeting, and then the user's target.
static void proxy_is_asked(int listen_fd)
{
	static const unsigned char request[] = {5, 1, 0, 1, 203, 0, 113, 9, 0, 80};
	unsigned char got[sizeof(request)];
	readable_wait(listen_fd, "wait for the engine's connection");
	int fd = accept(listen_fd, NULL, NULL);
	must(recv(fd, got, 3, MSG_WAITALL) == 3 && got[0] == 5, "be greeted");
	must(write(fd, "\5", 2) == 2, "ask for no password");
	must(recv(fd, got, sizeof(got), MSG_WAITALL) == sizeof(got) &&
			memcmp(got, request, sizeof(got)) == 0,
		"hear the user's target");
	close(fd);
}

static void engine_try(const char *engine, const struct sock_fprog *filter)
{
	uint16_t port;
	must(unshare(CLONE_NEWNET) == 0, "a network namespace of our own");
	lo_up();
	int watch_fd = link_watch(), listen_fd = proxy_listen(&port);
	pid_t pid = engine_start(engine, config_fd(port), filter);
	device_wait(watch_fd);
	must(system("ip route add 203.0.113.0/24 dev " DEVICE) == 0, "route through it");
	int user_fd = user_connect();
	proxy_is_asked(listen_fd);
	close(user_fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void the_engine_carries_a_connection_under_the_filter(void **state)
{
	struct sock_fprog filter;
	char engine[4096];
	struct err e;
	(void)state;
	engine_find(engine, sizeof(engine));
	assert_int_equal(proxy_seccomp_make(&filter, &e), 0);
	pid_t pid = fork();
	if (pid == 0) {
		engine_try(engine, &filter);
		_exit(0);
	}
	child_must_succeed(pid);
	filter_done(&filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_is_refused_by_the_filter),
		cmocka_unit_test(what_the_engine_needs_is_allowed),
		cmocka_unit_test(the_engine_carries_a_connection_under_the_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
