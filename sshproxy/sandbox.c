// SPDX-License-Identifier: Apache-2.0
// Child: locks itself in. The listener compiles the filter.
#include "sshproxy/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/filter.h"
#include "lib/mem.h"

enum {
	FILES_MAX = 16, // the user, the monitor, the container, a key for a moment
	MEMORY_MAX_BYTES = 512 << 20, // address space: a few MB per channel whose reader is slow
};

struct sandbox {
	struct sock_fprog program;
};

// None sends a signal: listener and monitor are of the same user. So abort() ends by SIGSYS.
static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(pread64), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto),
	SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(brk), SCMP_SYS(munmap),
	SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};

// Libraries try these and live with a refusal: known hosts, the home directory, time zones.
static const int refused[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(stat), SCMP_SYS(newfstatat),
	SCMP_SYS(readlink), SCMP_SYS(socket), SCMP_SYS(uname), SCMP_SYS(sysinfo),
	SCMP_SYS(prlimit64), SCMP_SYS(ioctl)};

// Of fcntl: none that makes the kernel send a signal.
static const int fcntls[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};

static int rules_add(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), refused[i], 0);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fcntls); i++) {
		int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)fcntls[i]));
		if (r < 0)
			return r;
	}
	// memory, but none that can be run
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return r < 0 ? r
		     : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

static void filterp(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

int sandbox_new(struct sandbox **ret, struct err *e)
{
	_cleanup_(filterp) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	_cleanup_(closep) int fd = memfd_create("filter", MFD_CLOEXEC);
	if (!filter || fd < 0)
		return err_set(e, ENOMEM, "begin the filter of system calls");
	int r = rules_add(filter);
	if (r == 0)
		r = seccomp_export_bpf(filter, fd);
	if (r < 0)
		return err_set(e, -r, "compile the filter of system calls");
	struct sandbox *sandbox = xnew(struct sandbox);
	if (filter_read(fd, &sandbox->program, e) < 0) {
		free(sandbox);
		return -1;
	}
	*ret = sandbox;
	return 0;
}

static int descriptors_keep(int user_fd, int monitor_fd, struct err *e)
{
	// both away from the low numbers first, so that neither is overwritten
	int user = fcntl(user_fd, F_DUPFD_CLOEXEC, 10);
	int monitor = fcntl(monitor_fd, F_DUPFD_CLOEXEC, 10);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (user < 0 || monitor < 0 || null < 0)
		return err_set(e, errno, "keep the descriptors");
	for (int fd = 0; fd < SANDBOX_FD_USER; fd++)
		if ((fd != STDERR_FILENO || !HAS_SANITIZER) && dup2(null, fd) < 0)
			return err_set(e, errno, "close the standard streams");
	if (dup2(user, SANDBOX_FD_USER) < 0 || dup2(monitor, SANDBOX_FD_MONITOR) < 0 ||
		close_range(SANDBOX_FD_MONITOR + 1, ~0U, 0) < 0)
		return err_set(e, errno, "close the other descriptors");
	return 0;
}

static int limits_set(struct err *e)
{
	static const struct {
		int resource;
		rlim_t limit;
	} limits[] = {
		{RLIMIT_CORE, 0},
		{RLIMIT_FSIZE, 0},
		{RLIMIT_NPROC, 0},
		{RLIMIT_NOFILE, FILES_MAX},
		{RLIMIT_AS, MEMORY_MAX_BYTES},
	};
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit limit = {limits[i].limit, limits[i].limit};
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0)
			return err_set(e, errno, "limit the child");
	}
	return 0;
}

int sandbox_enter(const struct sandbox *sandbox, int user_fd, int monitor_fd, struct err *e)
{
	if (descriptors_keep(user_fd, monitor_fd, e) < 0)
		return -1;
	if (HAS_SANITIZER)
		return 0;
	if (limits_set(e) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, errno, "give up new rights");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &sandbox->program) < 0)
		return err_set(e, errno, "load the filter of system calls");
	return 0;
}
