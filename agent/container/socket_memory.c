// SPDX-License-Identifier: Apache-2.0
// Writes the limit of a container's sockets into its control group.
#include "agent/container/socket_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

#define CGROUPS "/sys/fs/cgroup"
#define LIMIT_FILE "memory.kmem.tcp.limit_in_bytes"

enum { SHARE = 16, LEAST_MB = 16, MB_SHIFT = 20, TEXT_MAX = 16384 };

int64_t socket_memory_bytes(int64_t memory_limit_mb)
{
	int64_t least = (int64_t)LEAST_MB << MB_SHIFT;
	int64_t share = (memory_limit_mb << MB_SHIFT) / SHARE;

	return share > least ? share : least;
}

// A file of /proc, which has no size of its own. What does not fit is left out. On the heap.
static int text_read(const char *path, char **ret, struct err *e)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(freep) char *text = xcalloc(1, TEXT_MAX + 1);

	if (fd < 0 || read(fd, text, TEXT_MAX) < 0)
		return err_set(e, errno, "read %s", path);
	*ret = TAKE_PTR(text);
	return 0;
}

static bool is_version_2(const char *root)
{
	_cleanup_(freep) char *path = xasprintf("%s" CGROUPS "/cgroup.controllers", root);

	return access(path, F_OK) == 0;
}

static int version_2_check(const char *root, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("%s/proc/cmdline", root);
	_cleanup_(freep) char *words = NULL;

	if (text_read(path, &words, e) < 0)
		return -1;
	const char *option = strstr(words, "cgroup.memory=");
	size_t len = option ? strcspn(option, " \n") : 0;
	return !option || !memmem(option, len, "nosocket", strlen("nosocket"))
		       ? 0
		       : err_say(e, ENOTSUP, "the kernel was started with cgroup.memory=nosocket");
}

int socket_memory_check(const char *root, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("%s" CGROUPS "/memory/" LIMIT_FILE, root);

	if (is_version_2(root))
		return version_2_check(root, e);
	return access(path, W_OK) == 0 ? 0 : err_set(e, errno, "write to %s", path);
}

// The container's group in the hierarchy of memory, of lines such as "9:memory:/docker/<id>", whatever
// the engine's driver calls it. It must have the id in its name: a process that has ended meanwhile
// may have lent its number to another. On the heap.
static int group_of(const char *root, const struct socket_memory *m, char **ret, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("%s/proc/%d/cgroup", root, (int)m->pid);
	_cleanup_(freep) char *lines = NULL;

	if (text_read(path, &lines, e) < 0)
		return -1;
	const char *group = strstr(lines, ":memory:");
	group = group ? group + strlen(":memory:") : "";
	_cleanup_(freep) char *name = xstrndup(group, strcspn(group, "\n"));
	if (!strstr(name, m->container_id) || strstr(name, "/../"))
		return err_say(e, EPERM,
			"process %d is in the control group \"%s\", not in one of the container's",
			(int)m->pid, name);
	*ret = TAKE_PTR(name);
	return 0;
}

int socket_memory_limit(const char *root, const struct socket_memory *m, struct err *e)
{
	_cleanup_(freep) char *group = NULL;
	struct err ignored;
	char value[32];

	if (is_version_2(root) || socket_memory_check(root, &ignored) < 0)
		return 0;
	if (group_of(root, m, &group, e) < 0)
		return -1;
	_cleanup_(freep) char *path = xasprintf("%s" CGROUPS "/memory%s/" LIMIT_FILE, root, group);
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	snprintf(value, sizeof(value), "%lld", (long long)socket_memory_bytes(m->memory_limit_mb));
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_set(e, errno, "write %s to %s", value, path);
	return 0;
}
