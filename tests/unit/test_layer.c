// SPDX-License-Identifier: Apache-2.0
// What is left of a container's files before Docker removes it, whatever they were.
// uses: agent/store/layer.c agent/store/tree.c agent/store/directory.c
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/store/layer.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { FILES_MAX = 64, DEPTH = 1000, LONG_MS = 60000 };

static char directory[64];
static int dir_fd = -1;

static int directory_make(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_layer.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int directory_remove(void **state)
{
	_cleanup_(freep) char *command = xasprintf("rm -rf %s", directory);

	(void)state;
	close(dir_fd);
	return system(command);
}

static void shell(const char *commands)
{
	_cleanup_(freep) char *command = xasprintf("cd %s && %s", directory, commands);

	assert_int_equal(system(command), 0);
}

// The names, in a line.
static void assert_left(const char *expected)
{
	_cleanup_(freep) char *command = xasprintf("ls -A %s", directory);
	FILE *pipe = popen(command, "re");
	char text[1024] = "";

	text[fread(text, 1, sizeof(text) - 1, pipe)] = '\0';
	pclose(pipe);
	for (char *c = text; *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	assert_string_equal(text, expected);
}

static void directories_deep(const char *name)
{
	int at = dup(dir_fd);

	for (int i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(at, name, 0700), 0);
		int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	close(at);
}

static void any_depth_goes_with_a_few_descriptors(void **state)
{
	struct rlimit before, few;
	struct wait w = wait_for(LONG_MS, -1);
	struct err e;

	(void)state;
	directories_deep("d");
	directories_deep(".trash-");
	shell("mkdir -p etc/ssh var/x && ln -s /etc/passwd var/link && mkfifo fifo && touch etc/f top");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){.rlim_cur = FILES_MAX, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(layer_empty(directory, &w, &e), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_left("etc ");
}

static void what_is_half_removed_has_a_file_in_the_place_of_etc(void **state)
{
	struct wait none = wait_for(0, -1), w = wait_for(LONG_MS, -1);
	struct stat st;
	struct err e;

	(void)state;
	shell("mkdir -p etc/ssh var");
	for (int i = 0; i < 2; i++) { // also when it begins again
		assert_int_equal(layer_empty(directory, &none, &e), WAIT_TIMEOUT);
		assert_int_equal(fstatat(dir_fd, "etc", &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(S_ISREG(st.st_mode));
	}
	assert_int_equal(layer_empty(directory, &w, &e), 0);
	assert_left("etc ");
}

static void a_cancellation_ends_it(void **state)
{
	int ends[2];
	struct err e;

	(void)state;
	shell("mkdir -p var/x");
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	struct wait w = wait_for(LONG_MS, ends[0]);
	assert_int_equal(layer_empty(directory, &w, &e), WAIT_CANCELED);
	close(ends[0]);
	close(ends[1]);
}

static void a_link_is_not_followed(void **state)
{
	_cleanup_(freep) char *link = xasprintf("%s/link", directory);
	struct wait w = wait_for(LONG_MS, -1);
	struct err e;

	(void)state;
	shell("mkdir -p real/kept && ln -s real link");
	assert_int_equal(layer_empty(link, &w, &e), -1);
	assert_left("link real ");
	assert_int_equal(layer_empty("/tmp/test_layer.none", &w, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			any_depth_goes_with_a_few_descriptors, directory_make, directory_remove),
		cmocka_unit_test_setup_teardown(what_is_half_removed_has_a_file_in_the_place_of_etc,
			directory_make, directory_remove),
		cmocka_unit_test_setup_teardown(
			a_cancellation_ends_it, directory_make, directory_remove),
		cmocka_unit_test_setup_teardown(
			a_link_is_not_followed, directory_make, directory_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
