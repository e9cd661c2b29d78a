// SPDX-License-Identifier: Apache-2.0
// Makes idmapped copies of mounts.
#include "runtime/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

static int attributes_set(int fd, const struct clone *c, unsigned recursive, struct err *e)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.propagation = MS_PRIVATE,
		.userns_fd = (unsigned)c->userns,
	};

	if (mount_setattr(fd, "", AT_EMPTY_PATH | recursive, &attributes, sizeof(attributes)) == 0)
		return 0;
	switch (errno) {
	case ENOSYS:
		return err_say(
			e, ENOSYS, "this kernel has no idmapped mounts: it must be 5.19 or later");
	case EINVAL:
		return err_say(e, EINVAL,
			"the file system of %s, or one mounted below it, has no idmapped mounts: keep it on"
			" ext4, xfs or btrfs",
			c->source);
	default:
		return err_set(e, errno, "give the container's ids to a copy of %s", c->source);
	}
}

static int target_make(int source, const struct clone *c, struct err *e)
{
	struct stat st;

	if (fstat(source, &st) < 0)
		return err_set(e, errno, "look at %s", c->source);
	int r = S_ISDIR(st.st_mode) ? mkdir(c->target, 0755) : mknod(c->target, S_IFREG | 0644, 0);
	if (r < 0)
		return err_set(e, errno, "make %s", c->target);
	return 0;
}

int clone_mount(const struct clone *c, struct err *e)
{
	unsigned recursive = c->recursive ? AT_RECURSIVE : 0;
	_cleanup_(closep) int fd =
		open_tree(AT_FDCWD, c->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);

	if (fd < 0)
		return err_set(e, errno, "copy the mount of %s", c->source);
	if (attributes_set(fd, c, recursive, e) < 0 || target_make(fd, c, e) < 0)
		return -1;
	if (move_mount(fd, "", AT_FDCWD, c->target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, errno, "mount the copy of %s", c->source);
	return 0;
}
