// SPDX-License-Identifier: Apache-2.0
// Puts a file in the place of /etc, then empties the rest.
#include "agent/store/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/store/tree.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

#define MARK "etc"

// A container without some of its files must not start, and does not without the directory /etc.
static int mark(int fd, struct err *e)
{
	char moved[64];

	snprintf(moved, sizeof(moved), TREE_MOVED MARK "-%lld", (long long)wait_now_us());
	if (renameat(fd, MARK, fd, moved) < 0 && errno != ENOENT)
		return err_set(e, errno, "move the former container's /etc");
	if (mknodat(fd, MARK, S_IFREG, 0) < 0)
		return err_set(e, errno, "keep the former container from being started");
	return 0;
}

static bool is_not_mark(const char *name)
{
	return strcmp(name, MARK) != 0;
}

int layer_empty(const char *path, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	int r = mark(fd, e);
	return r != 0 ? r : tree_empty(fd, is_not_mark, w, e);
}
