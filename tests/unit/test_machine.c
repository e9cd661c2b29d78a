// SPDX-License-Identifier: Apache-2.0
// What an agent says of its machine: the engine, the ids that are taken, the limits.
// uses: agent/machine/engine.c agent/machine/taken_ids.c agent/machine/limits.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/container/docker_answer.h"
#include "agent/machine/engine.h"
#include "agent/machine/limits.h"
#include "agent/machine/taken_ids.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

static void an_engine_that_cannot_says_why(void **state)
{
	static const struct {
		struct docker_engine engine;
		const char *release, *why; // NULL: it can
	} engines[] = {
		{{false, true, "overlay2"}, "5.19.0", NULL},
		{{false, true, "overlay2"}, "6.1.0-18-amd64", NULL},
		{{false, true, "overlay2"}, "10.0", NULL},
		{{false, true, "overlay2"}, "5.18.19", "Linux 5.18.19 is older than 5.19"},
		{{false, true, "overlay2"}, "4.20.1", "Linux 4.20.1 is older than 5.19"},
		{{false, true, "overlay2"}, "unknown", "Linux unknown is older than 5.19"},
		{{false, true, "btrfs"}, "6.1", "its storage driver is btrfs and not overlay2"},
		{{false, true, "overlayfs"}, "6.1",
			"its storage driver is overlayfs and not overlay2"},
		{{false, false, "overlay2"}, "6.1",
			"it has no runtime ccp: make up says which line its configuration needs"},
		{{true, true, "overlay2"}, "6.1",
			"it maps all containers to one range of ids (userns-remap): turn that off"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		char text[120];
		const char *why =
			engine_refusal(&engines[i].engine, engines[i].release, text, sizeof(text));
		if (!engines[i].why)
			assert_null(why);
		else
			assert_string_equal(why, engines[i].why);
	}
}

struct etc {
	char path[32];
	int fd;
};

static struct etc etc_make(void)
{
	struct etc etc = {.path = "/tmp/ccp-etc-XXXXXX"};

	assert_non_null(mkdtemp(etc.path));
	etc.fd = open(etc.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return etc;
}

static void etc_put(const struct etc *etc, const char *name, const char *text)
{
	int fd = openat(etc->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void etc_remove(const struct etc *etc)
{
	static const char *const names[] = {"passwd", "group", "subuid", "subgid"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlinkat(etc->fd, names[i], AT_REMOVEDIR) < 0 ? unlinkat(etc->fd, names[i], 0) : 0;
	close(etc->fd);
	rmdir(etc->path);
}

static void ids_of_accounts_and_ranges_of_others_are_taken(void **state)
{
	static const struct {
		const char *name, *text, *taken;
	} files[] = {
		{"passwd", "", "{}"},
		{"passwd", "root:x:0:0:root:/root:/bin/sh\n", "{}"},
		{"passwd", "a:x:268435455:0::/:/x\nb:x:268435456:0::/:/x\n",
			"{[268435456,268435456]}"},
		{"passwd", "a:x:2147483647:0::/:/x\nb:x:2147483648:0::/:/x\n",
			"{[2147483647,2147483647]}"},
		{"passwd", "a:x:3e8:0::/:/x\n# a:x:\n\n::\na\na:x:300000000",
			"{[300000000,300000000]}"},
		{"group", "g:x:300000000:a,b\nh:x:300000002:\n",
			"{[300000000,300000000],[300000002,300000002]}"},
		{"subuid", "a:100000:65536\n", "{}"},
		{"subuid", "a:300000000:65536\n", "{[300000000,300065535]}"},
		{"subuid", "a:100000:999999999999\n", "{[268435456,2147483647]}"},
		{"subuid", "a:300000000:0\nb:300000000:-5\nc:300000000\nd:300000000:x\n", "{}"},
		{"subgid", "a:268435455:2\n", "{[268435456,268435456]}"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct etc etc = etc_make();
		_cleanup_(freep) char *text = NULL;
		struct err e;
		etc_put(&etc, files[i].name, files[i].text);
		assert_int_equal(taken_ids(etc.fd, &text, &e), 0);
		assert_string_equal(text, files[i].taken);
		etc_remove(&etc);
	}
}

static void all_four_files_count_and_one_that_cannot_be_read_is_said(void **state)
{
	struct etc etc = etc_make();
	_cleanup_(freep) char *text = NULL;
	struct err e;
	(void)state;
	etc_put(&etc, "passwd", "a:x:300000001:0::/:/x\n");
	etc_put(&etc, "group", "a:x:300000002:\n");
	etc_put(&etc, "subuid", "a:300000003:1\n");
	etc_put(&etc, "subgid", "a:300000004:1\n");
	assert_int_equal(taken_ids(etc.fd, &text, &e), 0);
	assert_string_equal(text,
		"{[300000001,300000001],[300000002,300000002],[300000003,300000003],[300000004,300000004]}");
	unlinkat(etc.fd, "subgid", 0);
	mkdirat(etc.fd, "subgid", 0755);
	freep(&text);
	assert_int_equal(taken_ids(etc.fd, &text, &e), -1);
	assert_non_null(strstr(e.message, "/etc/subgid"));
	assert_null(text);
	unlinkat(etc.fd, "passwd", 0);
	mkdirat(etc.fd, "passwd", 0755);
	assert_int_equal(taken_ids(etc.fd, &text, &e), -1);
	assert_non_null(strstr(e.message, "/etc/passwd")); // the first, and all others after it
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(next, etc.fd + 1); // nothing was left open
	close(next);
	etc_remove(&etc);
}

static void limits_are_those_of_the_kernel(void **state)
{
	_cleanup_(freep) char *text = machine_limits();
	_cleanup_(json_freep) cJSON *json = cJSON_Parse(text);
	FILE *file = fopen("/proc/sys/fs/inotify/max_user_instances", "re");
	long instances = 0;
	(void)state;
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld", &instances), 1);
	fclose(file);
	assert_true(cJSON_GetArraySize(json) >= 7);
	assert_true(cJSON_IsNumber(cJSON_GetObjectItem(json, "overlay.redirect_dir")));
	assert_int_equal(
		cJSON_GetObjectItem(json, "fs.inotify.max_user_instances")->valueint, instances);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_engine_that_cannot_says_why),
		cmocka_unit_test(ids_of_accounts_and_ranges_of_others_are_taken),
		cmocka_unit_test(all_four_files_count_and_one_that_cannot_be_read_is_said),
		cmocka_unit_test(limits_are_those_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
