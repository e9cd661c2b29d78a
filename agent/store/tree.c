// SPDX-License-Identifier: Apache-2.0
// Empties a directory level by level: what lies deeper is moved up.
#include "agent/store/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/store/directory.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

struct tree {
	int fd; // its top
	unsigned counter; // of directories that were moved there
	const struct wait *wait;
};

static int go_on(const struct wait *w, struct err *e)
{
	if (wait_left_ms(w) > 0)
		return wait_pause(w, 0, e);
	err_note(
		e, ETIMEDOUT, "there are so many files that removing them takes longer: ask again");
	return WAIT_TIMEOUT;
}

static bool is_real(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int move_up(struct tree *tree, int parent_fd, const char *name, struct err *e)
{
	char moved[64];
	_cleanup_(closep) int child = directory_take_ownership(parent_fd, name);

	snprintf(moved, sizeof(moved), TREE_MOVED "%lld-%u", (long long)wait_now_us(),
		++tree->counter);
	if (child < 0 || renameat(parent_fd, name, tree->fd, moved) < 0)
		return err_set(e, errno, "move a directory up to remove it");
	return 0;
}

// Removes the files of one directory and moves its directories up.
static int level_empty(struct tree *tree, const char *name, struct err *e)
{
	int fd = directory_take_ownership(tree->fd, name);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir) {
		closep(&fd);
		return err_set(e, errno, "open a directory to remove it");
	}
	for (struct dirent *d; r == 0 && (d = readdir(dir)) != NULL;) {
		if (!is_real(d->d_name) || (r = go_on(tree->wait, e)) != 0 ||
			unlinkat(fd, d->d_name, 0) == 0)
			continue;
		r = errno == EISDIR ? move_up(tree, fd, d->d_name, e)
				    : err_set(e, errno, "remove a file");
	}
	closedir(dir);
	return r;
}

static int entry_remove(struct tree *tree, const char *name, struct err *e)
{
	int r = go_on(tree->wait, e);

	if (r != 0 || unlinkat(tree->fd, name, 0) == 0)
		return r;
	if (errno != EISDIR)
		return err_set(e, errno, "remove a file");
	r = level_empty(tree, name, e);
	if (r == 0 && unlinkat(tree->fd, name, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY)
		return err_set(e, errno, "remove a directory");
	return r;
}

// Goes once through what lies at the top; *ret_more: something did.
static int pass(struct tree *tree, bool (*takes)(const char *name), bool *ret_more, struct err *e)
{
	int fd = openat(tree->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir)
		return err_set(e, errno, "read a directory to empty it");
	*ret_more = false;
	for (struct dirent *d; r == 0 && (d = readdir(dir)) != NULL;) {
		if (!is_real(d->d_name) || !takes(d->d_name))
			continue;
		*ret_more = true;
		r = entry_remove(tree, d->d_name, e);
	}
	closedir(dir);
	return r;
}

int tree_empty(int fd, bool (*takes)(const char *name), const struct wait *w, struct err *e)
{
	struct tree tree = {.fd = fd, .wait = w};
	bool more = true;
	int r = 0;

	while (r == 0 && more)
		r = pass(&tree, takes, &more, e);
	return r;
}
