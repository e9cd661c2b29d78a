// SPDX-License-Identifier: Apache-2.0
// What is looked at of a container's file system, and what each thing must be.
// uses: agent/container/rootfs.c
#include "tests/unit/trace.h"

#include <errno.h>

#include "agent/container/docker.h"
#include "agent/container/rootfs.h"
#include "lib/err.h"

// What Docker says of one path; of all others that they are as they must be.
static struct {
	const char *path;
	int r;
	struct docker_path is;
} answer;

static bool is_file(const char *path)
{
	static const char *const files[] = {"/etc/passwd", "/etc/group", "/etc/hostname",
		"/etc/hosts", "/etc/resolv.conf", "/etc/sudoers.d/cloud-cli-proxy"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(path, files[i]) == 0)
			return true;
	}
	return false;
}

int docker_stat(struct docker *d, const char *id, const char *path, const struct wait *w,
	struct docker_path *ret, struct err *e)
{
	(void)d;
	(void)w;
	assert_string_equal(id, "c");
	did("%s", path);
	if (answer.path && strcmp(path, answer.path) == 0) {
		*ret = answer.is;
		return result(answer.r, "Docker's words", e);
	}
	*ret = (struct docker_path){.type = is_file(path) ? DOCKER_REGULAR : DOCKER_DIRECTORY};
	return 0;
}

static int look(enum rootfs_scope scope, struct err *e)
{
	struct wait w = wait_for(1000, -1);

	trace[0] = '\0';
	return rootfs_check(NULL, "c", scope, &w, e);
}

#define KEPT "/etc; /etc/sudoers.d; /home; /etc/passwd; /etc/group; "
#define TARGETS \
	"/.ccp; /home/dev; /etc/hostname; /etc/hosts; /etc/resolv.conf; " \
	"/etc/sudoers.d/cloud-cli-proxy; /tmp; /run; /dev; /proc; /sys; "

static void a_kept_container_is_looked_at_where_no_mount_protects_it(void **state)
{
	struct err e;

	(void)state;
	answer.path = NULL;
	assert_int_equal(look(ROOTFS_KEPT, &e), 0);
	assert_did(KEPT);
	assert_int_equal(look(ROOTFS_IMAGE, &e), 0);
	assert_did(KEPT TARGETS);
}

static void what_is_not_as_it_must_be_is_named(void **state)
{
	static const struct {
		const char *path;
		int r;
		enum docker_file type;
		int64_t size;
		int result;
		const char *why;
	} rows[] = {
		{"/etc", 0, DOCKER_LINK, 0, ROOTFS_UNFIT, "/etc is a link: it must be a directory"},
		{"/etc", 0, DOCKER_REGULAR, 0, ROOTFS_UNFIT, "/etc is a plain file: "},
		{"/home", DOCKER_ABSENT, 0, 0, ROOTFS_UNFIT,
			"/home is missing: it must be a directory"},
		{"/etc/passwd", DOCKER_ABSENT, 0, 0, ROOTFS_UNFIT,
			"/etc/passwd is missing: it must be a plain file"},
		{"/etc/passwd", 0, DOCKER_OTHER, 0, ROOTFS_UNFIT, "/etc/passwd is a FIFO"},
		{"/etc/passwd", 0, DOCKER_DIRECTORY, 0, ROOTFS_UNFIT, "/etc/passwd is a directory"},
		{"/etc/group", 0, DOCKER_REGULAR, 1024 * 1024, 0, NULL},
		{"/etc/group", 0, DOCKER_REGULAR, 1024 * 1024 + 1, ROOTFS_UNFIT,
			"/etc/group has 1048577 bytes: at most 1048576 are read"},
		{"/home", 0, DOCKER_DIRECTORY, 1LL << 40, 0, NULL},
		{"/home/dev", DOCKER_ABSENT, 0, 0, 0, NULL},
		{"/home/dev", 0, DOCKER_LINK, 0, ROOTFS_UNFIT, "/home/dev is a link"},
		{"/.ccp", 0, DOCKER_REGULAR, 0, ROOTFS_UNFIT, "/.ccp is a plain file"},
		{"/tmp", -1, 0, 0, -1, "Docker's words"},
		{"/run", DOCKER_CONFLICT, 0, 0, -1, "Docker's words"},
		{"/run", WAIT_TIMEOUT, 0, 0, WAIT_TIMEOUT, "Docker's words"},
		{"/run", WAIT_CANCELED, 0, 0, WAIT_CANCELED, "Docker's words"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e;

		answer.path = rows[i].path;
		answer.r = rows[i].r;
		answer.is = (struct docker_path){.type = rows[i].type, .size = rows[i].size};
		assert_int_equal(look(ROOTFS_IMAGE, &e), rows[i].result);
		if (rows[i].why)
			assert_non_null(strstr(e.message, rows[i].why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kept_container_is_looked_at_where_no_mount_protects_it),
		cmocka_unit_test(what_is_not_as_it_must_be_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
