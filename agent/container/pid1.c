// SPDX-License-Identifier: Apache-2.0
// Reads /proc/PID of a container's PID 1 and compares.
#include "agent/container/pid1.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

enum { STATUS_MAX = 8192 };

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

// The last number on the line that begins with `name` of /proc/PID/status, -1 without one. NSpid has a number for
// each pid namespace, the innermost last.
static long status_last(const char *status, const char *name)
{
	size_t name_len = strlen(name);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		if (strncmp(line, name, name_len) != 0)
			continue;
		const char *end = line + strcspn(line, "\n"), *last = end;
		while (isdigit((unsigned char)last[-1]))
			last--;
		return last == end ? -1 : strtol(last, NULL, 10);
	}
	return -1;
}

static int status_check(int proc_fd, const struct pid1 *p, struct err *e)
{
	_cleanup_(closep) int fd = openat(proc_fd, "status", O_RDONLY | O_CLOEXEC);
	char status[STATUS_MAX];
	ssize_t size = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);

	if (size < 0)
		return err_set(e, errno, "read the status of process %d", (int)p->pid);
	status[size] = '\0';
	if (status_last(status, "NSpid:") != 1)
		return err_say(e, EPERM, "process %d is not the container's PID 1", (int)p->pid);
	if (status_last(status, "TracerPid:") != 0)
		return err_say(e, EPERM, "the container's PID 1 is traced by another process");
	if (status_last(status, "Threads:") != 1)
		return err_say(e, EPERM, "the container's PID 1 has more than one thread");
	return 0;
}

static int namespace_check(int proc_fd, const struct pid1 *p, struct err *e)
{
	struct stat own, expected;

	if (fstatat(proc_fd, "ns/net", &own, 0) < 0 || fstat(p->ns_fd, &expected) < 0)
		return err_set(e, errno, "look at the namespace of the container's PID 1");
	return same_file(&own, &expected)
		       ? 0
		       : err_say(e, EPERM, "process %d is not in the container's network namespace",
				 (int)p->pid);
}

static int program_check(int proc_fd, const struct pid1 *p, struct err *e)
{
	struct stat own, expected;

	if (fstatat(proc_fd, "exe", &own, 0) < 0)
		return err_set(e, errno, "look at the program of the container's PID 1");
	if (fstat(p->program_fd, &expected) < 0)
		return err_set(e, errno, "look at the host's ccp-init");
	return same_file(&own, &expected)
		       ? 0
		       : err_say(e, EPERM,
				 "the container's PID 1 is not ccp-init but a program of its own file "
				 "system: rebuild the host");
}

// The container's own procfs lists the processes of its pid namespace. Nothing inside can mount
// another file system there or take this one away.
static int alone_check(int proc_fd, struct err *e)
{
	int fd = openat(proc_fd, "root/proc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	DIR *dir;
	int count = 0;

	if (fd < 0)
		return err_set(e, errno, "open the container's /proc");
	dir = fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC ? fdopendir(fd) : NULL;
	if (!dir) {
		close(fd);
		return err_say(e, EPERM, "what the container's PID 1 sees at /proc is not procfs");
	}
	for (struct dirent *d; (d = readdir(dir)) != NULL;)
		count += d->d_name[0] >= '1' && d->d_name[0] <= '9';
	closedir(dir);
	return count == 1
		       ? 0
		       : err_say(e, EPERM,
				 "%d processes run in the container though its gate has not been "
				 "opened",
				 count);
}

int pid1_prove(const struct pid1 *p, struct err *e)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)p->pid);
	_cleanup_(closep) int proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return err_set(e, errno == ENOENT ? ESRCH : errno, "open %s", path);
	if (program_check(proc_fd, p, e) < 0 || namespace_check(proc_fd, p, e) < 0 ||
		status_check(proc_fd, p, e) < 0)
		return -1;
	return p->alone ? alone_check(proc_fd, e) : 0;
}
