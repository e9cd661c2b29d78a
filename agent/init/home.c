// SPDX-License-Identifier: Apache-2.0
// Fills an empty home from the image's /etc/skel.
#include "agent/init/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 8 };

static bool name_is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *directory_open(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

// An ext4 home of its own brings lost+found, which is not a user's file.
static bool home_is_empty(int home)
{
	DIR *dir = directory_open(home, ".");
	bool empty = dir;

	for (struct dirent *d; dir && (d = readdir(dir)) != NULL;)
		empty = empty && (name_is_dots(d->d_name) || strcmp(d->d_name, "lost+found") == 0);
	if (dir)
		closedir(dir);
	return empty;
}

static int file_copy(int from, int to, const char *name, const struct stat *st)
{
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t n = 1;
	int r = -1;

	while (in >= 0 && out >= 0 && (n = sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	if (n == 0 && fchown(out, INIT_DEV_ID, INIT_DEV_ID) == 0 &&
		fchmod(out, st->st_mode & 0777) == 0)
		r = 0;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return r;
}

static int link_copy(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	if (symlinkat(target, to, name) < 0)
		return -1;
	return fchownat(to, name, INIT_DEV_ID, INIT_DEV_ID, AT_SYMLINK_NOFOLLOW);
}

// Makes the directory `name` in `to` and opens both.
static int directory_begin(int from, int to, const char *name, int *ret_in, int *ret_out)
{
	int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int out = -1;

	if (in >= 0 && mkdirat(to, name, 0700) == 0)
		out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0) {
		if (in >= 0)
			close(in);
		return -1;
	}
	*ret_in = in;
	*ret_out = out;
	return 0;
}

static int tree_copy(int from, int to, int depth)
{
	DIR *dir = depth < DEPTH_MAX ? directory_open(from, ".") : NULL;
	int r = dir ? 0 : -1;

	for (struct dirent *d; r == 0 && (d = readdir(dir)) != NULL;) {
		struct stat st;
		int in, out;

		if (name_is_dots(d->d_name))
			continue;
		if (fstatat(from, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			r = -1;
		} else if (S_ISREG(st.st_mode)) {
			r = file_copy(from, to, d->d_name, &st);
		} else if (S_ISLNK(st.st_mode)) {
			r = link_copy(from, to, d->d_name);
		} else if (S_ISDIR(st.st_mode)) {
			r = directory_begin(from, to, d->d_name, &in, &out);
			if (r < 0)
				continue;
			r = tree_copy(in, out, depth + 1);
			if (r == 0 && (fchown(out, INIT_DEV_ID, INIT_DEV_ID) < 0 ||
					      fchmod(out, st.st_mode & 0777) < 0))
				r = -1;
			close(in);
			close(out);
		}
	}
	if (dir)
		closedir(dir);
	return r;
}

void home_fill(void)
{
	int home = open(INIT_HOME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int skel = open(INIT_SKEL, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (home < 0)
		init_log("open " INIT_HOME);
	else if (skel >= 0 && home_is_empty(home) && tree_copy(skel, home, 0) < 0)
		init_log("copy " INIT_SKEL " to " INIT_HOME);
	if (home >= 0)
		close(home);
	if (skel >= 0)
		close(skel);
}
