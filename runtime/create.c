// SPDX-License-Identifier: Apache-2.0
// The steps of `create`, a table.
#include "runtime/create.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/failpoint.h"
#include "lib/mem.h"
#include "lib/wait.h"
#include "runtime/call.h"
#include "runtime/clone.h"
#include "runtime/config.h"
#include "runtime/file.h"
#include "runtime/limits.h"
#include "runtime/overlay.h"
#include "runtime/owner.h"
#include "runtime/place.h"
#include "runtime/swap.h"

enum { DEADLINE_MS = 20000 }; // for all that waits together; docker start has none

struct create {
	char *config_path;
	struct config config;
	struct overlay overlay;
	struct wait wait;
	int userns;
	int machine; // the mount namespace that we came from
};

// --- the steps

static int step_read(struct create *c, struct err *e)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;

	if (file_read_all(c->config_path, CONFIG_BYTES_MAX, &text, &len, e) < 0)
		return -1;
	if (config_read(text, len, &c->config, e) < 0)
		return -1;
	FILE *mountinfo = fopen("/proc/self/mountinfo", "re");
	if (!mountinfo)
		return err_set(e, errno, "open /proc/self/mountinfo");
	setvbuf(mountinfo, NULL, _IOFBF, 65536); // thousands of lines; the default is 1 KiB a call
	int r = overlay_find(mountinfo, c->config.root, &c->overlay, e);
	fclose(mountinfo);
	return r;
}

static int step_userns(struct create *c, struct err *e)
{
	return owner_namespace(&c->config.ids, &c->wait, &c->userns, e);
}

// A directory with the mode 0755 under any umask; one that is there stays.
static int directory_make(const char *path, struct err *e)
{
	struct stat st;

	if (mkdir(path, 0755) == 0 && chmod(path, 0755) < 0)
		return err_set(e, errno, "make %s", path);
	if (lstat(path, &st) < 0)
		return err_set(e, errno, "make %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & 0777) != 0755)
		return err_say(e, EPERM,
			"%s must be a directory of root's with the mode 0755: remove it", path);
	return 0;
}

// From here on nothing that we mount is seen outside, and all of it ends with us.
static int step_namespace(struct create *c, struct err *e)
{
	if (directory_make(PLACE, e) < 0 || directory_make(PLACE_ROOT, e) < 0)
		return -1;
	c->machine = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (c->machine < 0 || unshare(CLONE_NEWNS) < 0)
		return err_set(e, errno, "make a mount namespace");
	// What the machine unmounts goes here too; what we mount stays here.
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_set(e, errno, "keep our mounts to ourselves");
	if (mount("ccp-runtime", PLACE, "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC,
		    "mode=755,size=64k,nr_inodes=2048") < 0)
		return err_set(e, errno, "mount a tmpfs at %s", PLACE);
	if (mount(NULL, PLACE, NULL, MS_PRIVATE, NULL) < 0 || mkdir(PLACE_ROOT, 0755) < 0)
		return err_set(e, errno, "prepare %s", PLACE);
	return 0;
}

// Makes the directories above PLACE_LAYERS/x/y.
static int parents_make(char *path, struct err *e)
{
	for (char *slash = path + strlen(PLACE); (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		int r = mkdir(path, 0755);
		*slash = '/';
		if (r < 0 && errno != EEXIST)
			return err_set(e, errno, "make the directories of %s", path);
	}
	return 0;
}

static int layer_clone(const struct create *c, const char *name, struct err *e)
{
	_cleanup_(freep) char *source = xasprintf("%s/%s", c->overlay.home, name);
	_cleanup_(freep) char *target = xasprintf("%s/%s", PLACE_LAYERS, name);
	struct clone clone = {.source = source, .target = target, .userns = c->userns};

	if (parents_make(target, e) < 0)
		return -1;
	return clone_mount(&clone, e);
}

// The one that is written to comes last: nothing is made in it.
static int step_layers(struct create *c, struct err *e)
{
	for (size_t i = 0; i < c->overlay.lower_count; i++) {
		if (layer_clone(c, c->overlay.lowers[i], e) < 0)
			return -1;
	}
	return layer_clone(c, c->overlay.id, e);
}

static int step_binds(struct create *c, struct err *e)
{
	for (size_t i = 0; i < c->config.bind_count; i++) {
		const struct config_bind *bind = &c->config.binds[i];
		_cleanup_(freep) char *target = config_bind_target(i);
		struct clone clone = {.source = bind->source,
			.target = target,
			.recursive = bind->recursive,
			.userns = c->userns};
		if (clone_mount(&clone, e) < 0)
			return -1;
	}
	return 0;
}

// The bind keeps the namespace alive until the container's processes do.
static int step_pin(struct create *c, struct err *e)
{
	_cleanup_(freep) char *source = xasprintf("/proc/self/fd/%d", c->userns);

	if (mknod(PLACE_USERNS, S_IFREG | 0444, 0) < 0 ||
		mount(source, PLACE_USERNS, NULL, MS_BIND, NULL) < 0)
		return err_set(e, errno, "bind the user namespace to %s", PLACE_USERNS);
	return 0;
}

static int step_unmount(struct create *c, struct err *e)
{
	return swap_end(c->config.root, c->machine, &c->wait, e);
}

static int step_mount(struct create *c, struct err *e)
{
	return swap_begin(&c->overlay, c->config.ids.base, &c->wait, e);
}

static int step_show(struct create *c, struct err *e)
{
	return swap_show(c->config.root, c->machine, &c->wait, e);
}

static int step_limits(struct create *c, struct err *e)
{
	return limits_set(&c->config.limits, e);
}

static int step_config(struct create *c, struct err *e)
{
	_cleanup_(freep) char *text = config_edited(&c->config);

	return file_put(c->config_path, text, e);
}

static const struct step {
	const char *name;
	int (*run)(struct create *c, struct err *e);
} steps[] = {
	{"read", step_read}, // up to here nothing is changed
	{"userns", step_userns},
	{"namespace", step_namespace},
	{"layers", step_layers},
	{"binds", step_binds},
	{"pin", step_pin},
	{"limits", step_limits},
	{"unmount", step_unmount}, // from here to `show` the engine has no overlay mounted
	{"mount", step_mount},
	{"show", step_show},
	{"config", step_config},
};

static void create_done(struct create *c)
{
	freep(&c->config_path);
	config_done(&c->config);
	overlay_done(&c->overlay);
	closep(&c->userns);
	closep(&c->machine);
}

int create_prepare(const struct call *call, struct err *e)
{
	_cleanup_(create_done) struct create c = {
		.config_path = xasprintf("%s/config.json", call->bundle),
		.wait = wait_for(DEADLINE_MS, -1),
		.userns = -1,
		.machine = -1,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		failpoint("runtime", steps[i].name, "before");
		if (steps[i].run(&c, e) < 0)
			return -1;
		failpoint("runtime", steps[i].name, "after");
	}
	return 0;
}

int create_steps_print(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		printf("runtime:%s\n", steps[i].name);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
