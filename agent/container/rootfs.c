// SPDX-License-Identifier: Apache-2.0
// The table of paths and what each must be.
#include "agent/container/rootfs.h"

#include <errno.h>
#include <stddef.h>

#include "agent/container/docker.h"
#include "lib/err.h"
#include "lib/mem.h"

enum { FILE_MAX = 1024 * 1024 };

static const struct {
	const char *path;
	enum docker_file type;
	enum rootfs_scope scope;
	bool optional;
} paths[] = {
	{"/etc", DOCKER_DIRECTORY, ROOTFS_KEPT, false},
	{"/etc/sudoers.d", DOCKER_DIRECTORY, ROOTFS_KEPT, false},
	{"/home", DOCKER_DIRECTORY, ROOTFS_KEPT, false},
	{"/etc/passwd", DOCKER_REGULAR, ROOTFS_KEPT, false},
	{"/etc/group", DOCKER_REGULAR, ROOTFS_KEPT, false},
	// Mount targets: made by runc where the image has none.
	{"/.ccp", DOCKER_DIRECTORY, ROOTFS_IMAGE, true},
	{"/home/dev", DOCKER_DIRECTORY, ROOTFS_IMAGE, true},
	{"/etc/hostname", DOCKER_REGULAR, ROOTFS_IMAGE, true},
	{"/etc/hosts", DOCKER_REGULAR, ROOTFS_IMAGE, true},
	{"/etc/resolv.conf", DOCKER_REGULAR, ROOTFS_IMAGE, true},
	{"/etc/sudoers.d/cloud-cli-proxy", DOCKER_REGULAR, ROOTFS_IMAGE, true},
	{"/tmp", DOCKER_DIRECTORY, ROOTFS_IMAGE, true},
	{"/run", DOCKER_DIRECTORY, ROOTFS_IMAGE, true},
	{"/dev", DOCKER_DIRECTORY, ROOTFS_IMAGE, true},
	{"/proc", DOCKER_DIRECTORY, ROOTFS_IMAGE, true},
	{"/sys", DOCKER_DIRECTORY, ROOTFS_IMAGE, true},
};

static const char *const names[] = {
	[DOCKER_REGULAR] = "a plain file",
	[DOCKER_DIRECTORY] = "a directory",
	[DOCKER_LINK] = "a link",
	[DOCKER_OTHER] = "a FIFO, a socket or a device",
};

static int path_check(
	struct docker *d, const char *id, size_t i, const struct wait *w, struct err *e)
{
	struct docker_path st;
	int r = docker_stat(d, id, paths[i].path, w, &st, e);

	if (r == DOCKER_ABSENT && paths[i].optional)
		return 0;
	if (r == DOCKER_ABSENT)
		return err_outcome(e, ROOTFS_UNFIT, EINVAL, "%s is missing: it must be %s",
			paths[i].path, names[paths[i].type]);
	if (r != 0)
		return r == WAIT_TIMEOUT || r == WAIT_CANCELED ? r : -1;
	if (st.type != paths[i].type)
		return err_outcome(e, ROOTFS_UNFIT, EINVAL, "%s is %s: it must be %s",
			paths[i].path, names[st.type], names[paths[i].type]);
	if (st.type == DOCKER_REGULAR && st.size > FILE_MAX)
		return err_outcome(e, ROOTFS_UNFIT, EINVAL,
			"%s has %lld bytes: at most %d are read", paths[i].path, (long long)st.size,
			FILE_MAX);
	return 0;
}

int rootfs_check(struct docker *d, const char *id, enum rootfs_scope scope, const struct wait *w,
	struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(paths); i++) {
		if (paths[i].scope == ROOTFS_KEPT || scope == ROOTFS_IMAGE)
			r = path_check(d, id, i, w, e);
	}
	return r;
}
