// SPDX-License-Identifier: Apache-2.0
// Trees of every shape: what is counted, what is not, and that it ends.
// uses: agent/store/usage.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/store/usage.h"
#include "lib/err.h"
#include "lib/mem.h"

enum { BLOCK = 4096, LONG_MS = 10000 };

static char directory[64];
static int dir_fd = -1;

static int directory_make(void **state)
{
	(void)state;
	strcpy(directory, "/var/tmp/test_usage.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 || mkdirat(dir_fd, "tree", 0700) < 0 ? -1 : 0;
}

static int directory_remove(void **state)
{
	_cleanup_(freep) char *command = xasprintf("rm -rf %s", directory);

	(void)state;
	close(dir_fd);
	return system(command);
}

static void file_make(const char *name, size_t size)
{
	_cleanup_(freep) char *data = xcalloc(1, size + 1);
	_cleanup_(closep) int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	memset(data, 'x', size);
	assert_int_equal(write(fd, data, size), size);
	assert_int_equal(fsync(fd), 0); // blocks are given when they are written out
}

static struct usage unlimited(void)
{
	return (struct usage){.bytes_max = INT64_MAX, .files_max = INT64_MAX};
}

// The whole tree.
static void count(struct usage *u)
{
	struct wait w = wait_for(LONG_MS, -1);
	struct err e;

	assert_int_equal(usage_enter(u, dir_fd, "tree", &e), 0);
	assert_int_equal(usage_count(u, &w, &e), 0);
	assert_int_equal(u->count, 0);
}

static void blocks_and_names_are_counted(void **state)
{
	struct usage empty = unlimited(), u = unlimited();

	(void)state;
	count(&empty);
	assert_int_equal(empty.files, 1);
	assert_int_equal(empty.depth, 1);
	file_make("tree/a", 3 * BLOCK);
	assert_int_equal(mkdirat(dir_fd, "tree/d", 0700), 0);
	file_make("tree/d/b", 2 * BLOCK);
	count(&u);
	assert_int_equal(u.files, 4);
	assert_int_equal(u.depth, 2);
	assert_int_equal(u.bytes, 2 * empty.bytes + 5 * BLOCK);
}

static void names_links_and_holes_take_nothing(void **state)
{
	struct usage before = unlimited(), u = unlimited();
	_cleanup_(closep) int fd = -1;

	(void)state;
	file_make("tree/a", 4 * BLOCK);
	count(&before);
	assert_int_equal(linkat(dir_fd, "tree/a", dir_fd, "tree/b", 0), 0);
	assert_int_equal(symlinkat("/proc", dir_fd, "tree/link"), 0);
	assert_int_equal(mkfifoat(dir_fd, "tree/fifo", 0600), 0);
	fd = openat(dir_fd, "tree/hole", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 1LL << 40), 0);
	count(&u);
	assert_int_equal(u.files, before.files + 4);
	assert_int_equal(u.depth, 1);
	assert_int_equal(u.bytes, before.bytes);
}

static void it_ends_where_a_limit_does(void **state)
{
	struct wait w = wait_for(LONG_MS, -1);
	struct usage u;
	struct err e;
	char name[32];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "tree/%d", i);
		file_make(name, 1);
	}
	u = (struct usage){.bytes_max = INT64_MAX, .files_max = 301};
	count(&u);
	assert_int_equal(u.files, 301);
	assert_false(usage_is_over(&u));
	u = (struct usage){.bytes_max = INT64_MAX, .files_max = 20};
	count(&u);
	assert_int_equal(u.files, 21);
	assert_true(usage_is_over(&u));
	u = (struct usage){.bytes_max = 30 * BLOCK, .files_max = INT64_MAX};
	count(&u);
	assert_in_range(u.bytes, 30 * BLOCK + 1, 40 * BLOCK);
	assert_true(usage_is_over(&u));

	// In slices it is the same.
	u = unlimited();
	assert_int_equal(usage_enter(&u, dir_fd, "tree", &e), 0);
	int slices = 0;
	for (struct wait none = wait_for(0, -1); usage_count(&u, &none, &e) == WAIT_TIMEOUT;)
		slices++;
	assert_in_range(slices, 4, 5);
	assert_int_equal(u.files, 301);

	// What is dropped in the middle leaves nothing open.
	u = unlimited();
	w = wait_for(0, -1);
	assert_int_equal(usage_enter(&u, dir_fd, "tree", &e), 0);
	assert_int_equal(usage_count(&u, &w, &e), WAIT_TIMEOUT);
	usage_done(&u);
	assert_int_equal(u.count, 0);
}

// Makes `depth` directories, each in the one before.
static void nest(int depth)
{
	int fd = openat(dir_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 1; i < depth; i++) {
		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
}

static void what_is_too_deep_is_said(void **state)
{
	struct usage u = unlimited();

	(void)state;
	nest(USAGE_LEVELS);
	count(&u);
	assert_int_equal(u.depth, USAGE_LEVELS);
	assert_int_equal(u.files, USAGE_LEVELS);
}

static void nothing_below_is_opened(void **state)
{
	struct usage u = unlimited();

	(void)state;
	nest(USAGE_LEVELS + 40);
	count(&u);
	assert_int_equal(u.depth, USAGE_LEVELS + 1);
	assert_int_equal(u.files, USAGE_LEVELS + 1);
}

static void a_tree_that_is_none_is_refused(void **state)
{
	struct usage u = unlimited();
	struct err e;

	(void)state;
	assert_int_equal(usage_enter(&u, dir_fd, "missing", &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(symlinkat("tree", dir_fd, "link"), 0);
	assert_int_equal(usage_enter(&u, dir_fd, "link", &e), -1);
	assert_int_equal(u.count, 0);
}

// What the machine's own processes have open is not a container's.
static void only_another_pid_namespace_is_searched(void **state)
{
	struct wait w = wait_for(LONG_MS, -1);
	struct usage u = unlimited();
	struct err e;

	(void)state;
	assert_int_equal(usage_add_nameless(&u, getpid(), 0, &w, &e), -1);
	assert_int_equal(e.code, EINVAL);
	assert_int_equal(u.bytes, 0);
}

// A child in a pid namespace of its own, which has what its parent has open; it ends with its parent.
static pid_t elsewhere(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static int nameless_make(const char *name, size_t size)
{
	file_make(name, size);
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(unlinkat(dir_fd, name, 0), 0);
	return fd;
}

static void large_files_without_a_name_are_counted_once(void **state)
{
	enum { LARGE = 2 << 20 };
	struct wait w = wait_for(LONG_MS, -1), over = wait_for(0, -1);
	struct usage u = unlimited(), limited = unlimited(), late = unlimited();
	struct stat st;
	struct err e;
	(void)state;
	int nameless = nameless_make("nameless", LARGE);
	int opened_twice = dup(nameless);
	int small = nameless_make("small", 1 << 19);
	file_make("named", LARGE);
	int named = openat(dir_fd, "named", O_RDONLY | O_CLOEXEC);
	int in_memory = memfd_create("elsewhere", MFD_CLOEXEC);
	assert_int_equal(ftruncate(in_memory, LARGE), 0);
	assert_int_equal(posix_fallocate(in_memory, 0, LARGE), 0);
	assert_int_equal(fstat(nameless, &st), 0);
	pid_t pid = elsewhere();
	assert_int_equal(usage_add_nameless(&u, pid, st.st_dev, &w, &e), 0);
	assert_int_equal(u.bytes, st.st_blocks * 512);

	int another = nameless_make("another", LARGE);
	pid_t both = elsewhere();
	limited.bytes_max = LARGE / 2;
	assert_int_equal(usage_add_nameless(&limited, both, st.st_dev, &w, &e), 0);
	assert_in_range(limited.bytes, LARGE, LARGE + LARGE / 2);
	assert_int_equal(usage_add_nameless(&late, both, st.st_dev, &over, &e), WAIT_TIMEOUT);
	assert_int_equal(e.code, ETIMEDOUT);
	assert_int_equal(late.bytes, 0);

	for (pid_t *child = (pid_t[]){pid, both, 0}; *child; child++) {
		kill(*child, SIGKILL);
		assert_int_equal(waitpid(*child, NULL, 0), *child);
	}
	for (int *fd = (int[]){nameless, opened_twice, small, named, in_memory, another, -1};
		*fd >= 0; fd++)
		close(*fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, directory_make, directory_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blocks_and_names_are_counted),
		TEST(names_links_and_holes_take_nothing),
		TEST(it_ends_where_a_limit_does),
		TEST(what_is_too_deep_is_said),
		TEST(nothing_below_is_opened),
		TEST(a_tree_that_is_none_is_refused),
		TEST(only_another_pid_namespace_is_searched),
		TEST(large_files_without_a_name_are_counted_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
