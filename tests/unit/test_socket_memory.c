// SPDX-License-Identifier: Apache-2.0
// The limit of a container's sockets: where it is written, and when a machine is said to have none.
// uses: agent/container/socket_memory.c
#include "agent/container/socket_memory.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

#define GROUP "sys/fs/cgroup/memory/docker/abc"
#define FILE_NAME "memory.kmem.tcp.limit_in_bytes"

static const struct socket_memory memory = {
	.container_id = "abc", .pid = 77, .memory_limit_mb = 512};
static char root[64];

static void make(const char *name, const char *text)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", root, name);

	for (char *c = path + strlen(root) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*c = '/';
	}
	_cleanup_(closep) int fd = creat(path, 0644);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void assert_holds(const char *name, const char *want)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", root, name);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[64] = "";

	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, want);
}

static void version_1(void)
{
	make("sys/fs/cgroup/memory/" FILE_NAME, "");
	make(GROUP "/" FILE_NAME, "");
	make("proc/77/cgroup", "12:cpu:/docker/xyz\n9:memory:/docker/abc\n0::/\n");
}

static int start(void **state)
{
	(void)state;
	strcpy(root, "/tmp/test-socket-memory-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int finish(void **state)
{
	_cleanup_(freep) char *command = xasprintf("rm -r %s", root);

	(void)state;
	return system(command);
}

static void the_share_is_a_sixteenth_and_what_a_download_needs(void **state)
{
	(void)state;
	assert_int_equal(socket_memory_bytes(1), 16 << 20);
	assert_int_equal(socket_memory_bytes(256), 16 << 20);
	assert_int_equal(socket_memory_bytes(257), (16 << 20) + (1 << 16));
	assert_int_equal(socket_memory_bytes(1024 * 1024), 64LL << 30);
}

static void version_1_has_it_in_the_containers_group_of_memory(void **state)
{
	struct err e;

	(void)state;
	version_1();
	assert_int_equal(socket_memory_check(root, &e), 0);
	assert_int_equal(socket_memory_limit(root, &memory, &e), 0);
	assert_holds(GROUP "/" FILE_NAME, "33554432");
	assert_holds("sys/fs/cgroup/memory/" FILE_NAME, "");
}

static void no_other_group_is_limited(void **state)
{
	static const char *const groups[] = {"9:memory:/docker/other\n",
		"9:cpu:/docker/abc\n0::/abc\n", "9:memory:/\n", "", "9:memory:/../docker/abc\n",
		"9:memory:/other\n8:cpu:/docker/abc\n"};

	(void)state;
	version_1();
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		struct err e;

		make("proc/77/cgroup", groups[i]);
		assert_int_equal(socket_memory_limit(root, &memory, &e), -1);
		assert_int_equal(e.code, EPERM);
		assert_holds(GROUP "/" FILE_NAME, "");
	}
}

static void what_cannot_be_written_is_a_failure(void **state)
{
	_cleanup_(freep) char *file = xasprintf("%s/" GROUP "/" FILE_NAME, root);
	_cleanup_(freep) char *groups = xasprintf("%s/proc/77/cgroup", root);
	struct err e;

	(void)state;
	version_1();
	assert_int_equal(unlink(file), 0);
	assert_int_equal(socket_memory_limit(root, &memory, &e), -1);
	assert_non_null(strstr(e.message, "write 33554432 to "));
	assert_int_equal(symlink("/dev/full", file), 0);
	assert_int_equal(socket_memory_limit(root, &memory, &e), -1);
	assert_int_equal(e.code, ENOSPC);
	assert_int_equal(unlink(groups), 0);
	assert_int_equal(socket_memory_limit(root, &memory, &e), -1);
	assert_int_equal(e.code, ENOENT);
}

static void a_kernel_without_it_is_said_and_hosts_start(void **state)
{
	struct err e;

	(void)state;
	make("sys/fs/cgroup/memory/memory.limit_in_bytes", "");
	assert_int_equal(socket_memory_check(root, &e), -1);
	assert_non_null(strstr(e.message, "memory/" FILE_NAME ": No such file"));
	assert_int_equal(socket_memory_limit(root, &memory, &e), 0);
}

static void version_2_counts_sockets_as_memory(void **state)
{
	static const struct {
		const char *words;
		int result;
	} lines[] = {
		{"quiet cgroup.memory=nokmem nosocket\n", 0},
		{"cgroup.memory=nosocket\n", -1},
		{"quiet cgroup.memory=nokmem,nosocket ro\n", -1},
		{"quiet\n", 0},
		{"", 0},
	};
	struct err e;

	(void)state;
	make("sys/fs/cgroup/cgroup.controllers", "memory\n");
	assert_int_equal(socket_memory_check(root, &e), -1); // it cannot be known
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		make("proc/cmdline", lines[i].words);
		assert_int_equal(socket_memory_check(root, &e), lines[i].result);
		assert_int_equal(socket_memory_limit(root, &memory, &e), 0);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_share_is_a_sixteenth_and_what_a_download_needs),
		TEST(version_1_has_it_in_the_containers_group_of_memory),
		TEST(no_other_group_is_limited),
		TEST(what_cannot_be_written_is_a_failure),
		TEST(a_kernel_without_it_is_said_and_hosts_start),
		TEST(version_2_counts_sockets_as_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
