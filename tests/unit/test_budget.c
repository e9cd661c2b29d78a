// SPDX-License-Identifier: Apache-2.0
// A tunnel's control group: what is written where in both versions, and a real one of this machine.
// uses: agent/tunnel/budget.c
#include "agent/tunnel/budget.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

static const struct budget budget = {.cpu_milli = 250, .memory_mb = 128};

static char root[64];

static void make(const char *name)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", root, name);
	char *slash = strrchr(path, '/');

	for (char *c = path + strlen(root) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*c = '/';
	}
	assert_true(slash[1] == '\0' || close(creat(path, 0644)) == 0);
}

static void assert_holds(const char *name, const char *want)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", root, name);
	char text[64] = "";
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, want);
}

static int start(void **state)
{
	(void)state;
	strcpy(root, "/tmp/test-budget-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int finish(void **state)
{
	_cleanup_(freep) char *command = xasprintf("rm -r %s", root);

	(void)state;
	return system(command);
}

static void version_1_has_a_hierarchy_for_each_controller(void **state)
{
	struct budget_door door;
	struct err e;

	(void)state;
	make("cpu/cloud-cli-proxy/c1/tasks");
	make("cpu/cloud-cli-proxy/c1/cpu.cfs_quota_us");
	make("memory/cloud-cli-proxy/c1/tasks");
	make("memory/cloud-cli-proxy/c1/memory.limit_in_bytes");
	assert_int_equal(budget_make(root, "c1", &budget, &door, &e), 0);
	assert_holds("cpu/cloud-cli-proxy/c1/cpu.cfs_quota_us", "25000");
	assert_holds("memory/cloud-cli-proxy/c1/memory.limit_in_bytes", "134217728");
	assert_int_equal(budget_enter(&door), 0);
	budget_door_close(&door);
	assert_holds("cpu/cloud-cli-proxy/c1/tasks", "0");
	assert_holds("memory/cloud-cli-proxy/c1/tasks", "0");
	make("memory/cloud-cli-proxy/c1/memory.memsw.limit_in_bytes");
	assert_int_equal(budget_make(root, "c1", &budget, &door, &e), 0);
	budget_door_close(&door);
	assert_holds("memory/cloud-cli-proxy/c1/memory.memsw.limit_in_bytes", "134217728");
}

static void version_2_hands_its_controllers_down(void **state)
{
	struct budget_door door;
	struct err e;

	(void)state;
	make("cgroup.controllers");
	make("cgroup.subtree_control");
	make("cloud-cli-proxy/cgroup.subtree_control");
	make("cloud-cli-proxy/c1/cgroup.procs");
	make("cloud-cli-proxy/c1/cpu.max");
	make("cloud-cli-proxy/c1/memory.max");
	make("cloud-cli-proxy/c1/memory.swap.max");
	assert_int_equal(budget_make(root, "c1", &budget, &door, &e), 0);
	assert_int_equal(door.fds[1], -1);
	assert_int_equal(budget_enter(&door), 0);
	budget_door_close(&door);
	assert_holds("cgroup.subtree_control", "+cpu +memory");
	assert_holds("cloud-cli-proxy/cgroup.subtree_control", "+cpu +memory");
	assert_holds("cloud-cli-proxy/c1/cpu.max", "25000 100000");
	assert_holds("cloud-cli-proxy/c1/memory.max", "134217728");
	assert_holds("cloud-cli-proxy/c1/memory.swap.max", "0");
	assert_holds("cloud-cli-proxy/c1/cgroup.procs", "0");
}

static void what_cannot_be_limited_is_said(void **state)
{
	struct budget_door door = BUDGET_DOOR_INIT;
	struct err e;

	(void)state;
	assert_int_equal(budget_check(root, &e), -1);
	assert_non_null(strstr(e.message, "cpu/cloud-cli-proxy: No such file"));
	make("cpu/cloud-cli-proxy/c1/tasks");
	make("memory/cloud-cli-proxy/");
	assert_int_equal(budget_make(root, "c1", &budget, &door, &e), -1); // plain directories
	assert_non_null(strstr(e.message, "memory/cloud-cli-proxy/c1/tasks"));
	assert_int_equal(budget_remove(root, "other", &e), 0);
	assert_int_equal(budget_remove(root, "c1", &e), -1);
	assert_int_equal(e.code, ENOTEMPTY);
	assert_int_equal(budget_enter(&door), 0); // without limits there is no group to enter
}

// No control groups are mounted, as in a plain chroot: the agent goes on without limits, and says it.
static void a_machine_without_groups_is_said(void)
{
	struct err e;

	assert_int_equal(budget_check(BUDGET_CGROUPS, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_non_null(strstr(e.message, BUDGET_CGROUPS));
}

static bool machine_has_groups(void)
{
	return access(BUDGET_CGROUPS "/cgroup.controllers", F_OK) == 0 ||
	       access(BUDGET_CGROUPS "/cpu", F_OK) == 0;
}

// The kernel of the machine that runs the test, whatever its version.
static void a_process_is_limited_and_its_group_goes_with_it(void **state)
{
	if (!machine_has_groups()) {
		a_machine_without_groups_is_said();
		return;
	}
	_cleanup_(freep) char *name = xasprintf("test-%d", (int)getpid());
	struct budget_door door;
	struct err e;
	int pipe_fds[2], status;

	(void)state;
	assert_int_equal(budget_check(BUDGET_CGROUPS, &e), 0);
	assert_int_equal(budget_make(BUDGET_CGROUPS, name, &budget, &door, &e), 0);
	assert_int_equal(pipe(pipe_fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char c;
		int r = budget_enter(&door);

		close(pipe_fds[1]);
		(void)!read(pipe_fds[0], &c, 1); // until the parent has looked
		_exit(r == 0 ? 0 : 1);
	}
	budget_door_close(&door);
	struct err busy = {0};

	_cleanup_(freep) char *path = xasprintf("/proc/%d/cgroup", (int)pid);
	char text[4096] = "";
	while (!strstr(text, name)) {
		_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t size = read(fd, text, sizeof(text) - 1);

		assert_true(size > 0);
		text[size] = '\0';
	}
	close(pipe_fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(budget_remove(BUDGET_CGROUPS, name, &busy), 0);
	assert_int_equal(budget_remove(BUDGET_CGROUPS, name, &busy), 0);
}

static void what_is_left_in_a_group_is_killed_with_it(void **state)
{
	if (!machine_has_groups())
		return;
	_cleanup_(freep) char *name = xasprintf("test-kill-%d", (int)getpid());
	struct budget_door door;
	struct err e;
	int status;

	(void)state;
	budget_kill(BUDGET_CGROUPS, name); // there is none
	assert_int_equal(budget_make(BUDGET_CGROUPS, name, &budget, &door, &e), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (budget_enter(&door) < 0 || raise(SIGSTOP) != 0)
			_exit(1);
		_exit(0);
	}
	budget_door_close(&door);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	budget_kill(BUDGET_CGROUPS, name);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(budget_remove(BUDGET_CGROUPS, name, &e), 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(version_1_has_a_hierarchy_for_each_controller),
		TEST(version_2_hands_its_controllers_down),
		TEST(what_cannot_be_limited_is_said),
		cmocka_unit_test(a_process_is_limited_and_its_group_goes_with_it),
		cmocka_unit_test(what_is_left_in_a_group_is_killed_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
