// SPDX-License-Identifier: Apache-2.0
// Makes, mounts and removes limited directories (linux/loop.h, mount(2), mke2fs).
#include "agent/store/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"

enum {
	MAKE_MS = 30000,
	LET_GO_MS = 3000,
	LET_GO_PAUSE_MS = 5,
	DEVICE_TRIES = 64, // each lost to a quicker process
	OUTPUT_MAX = 4096,
	GB_SHIFT = 30,
};

static char *image_name(const struct volume *v)
{
	return xasprintf("%s.img", v->name);
}

int64_t volume_size_gb(const struct volume *v, struct err *e)
{
	_cleanup_(freep) char *name = image_name(v);
	struct stat st;

	if (fstatat(v->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return (int64_t)st.st_size >> GB_SHIFT;
	return errno == ENOENT ? 0 : err_set(e, errno, "look at the volume %s", name);
}

static int filesystem_make(const char *path, const struct wait *w, struct err *e)
{
	// No block is written before it is needed, and none is kept back for root.
	const char *const argv[] = {"mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-E",
		"lazy_itable_init=1,lazy_journal_init=1,nodiscard", path, NULL};
	const struct proc_child child = {
		.path = "/sbin/mke2fs", .argv = argv, .output_max_bytes = OUTPUT_MAX};
	_cleanup_(proc_result_done) struct proc_result result = {0};
	struct wait limit = wait_at_most(w, MAKE_MS);
	int r = proc_run(&child, &limit, &result, e);

	if (r == 0 && result.exit_code != 0)
		return err_say(e, EIO, "mke2fs could not make the home's file system (status %d)",
			result.exit_code);
	return r;
}

int volume_make(const struct volume *v, int64_t size_gb, const struct wait *w, struct err *e)
{
	_cleanup_(freep) char *name = image_name(v);
	_cleanup_(freep) char *draft = xasprintf("%s.new", name);
	_cleanup_(freep) char *draft_path = xasprintf("%s/%s", v->path, draft);
	_cleanup_(closep) int fd =
		openat(v->dir_fd, draft, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, size_gb << GB_SHIFT) < 0)
		return err_set(e, errno, "make the volume %s", name);
	int r = filesystem_make(draft_path, w, e);
	if (r != 0)
		return r;
	if (fsync(fd) < 0 || renameat(v->dir_fd, draft, v->dir_fd, name) < 0)
		return err_set(e, errno, "make the volume %s", name);
	return 0;
}

// Another file system than the directory's own is there.
static int is_mounted(const struct volume *v, bool *ret, struct err *e)
{
	struct stat outside, inside;

	if (fstat(v->dir_fd, &outside) < 0 ||
		fstatat(v->dir_fd, v->name, &inside, AT_SYMLINK_NOFOLLOW) < 0) {
		*ret = false;
		return errno == ENOENT ? 0 : err_set(e, errno, "look at %s", v->name);
	}
	*ret = inside.st_dev != outside.st_dev;
	return 0;
}

// Opens the file with its lock. The loop device shares this descriptor's open file, so the lock
// lasts as long as the kernel works with the file, in whatever mount namespace.
static int image_open(const struct volume *v, const struct wait *w, int *ret_fd, struct err *e)
{
	_cleanup_(freep) char *name = image_name(v);
	_cleanup_(closep) int fd = openat(v->dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct wait limit = wait_at_most(w, LET_GO_MS);

	if (fd < 0)
		return err_set(e, errno, "open the volume %s", name);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int r = errno == EWOULDBLOCK ? wait_pause(&limit, LET_GO_PAUSE_MS, e)
					     : err_set(e, errno, "lock the volume %s", name);

		if (r == WAIT_TIMEOUT)
			return err_say(e, EBUSY, "the volume %s is still in use", name);
		if (r != 0)
			return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

// Gives the file to a free loop device, which goes with its last user.
static int loop_attach(int image_fd, char *ret_path, size_t size, int *ret_fd, struct err *e)
{
	const struct loop_config config = {
		.fd = (uint32_t)image_fd, .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
	_cleanup_(closep) int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return err_set(e, errno, "open /dev/loop-control");
	for (int i = 0; i < DEVICE_TRIES; i++) {
		_cleanup_(closep) int fd = -1;
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return err_set(e, errno, "find a free loop device");
		snprintf(ret_path, size, "/dev/loop%d", number);
		fd = open(ret_path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return err_set(e, errno, "open %s", ret_path);
		if (ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
			*ret_fd = TAKE_FD(fd);
			return 0;
		}
		if (errno != EBUSY)
			return err_set(e, errno, "set up %s", ret_path);
	}
	return err_say(e, EBUSY, "other processes take every free loop device");
}

int volume_mount(const struct volume *v, const struct wait *w, struct err *e)
{
	_cleanup_(freep) char *at = xasprintf("%s/%s", v->path, v->name);
	_cleanup_(closep) int image = -1, loop = -1;
	char device[32];
	bool mounted;
	int r = is_mounted(v, &mounted, e);

	if (r < 0 || mounted)
		return r;
	r = image_open(v, w, &image, e);
	if (r != 0)
		return r;
	if (loop_attach(image, device, sizeof(device), &loop, e) < 0)
		return -1;
	if (mount(device, at, "ext4", MS_NODEV | MS_NOSUID, NULL) < 0)
		return err_set(e, errno, "mount the volume %s", v->name);
	return 0;
}

int volume_unmount(const struct volume *v, struct err *e)
{
	_cleanup_(freep) char *at = xasprintf("%s/%s", v->path, v->name);
	bool mounted;

	if (is_mounted(v, &mounted, e) < 0)
		return -1;
	if (mounted && umount2(at, UMOUNT_NOFOLLOW) < 0)
		return err_set(e, errno, "unmount the volume %s", v->name);
	return 0;
}

int volume_remove(const struct volume *v, struct err *e)
{
	_cleanup_(freep) char *name = image_name(v);

	if (unlinkat(v->dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove the volume %s", name);
	return 0;
}
