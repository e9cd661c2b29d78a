// SPDX-License-Identifier: Apache-2.0
// Makes user namespaces that belong to a uid that no process has.
#include "runtime/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/failpoint.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/wait.h"
#include "runtime/file.h"
#include "runtime/ids.h"

// Becomes the owner and makes the namespace. CAP_SYS_ADMIN of the machine lasts until then: some
// distributions let no process without it make one (kernel.unprivileged_userns_clone=0, AppArmor).
static int owner_become(uid_t owner, pid_t parent, struct err *e)
{
	struct proc_user user = {.uid = owner, .gid = owner};

	if (proc_drop(&user, 1U << CAP_SYS_ADMIN, e) < 0 || proc_lock_down(e) < 0 ||
		proc_die_with_parent(parent, SIGKILL, e) < 0)
		return -1;
	if (unshare(CLONE_NEWUSER) == 0)
		return 0;
	if (errno == ENOSPC)
		return err_say(e, ENOSPC,
			"the machine allows no further user namespace: raise the sysctl user.max_user_namespaces");
	return err_set(e, errno, "make a user namespace as uid %u", (unsigned)owner);
}

// Says how it went, and lives until the other end closes.
_Noreturn static void owner_main(uid_t owner, pid_t parent, int fd)
{
	struct err e = {0};
	char end;

	(void)!owner_become(owner, parent, &e);
	if (write(fd, &e, sizeof(e)) == sizeof(e))
		(void)!read(fd, &end, 1);
	_exit(EXIT_SUCCESS);
}

static int made_wait(int fd, const struct wait *w, struct err *e)
{
	struct err told;

	if (wait_fd(w, fd, POLLIN, "the user namespace", e) != 0)
		return -1;
	if (read(fd, &told, sizeof(told)) != sizeof(told))
		return err_say(e, ECHILD, "the process that makes the user namespace was killed");
	if (told.code == 0)
		return 0;
	*e = told;
	return -1;
}

static int maps_write(pid_t pid, const struct ids *ids, struct err *e)
{
	static const char *const names[] = {"uid_map", "gid_map"};
	_cleanup_(freep) char *map = xasprintf("0 %u %d\n", ids->base, IDS_SIZE);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(freep) char *path = xasprintf("/proc/%d/%s", (int)pid, names[i]);
		if (file_put(path, map, e) < 0)
			return -1;
	}
	return 0;
}

static int namespace_open(pid_t pid, uid_t owner, int *ret_fd, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("/proc/%d/ns/user", (int)pid);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uid_t found;

	if (fd < 0 || ioctl(fd, NS_GET_OWNER_UID, &found) < 0)
		return err_set(e, errno, "open the user namespace");
	if (found != owner)
		return err_say(e, EPERM, "the new user namespace belongs to uid %u, not to %u",
			(unsigned)found, (unsigned)owner);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int owner_namespace(const struct ids *ids, const struct wait *w, int *ret_fd, struct err *e)
{
	int ends[2], fd = -1;
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(e, errno, "make a pair of sockets");
	_cleanup_(closep) int ours = ends[0];
	_cleanup_(closep) int theirs = ends[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "fork");
	if (pid == 0) {
		closep(&ours);
		owner_main(ids->owner, parent, theirs);
	}
	int r = made_wait(ours, w, e);
	failpoint("runtime", "map", "before");
	if (r == 0)
		r = maps_write(pid, ids, e);
	if (r == 0)
		r = namespace_open(pid, ids->owner, &fd, e);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (r == 0)
		*ret_fd = fd;
	return r;
}
