// SPDX-License-Identifier: Apache-2.0
// Records, finds, proves and ends the processes that carry tunnels.
#include "agent/tunnel/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/net/link.h"
#include "agent/net/netns.h"
#include "agent/tunnel/budget.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/wait.h"

enum { END_MS = 2000, TAIL_BYTES = 2048 };

static void closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

char *engine_log_path(const struct tunnel_env *env, const char *kind, const char *name)
{
	return xasprintf("%s/%s/%s.log", env->directory, kind, name);
}

char *engine_lock_path(const struct tunnel_env *env, const char *kind, const char *name)
{
	return xasprintf("%s/%s/%s.lock", env->directory, kind, name);
}

int engine_log_open(const struct tunnel_env *env, const char *kind, const char *name, int *ret_fd,
	struct err *e)
{
	_cleanup_(freep) char *directory = xasprintf("%s/%s", env->directory, kind);
	_cleanup_(freep) char *log = engine_log_path(env, kind, name);
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make %s", directory);
	*ret_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	return *ret_fd < 0 ? err_set(e, errno, "open %s", log) : 0;
}

void engine_log_tail(const char *path, const char *about, char *ret, size_t size)
{
	char text[TAIL_BYTES];
	ret[0] = '\0';
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	off_t from =
		st.st_size > (off_t)sizeof(text) - 1 ? st.st_size - (off_t)sizeof(text) + 1 : 0;
	ssize_t len = pread(fd, text, sizeof(text) - 1, from);
	if (len <= 0)
		return;
	text[len] = '\0';
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line && strstr(line, about))
			snprintf(ret, size, ": %.*s", (int)size - 3, line);
}

int engine_list(
	const struct tunnel_env *env, const char *kind, tunnel_each *each, void *arg, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", env->directory, kind);
	_cleanup_(closedirp) DIR *directory = opendir(path);
	if (!directory) // the first tunnel of the kind makes it
		return errno == ENOENT ? 0 : err_set(e, errno, "list the tunnels in %s", path);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char *dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".log") != 0)
			continue;
		*dot = '\0';
		int r = strlen(entry->d_name) < TUNNEL_NAME_SIZE ? each(entry->d_name, arg, e) : 0;
		if (r != 0)
			return r;
	}
	return 0;
}

int engine_forget(const struct tunnel_env *env, const char *kind, const char *name, struct err *e)
{
	_cleanup_(freep) char *lock = engine_lock_path(env, kind, name);
	_cleanup_(freep) char *log = engine_log_path(env, kind, name);
	// Also a group that an agent with other possibilities has made. Nothing is left in it, but of
	// a program that others have taken over and that has let go of what it is found by.
	budget_kill(BUDGET_CGROUPS, name);
	if (budget_remove(BUDGET_CGROUPS, name, e) < 0)
		return -1;
	if (unlink(lock) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", lock);
	if (unlink(log) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", log);
	return 0;
}

char *engine_memory_limit(int64_t memory_mb)
{
	return memory_mb > 0 ? xasprintf("GOMEMLIMIT=%lldMiB", (long long)memory_mb / 2) : NULL;
}

int engine_absent(struct err *e)
{
	return err_outcome(e, TUNNEL_ABSENT, ESRCH, "the tunnel's engine has died");
}

int engine_frozen(struct err *e)
{
	return err_outcome(e, TUNNEL_SILENT, ETIMEDOUT,
		"the tunnel's engine is frozen: it has not answered for %d s",
		ENGINE_FROZEN_MS / 1000);
}

int engine_open(pid_t pid, struct tunnel *t, struct err *e)
{
	int pidfd;
	if (proc_pidfd(pid, &pidfd, e) < 0)
		return e->code == ESRCH ? engine_absent(e) : -1;
	t->pid = pid;
	t->pidfd = pidfd;
	return 0;
}

// *ret 0: no process does.
static int lock_holder(int fd, pid_t *ret, struct err *e)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(fd, F_GETLK, &whole) < 0)
		return err_set(e, errno, "ask who holds the lock of an engine");
	*ret = whole.l_type == F_UNLCK ? 0 : whole.l_pid;
	return 0;
}

int engine_find(const char *lock_path, struct tunnel *t, struct err *e)
{
	_cleanup_(closep) int fd = open(lock_path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	pid_t pid = 0, still = 0;
	if (fd < 0)
		return errno == ENOENT ? engine_absent(e) : err_set(e, errno, "open %s", lock_path);
	if (lock_holder(fd, &pid, e) < 0)
		return -1;
	if (pid == 0)
		return engine_absent(e);
	struct tunnel found = {.pidfd = -1};
	int r = engine_open(pid, &found, e);
	// Meanwhile it may have ended, and its number may be another's.
	if (r == 0)
		r = lock_holder(fd, &still, e);
	if (r == 0 && still != pid)
		r = engine_absent(e);
	if (r != 0) {
		closep(&found.pidfd);
		return r;
	}
	t->pid = found.pid;
	t->pidfd = found.pidfd;
	return 0;
}

// Is this descriptor of the engine the tun behind the device in that namespace?
static bool is_our_tun(const struct tunnel *t, int number, int ns_fd)
{
	_cleanup_(closep) int tun = (int)syscall(SYS_pidfd_getfd, t->pidfd, number, 0);
	if (tun < 0)
		return false;
	struct ifreq request = {0};
	if (ioctl(tun, TUNGETIFF, &request) < 0 ||
		strncmp(request.ifr_name, LINK_TUNNEL, sizeof(request.ifr_name)) != 0)
		return false;
	_cleanup_(closep) int its_ns = ioctl(tun, TUNGETDEVNETNS);
	return its_ns >= 0 && netns_same(its_ns, ns_fd);
}

int engine_owns_device(struct tunnel *t, int ns_fd, struct err *e)
{
	char path[64];
	if (is_our_tun(t, t->tun_number, ns_fd)) // where it was the last time
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)t->pid);
	_cleanup_(closedirp) DIR *directory = opendir(path);
	if (!directory && (errno == ENOENT || errno == ESRCH))
		return engine_absent(e);
	if (!directory)
		return err_set(e, errno, "look at the descriptors of engine %s", t->name);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char target[32] = {0};
		if (readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1) < 0 ||
			strcmp(target, "/dev/net/tun") != 0)
			continue;
		t->tun_number = atoi(entry->d_name);
		if (is_our_tun(t, t->tun_number, ns_fd))
			return 0;
	}
	return err_outcome(e, ENGINE_FOREIGN, ENODEV,
		"engine %s (pid %d) is not the one behind " LINK_TUNNEL, t->name, (int)t->pid);
}

int engine_kill(const struct tunnel *t, struct err *e)
{
	if (proc_pidfd_signal(t->pidfd, SIGKILL, e) < 0 && e->code != ESRCH)
		return err_wrap(e, "end engine %s", t->name);
	struct wait w = wait_for(END_MS, -1);
	return wait_fd(&w, t->pidfd, POLLIN, "the end of the tunnel's engine", e) == 0 ? 0 : -1;
}
