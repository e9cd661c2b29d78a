// SPDX-License-Identifier: Apache-2.0
// Makes, enters and removes a tunnel's control group, in both versions of cgroups.
#include "agent/tunnel/budget.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { PERIOD_US = 100000, REMOVE_MS = 1000, REMOVE_PAUSE_MS = 2, MB_SHIFT = 20 };

enum what { CPU, MEMORY, NO_SWAP };

// A limit of a group. Version 1 has a hierarchy for each controller, version 2 one for all.
static const struct limit {
	const char *hierarchy; // "": the only one
	enum what what;
	const char *file;
	const char *suffix; // after microseconds in PERIOD_US, or bytes
	bool optional; // the kernel may have been built, or started, without it
} limits_v1[] =
	{
		{"cpu", CPU, "cpu.cfs_quota_us", "", false},
		{"memory", MEMORY, "memory.limit_in_bytes", "", false},
		{"memory", MEMORY, "memory.memsw.limit_in_bytes", "", true},
		{0},
},
  limits_v2[] = {
	  {"", CPU, "cpu.max", " 100000", false},
	  {"", MEMORY, "memory.max", "", false},
	  {"", NO_SWAP, "memory.swap.max", "", true},
	  {0},
};

static const struct version {
	const struct limit *limits;
	const char *hierarchies[BUDGET_HIERARCHIES]; // NULL: none
} version_1 = {limits_v1, {"cpu", "memory"}}, version_2 = {limits_v2, {"", NULL}};

static const struct version *version_of(const char *cgroups)
{
	_cleanup_(freep) char *path = xasprintf("%s/cgroup.controllers", cgroups);

	return access(path, F_OK) == 0 ? &version_2 : &version_1;
}

void budget_door_close(struct budget_door *door)
{
	for (size_t i = 0; i < ARRAY_SIZE(door->fds); i++)
		closep(&door->fds[i]);
}

static int value_write(const char *path, const char *value, struct err *e)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_set(e, errno, "write %s to %s", value, path);
	return 0;
}

static int limit_set(const char *cgroups, const char *name, const struct limit *limit,
	const struct budget *budget, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf(
		"%s/%s/" BUDGET_PARENT "/%s/%s", cgroups, limit->hierarchy, name, limit->file);
	const long long values[] = {
		[CPU] = budget->cpu_milli * PERIOD_US / 1000,
		[MEMORY] = budget->memory_mb << MB_SHIFT,
		[NO_SWAP] = 0,
	};
	char value[64];

	snprintf(value, sizeof(value), "%lld%s", values[limit->what], limit->suffix);
	if (limit->optional && access(path, F_OK) < 0)
		return 0;
	return value_write(path, value, e);
}

static int directory_make(const char *path, struct err *e)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : err_set(e, errno, "make %s", path);
}

// Version 2 gives children the controllers that their parent names. The root's may be named by
// others already, such as systemd.
static int controllers_hand_down(const char *directory, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("%s/cgroup.subtree_control", directory);

	return value_write(path, "+cpu +memory", e);
}

// Who enters has one thread. Of version 1 it takes the file of threads: that of processes holds up every
// fork and exit of the machine, and waits 6 ms or more for it (cgroup_procs_write_start in
// kernel/cgroup/cgroup.c).
static int group_make(
	const char *cgroups, const char *hierarchy, const char *name, int *ret_fd, struct err *e)
{
	_cleanup_(freep) char *root = xasprintf("%s/%s", cgroups, hierarchy);
	_cleanup_(freep) char *parent = xasprintf("%s/" BUDGET_PARENT, root);
	_cleanup_(freep) char *group = xasprintf("%s/%s", parent, name);
	bool hands_down = hierarchy[0] == '\0';
	_cleanup_(freep) char *entrance =
		xasprintf("%s/%s", group, hands_down ? "cgroup.procs" : "tasks");

	if ((hands_down && controllers_hand_down(root, e) < 0) || directory_make(parent, e) < 0 ||
		(hands_down && controllers_hand_down(parent, e) < 0) ||
		directory_make(group, e) < 0)
		return -1;
	*ret_fd = open(entrance, O_WRONLY | O_CLOEXEC);
	return *ret_fd < 0 ? err_set(e, errno, "open %s", entrance) : 0;
}

int budget_make(const char *cgroups, const char *name, const struct budget *budget,
	struct budget_door *ret, struct err *e)
{
	const struct version *version = version_of(cgroups);
	struct budget_door door = BUDGET_DOOR_INIT;
	struct err ignored;
	int r = 0;

	for (size_t i = 0; r == 0 && i < BUDGET_HIERARCHIES && version->hierarchies[i]; i++)
		r = group_make(cgroups, version->hierarchies[i], name, &door.fds[i], e);
	for (const struct limit *limit = version->limits; r == 0 && limit->hierarchy; limit++)
		r = limit_set(cgroups, name, limit, budget, e);
	if (r == 0) {
		*ret = door;
		return 0;
	}
	budget_door_close(&door);
	(void)!budget_remove(cgroups, name, &ignored);
	return -1;
}

int budget_enter(const struct budget_door *door)
{
	for (size_t i = 0; i < BUDGET_HIERARCHIES; i++) {
		if (door->fds[i] >= 0 && write(door->fds[i], "0", 1) != 1)
			return -1;
	}
	return 0;
}

// Every process is in the group of either hierarchy.
void budget_kill(const char *cgroups, const char *name)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s/" BUDGET_PARENT "/%s/cgroup.procs", cgroups,
		version_of(cgroups)->hierarchies[0], name);
	FILE *file = fopen(path, "re");
	int pid;

	if (!file)
		return;
	while (fscanf(file, "%d", &pid) == 1) {
		if (pid > 0) // 0: in a pid namespace that is not ours
			kill(pid, SIGKILL);
	}
	fclose(file);
}

// A process leaves its group a moment after others hear of its end.
static int group_remove(const char *cgroups, const char *hierarchy, const char *name, struct err *e)
{
	_cleanup_(freep) char *path =
		xasprintf("%s/%s/" BUDGET_PARENT "/%s", cgroups, hierarchy, name);
	struct wait w = wait_for(REMOVE_MS, -1);

	while (rmdir(path) < 0) {
		if (errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return err_set(e, errno, "remove %s", path);
		if (wait_pause(&w, REMOVE_PAUSE_MS, e) != 0)
			return err_say(e, EBUSY, "a process is left in %s", path);
	}
	return 0;
}

int budget_remove(const char *cgroups, const char *name, struct err *e)
{
	const struct version *version = version_of(cgroups);
	int r = 0;

	for (size_t i = 0; i < BUDGET_HIERARCHIES && version->hierarchies[i]; i++) {
		struct err why;

		if (group_remove(cgroups, version->hierarchies[i], name, &why) < 0 && r == 0)
			r = err_say(e, why.code, "%s", why.message);
	}
	return r;
}

int budget_check(const char *cgroups, struct err *e)
{
	static const struct budget small = {.cpu_milli = 1000, .memory_mb = 64};
	_cleanup_(freep) char *name = xasprintf("check-%d", (int)getpid());
	struct budget_door door;

	if (budget_make(cgroups, name, &small, &door, e) < 0)
		return -1;
	budget_door_close(&door);
	return budget_remove(cgroups, name, e);
}
