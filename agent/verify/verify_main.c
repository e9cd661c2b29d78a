// SPDX-License-Identifier: Apache-2.0
// `ccp-agent verify`: loads what verifications need; a child for each enters the namespace, gives up its
// rights, parses untrusted answers, reports.
#include <ares.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/verify/verify.h"
#include "agent/verify/verify_net.h"
#include "agent/verify/verify_server.h"
#include "agent/verify/verify_wire.h"
#include "lib/attr.h"
#include "lib/err.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"

#define VERIFY_USER "ccp-verify"

enum { SPEC_BYTES_MAX = 65536 };

static int limit_set(int what, rlim_t value, struct err *e)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
	if (setrlimit(what, &limit) < 0)
		return err_set(e, errno, "limit the verification's resources");
	return 0;
}

static int limits_set(struct err *e)
{
	if (limit_set(RLIMIT_CORE, 0, e) < 0 || limit_set(RLIMIT_CPU, 10, e) < 0 ||
		limit_set(RLIMIT_NOFILE, 128, e) < 0)
		return -1;
	return 0;
}

#if !HAS_SANITIZER
// What curl, c-ares, OpenSSL and libc call between here and the end. Everything else is EPERM: no
// new programs or threads, no writing to files, no sockets but internet ones.
static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lseek),
	SCMP_SYS(pread64), SCMP_SYS(getdents64), SCMP_SYS(access), SCMP_SYS(mmap), SCMP_SYS(munmap),
	SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(connect),
	SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmsg), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt), SCMP_SYS(shutdown), SCMP_SYS(socketpair), SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2), SCMP_SYS(fcntl), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select),
	SCMP_SYS(pselect6), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(getrandom), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(futex), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group)};

static int filter_fill(scmp_filter_ctx filter)
{
	static const int families[] = {AF_INET, AF_INET6};
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(allowed); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++) {
		const struct scmp_arg_cmp family = {
			.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)families[i]};
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &family);
	}
	const struct scmp_arg_cmp read_only = {// certificates
		.arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = O_ACCMODE | O_CREAT,
		.datum_b = O_RDONLY};
	if (r == 0)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, &read_only);
	return r;
}

static void releasep(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int filter_compile(struct sock_fprog *ret, struct err *e)
{
	_cleanup_(releasep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	_cleanup_(closep) int fd = memfd_create("filter", MFD_CLOEXEC);
	if (!filter || fd < 0)
		return err_say(e, ENOMEM, "make the verification's seccomp filter");
	int r = filter_fill(filter);
	if (r == 0)
		r = seccomp_export_bpf(filter, fd);
	return r == 0 ? filter_read(fd, ret, e)
		      : err_set(e, -r, "compile the verification's seccomp filter");
}

static int filter_load(const struct sock_fprog *filter, struct err *e)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter, 0, 0) < 0)
		return err_set(e, errno, "load the verification's seccomp filter");
	return 0;
}
#else
// The sanitizer needs more than the filter gives.
static int filter_compile(struct sock_fprog *ret, struct err *e)
{
	(void)ret;
	(void)e;
	return 0;
}

static int filter_load(const struct sock_fprog *filter, struct err *e)
{
	(void)filter;
	(void)e;
	return 0;
}
#endif

// What the children of one process share: nothing of it depends on what they verify.
static struct {
	bool ready;
	struct proc_user user;
	struct sock_fprog filter;
	struct err failed;
} shared;

static int prepare(struct err *e)
{
	if (proc_user_find(VERIFY_USER, &shared.user, e) < 0)
		return -1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return err_say(e, EIO, "start libcurl and c-ares");
	return filter_compile(&shared.filter, e);
}

// Into the namespace and down to a user that may set a mark and nothing else.
static int rights_drop(int ns_fd, struct err *e)
{
	pid_t parent = getppid();
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return err_set(e, errno, "enter the container's network namespace");
	close(ns_fd);
	if (proc_drop(&shared.user, 1ull << CAP_NET_RAW, e) < 0 || limits_set(e) < 0)
		return -1;
	return proc_die_with_parent(parent, SIGKILL, e);
}

// The agent has sent it all, or is about to.
static int spec_read(int fd, char *buffer, size_t size, size_t *ret_len, struct err *e)
{
	size_t len = 0;
	for (;;) {
		ssize_t got = read(fd, buffer + len, size - len);
		if (got < 0)
			return err_set(e, errno, "read the verification's specification");
		if (got == 0)
			break;
		len += (size_t)got;
		if (len == size)
			return err_say(e, E2BIG, "the verification's specification is too long");
	}
	*ret_len = len;
	return 0;
}

static int verify(int ns_fd, int spec_fd, char **ret_report, struct err *e)
{
	_cleanup_(freep) char *text = xcalloc(1, SPEC_BYTES_MAX);
	_cleanup_(json_freep) cJSON *json = NULL;
	struct verify_spec spec;
	struct verify_net *net = NULL;
	struct verify_result result = {0};
	size_t len = 0;
	int total_ms;
	if (rights_drop(ns_fd, e) < 0 || spec_read(spec_fd, text, SPEC_BYTES_MAX, &len, e) < 0 ||
		verify_spec_parse(text, len, &spec, &total_ms, &json, e) < 0 ||
		verify_net_new(&spec, total_ms, &net, e) < 0 || filter_load(&shared.filter, e) < 0)
		return -1;
	verify_net_run(net, &result);
	*ret_report = verify_report_print(spec.kind, &result);
	return 0;
}

static _Noreturn void child_live(int ns_fd, int socket_fd)
{
	struct err e;
	char *report;
	if (!shared.ready)
		report = verify_report_print_error(shared.failed.message);
	else if (verify(ns_fd, socket_fd, &report, &e) < 0)
		report = verify_report_print_error(e.message);
	size_t len = strlen(report);
	// Nothing is freed or flushed any more: the exit handlers of the libraries may not do what
	// they want here.
	_exit(write(socket_fd, report, len) == (ssize_t)len ? 0 : 1);
}

int verify_main(void)
{
	shared.ready = prepare(&shared.failed) == 0;
	verify_server_run(child_live, shared.ready);
	return 0;
}
