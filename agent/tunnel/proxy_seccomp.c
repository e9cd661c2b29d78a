// SPDX-License-Identifier: Apache-2.0
// What the proxy engine must not ask of the kernel, compiled.
#include "agent/tunnel/proxy_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "lib/err.h"
#include "lib/filter.h"
#include "lib/mem.h"

// Refused whatever the arguments.
static const int refused[] = {
	// namespaces and mounts
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(mount_setattr), SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount),
	SCMP_SYS(fspick), SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	// other processes
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(process_madvise), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(fork),
	SCMP_SYS(vfork),
	// kernel surfaces that it has no use for
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(io_setup),
	SCMP_SYS(fanotify_init), SCMP_SYS(modify_ldt), SCMP_SYS(lookup_dcookie), SCMP_SYS(vmsplice),
	SCMP_SYS(personality),
	// keyrings
	SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
	// the machine itself
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon),
	SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(syslog), SCMP_SYS(quotactl),
	SCMP_SYS(quotactl_fd), SCMP_SYS(sethostname), SCMP_SYS(setdomainname),
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(vhangup),
	// files and what they are called
	SCMP_SYS(open_by_handle_at), SCMP_SYS(creat), SCMP_SYS(mknod), SCMP_SYS(mknodat),
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat),
	SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(chmod), SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchown), SCMP_SYS(fchownat),
	SCMP_SYS(truncate), SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr)};

// Their flags lie in memory, which no filter reads; callers fall back when they do not exist.
static const int absent[] = {SCMP_SYS(clone3), SCMP_SYS(openat2)};

// Flags of opening that make a file.
static const int making[] = {O_CREAT, O_TMPFILE & ~O_DIRECTORY};

enum { FAMILY_LAST = 63 };

static bool family_is_allowed(int family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
}

static int calls_add(scmp_filter_ctx filter)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(refused); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(absent); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), absent[i], 0);
	return r;
}

static int families_add(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
		SCMP_A0(SCMP_CMP_GT, FAMILY_LAST, 0));
	for (int family = 0; r == 0 && family <= FAMILY_LAST; family++)
		if (!family_is_allowed(family))
			r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family, 0));
	// of netlink's protocols the one that knows devices
	return r != 0 ? r
		      : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 2,
				SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0),
				SCMP_A2(SCMP_CMP_NE, NETLINK_ROUTE, 0));
}

// Threads, but no processes; files, but no new ones.
static int flags_add(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
		SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(making); i++) {
		scmp_datum_t flag = (scmp_datum_t)making[i];
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, flag, flag));
		if (r == 0)
			r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, flag, flag));
	}
	return r;
}

static void releasep(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

int proxy_seccomp_make(struct sock_fprog *ret, struct err *e)
{
	_cleanup_(releasep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	_cleanup_(closep) int fd = memfd_create("filter", MFD_CLOEXEC);
	if (!filter || fd < 0)
		return err_set(e, ENOMEM, "begin the proxy engine's seccomp filter");
	int r = calls_add(filter);
	if (r == 0)
		r = families_add(filter);
	if (r == 0)
		r = flags_add(filter);
	if (r == 0) // a tree: one call costs eight comparisons, and not one for each row
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = seccomp_export_bpf(filter, fd);
	return r == 0 ? filter_read(fd, ret, e)
		      : err_set(e, -r, "compile the proxy engine's seccomp filter");
}
