// SPDX-License-Identifier: Apache-2.0
// Unmounts one overlay and mounts the other.
#include "runtime/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/failpoint.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/wait.h"
#include "runtime/child.h"
#include "runtime/overlay.h"
#include "runtime/place.h"

enum {
	BUSY_PAUSE_MS = 20,
	END_MS = 100,
};

// What a child in the machine's namespace works on.
struct place {
	int machine;
	const char *root;
	const struct wait *wait;
	int tree; // to be mounted there
};

// Also as the whole work of a child: it leaves our namespace.
static int machine_enter(const void *arg, struct err *e)
{
	const struct place *p = arg;

	if (setns(p->machine, CLONE_NEWNS) < 0)
		return err_set(e, errno, "go back to the engine's mount namespace");
	return 0;
}

// --- the end of dockerd's

// Fails with EBUSY while something is open in it or works in it.
static int machine_unmount(const void *arg, struct err *e)
{
	const struct place *p = arg;

	if (machine_enter(p, e) < 0)
		return -1;
	while (umount2(p->root, UMOUNT_NOFOLLOW) < 0) {
		if (errno != EBUSY)
			return err_set(e, errno, "unmount the engine's overlay at %s", p->root);
		if (wait_pause(p->wait, BUSY_PAUSE_MS, e) != 0)
			return err_say(e, EBUSY, "something works in %s: end it", p->root);
	}
	return 0;
}

// Waits for IN_UNMOUNT (inotify(7)): it comes when the file system has ended, whichever was the
// last to hold it.
static int end_wait(int watch, const struct wait *w, struct err *e)
{
	union {
		struct inotify_event event;
		char space[4096];
	} buffer;

	for (;;) {
		int r = wait_fd(w, watch, POLLIN, "the end of the engine's overlay", e);
		if (r != 0)
			return r;
		ssize_t len = read(watch, &buffer, sizeof(buffer));
		if (len < (ssize_t)sizeof(buffer.event))
			return err_set(e, errno, "read what became of the engine's overlay");
		for (char *at = buffer.space; at < buffer.space + len;) {
			const struct inotify_event *event = (const void *)at;
			if (event->mask & IN_UNMOUNT)
				return 0;
			at += sizeof(*event) + event->len;
		}
	}
}

int swap_end(const char *root, int machine, const struct wait *w, struct err *e)
{
	struct place p = {.machine = machine, .root = root, .wait = w};
	_cleanup_(closep) int watch = inotify_init1(IN_CLOEXEC);
	_cleanup_(closep) int old = open_tree(AT_FDCWD, root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (watch < 0)
		return err_set(e, errno,
			"watch for the end of %s (fs.inotify.max_user_instances of root?)", root);
	if (old < 0 || inotify_add_watch(watch, root, IN_DELETE_SELF | IN_ONLYDIR) < 0)
		return err_set(e, errno, "watch %s", root);
	if (umount2(root, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return err_set(e, errno, "unmount the copy of %s", root);
	failpoint("runtime", "copy", "after");
	if (child_run(machine_unmount, &p, "unmounting the engine's overlay", w, e) < 0)
		return -1;
	failpoint("runtime", "end", "before");
	if (child_close_last(&old, machine_enter, &p, e) < 0)
		return -1;
	struct wait end = wait_at_most(w, END_MS);
	return end_wait(watch, &end, e) < 0 ? -1 : 0;
}

// --- the beginning of ours

// What an overlay does to its layers it does with the rights of who mounted it: these, and no
// others. Without CAP_SYS_RESOURCE the quota and the reserved blocks of the file system below hold
// for containers.
static const uint64_t overlay_rights =
	1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH | 1U << CAP_FOWNER |
	1U << CAP_FSETID | 1U << CAP_SYS_ADMIN | 1U << CAP_MKNOD | 1ULL << CAP_SETFCAP;

struct mounter {
	const struct overlay *overlay;
	unsigned base;
};

// As user ids of files go it is the container's root: as 0 it could not make a file in a copy that
// has no such id (EOVERFLOW, and the mount would silently be read-only).
static int overlay_become(unsigned base, struct err *e)
{
	if (setgroups(0, NULL) < 0)
		return err_set(e, errno, "drop the supplementary groups");
	setfsgid(base);
	setfsuid(base);
	if ((unsigned)setfsuid(base) != base || (unsigned)setfsgid(base) != base)
		return err_say(e, EPERM, "the kernel did not take %u as user of files", base);
	if (proc_keep_caps(overlay_rights) < 0)
		return err_set(e, errno, "keep the rights that an overlay needs");
	return 0;
}

// The names are those that dockerd gives when it finds whole paths too long, and so within the page
// that mount(2) takes. When dockerd restarts a container it leaves this overlay mounted, and we
// read these options. What the module's parameters could turn on is said to be off: dockerd's
// overlay of the same layers has it off, and a redirected directory of the user's could lead a
// mount of runc's elsewhere.
static char *overlay_options(const struct overlay *o)
{
	_cleanup_(str_done) struct str s = STR_INIT(4095);

	str_add(&s, "index=off,redirect_dir=off,metacopy=off,lowerdir=");
	for (size_t i = 0; i < o->lower_count; i++)
		str_addf(&s, "%s%s", i > 0 ? ":" : "", o->lowers[i]);
	str_addf(&s, ",upperdir=%s/diff,workdir=%s/work", o->id, o->id);
	return str_take(&s);
}

static int overlay_mount(const void *arg, struct err *e)
{
	const struct mounter *m = arg;
	_cleanup_(freep) char *options = overlay_options(m->overlay);

	if (!options)
		return err_say(e, E2BIG, "the image has too many layers for one overlay");
	if (chdir(PLACE_LAYERS) < 0)
		return err_set(e, errno, "change to %s", PLACE_LAYERS);
	if (overlay_become(m->base, e) < 0)
		return -1;
	if (mount("overlay", PLACE_ROOT, "overlay", MS_NODEV, options) < 0)
		return err_set(e, errno,
			"mount an overlay of idmapped layers (Linux 5.19 or later has it)");
	return 0;
}

int swap_begin(const struct overlay *o, unsigned base, const struct wait *w, struct err *e)
{
	struct mounter m = {.overlay = o, .base = base};

	return child_run(overlay_mount, &m, "mounting the container's overlay", w, e);
}

// --- the engine sees it

static int machine_mount(const void *arg, struct err *e)
{
	const struct place *p = arg;

	if (machine_enter(p, e) < 0)
		return -1;
	if (move_mount(p->tree, "", AT_FDCWD, p->root, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, errno, "mount the container's overlay at %s", p->root);
	failpoint("runtime", "shown", "after");
	return 0;
}

int swap_show(const char *root, int machine, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int tree =
		open_tree(AT_FDCWD, PLACE_ROOT, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct place p = {.machine = machine, .root = root, .tree = tree};

	if (tree < 0)
		return err_set(e, errno, "copy the mount of the container's overlay");
	return child_run(
		machine_mount, &p, "mounting the container's overlay for the engine", w, e);
}
