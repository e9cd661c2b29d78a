// SPDX-License-Identifier: Apache-2.0
// Counts blocks and names by fstatat(2), and open files by proc_pid_fd(5).
#include "agent/store/usage.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

enum {
	BLOCK_BYTES = 512, // of st_blocks, whatever the file system's are (stat(2))
	LOOK_EACH = 64, // entries between two looks at the clock
	NAMELESS_LEAST = 1 << 20, // smaller ones cannot be many: each takes a descriptor
};

bool usage_is_over(const struct usage *u)
{
	return u->bytes > u->bytes_max || u->files > u->files_max;
}

void usage_done(struct usage *u)
{
	while (u->count > 0)
		closedir(u->levels[--u->count]);
}

static int64_t size_of(const struct stat *st)
{
	int64_t bytes = (int64_t)st->st_blocks * BLOCK_BYTES;

	return S_ISDIR(st->st_mode) || st->st_nlink < 2 ? bytes : bytes / (int64_t)st->st_nlink;
}

// Goes one level down. What is not there any more, or no directory by now, is left out.
static int level_open(struct usage *u, int dir_fd, const char *name, struct err *e)
{
	if (u->count == USAGE_LEVELS) {
		u->depth = USAGE_LEVELS + 1;
		return 0;
	}
	_cleanup_(closep) int fd =
		openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) && u->count > 0)
		return 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_set(e, errno, "open a directory to count what is in it");
	(void)TAKE_FD(fd);
	u->levels[u->count++] = dir;
	if (u->depth < u->count)
		u->depth = u->count;
	return 0;
}

int usage_enter(struct usage *u, int dir_fd, const char *path, struct err *e)
{
	struct stat st;

	if (level_open(u, dir_fd, path, e) < 0)
		return -1;
	if (fstat(dirfd(u->levels[0]), &st) < 0)
		return err_set(e, errno, "look at %s", path);
	u->device = st.st_dev;
	u->bytes += size_of(&st);
	u->files++;
	return 0;
}

static int entry_count(struct usage *u, int dir_fd, const char *name, struct err *e)
{
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0 ||
		st.st_dev != u->device)
		return 0;
	u->bytes += size_of(&st);
	u->files++;
	return S_ISDIR(st.st_mode) ? level_open(u, dir_fd, name, e) : 0;
}

int usage_count(struct usage *u, const struct wait *w, struct err *e)
{
	for (unsigned n = 1; u->count > 0 && !usage_is_over(u); n++) {
		DIR *dir = u->levels[u->count - 1];
		const struct dirent *d = readdir(dir);

		if (!d)
			closedir(u->levels[--u->count]);
		else if (entry_count(u, dirfd(dir), d->d_name, e) < 0)
			return -1;
		if (n % LOOK_EACH == 0 && wait_left_ms(w) == 0) {
			err_note(e, ETIMEDOUT, "counting files takes longer");
			return WAIT_TIMEOUT;
		}
	}
	usage_done(u);
	return 0;
}

// Files that were counted, so that two descriptors of one file are not two files.
struct counted {
	struct {
		dev_t device;
		ino_t inode;
	} * list;
	size_t count;
};

static bool count_once(struct counted *c, const struct stat *st)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->list[i].device == st->st_dev && c->list[i].inode == st->st_ino)
			return false;
	}
	c->list = xreallocarray(c->list, c->count + 1, sizeof(*c->list));
	c->list[c->count].device = st->st_dev;
	c->list[c->count++].inode = st->st_ino;
	return true;
}

struct search {
	struct usage *usage;
	char namespace[64]; // text of the link
	dev_t devices[2];
	struct counted counted;
	const struct wait *wait;
};

static void process_count(struct search *s, int proc_fd, const char *pid)
{
	char path[64], link[64] = {0};
	struct stat st;

	snprintf(path, sizeof(path), "%.20s/ns/pid", pid);
	if (readlinkat(proc_fd, path, link, sizeof(link) - 1) < 0 ||
		strcmp(link, s->namespace) != 0)
		return;
	snprintf(path, sizeof(path), "%.20s/fd", pid);
	int fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		closep(&fd);
		return;
	}
	for (const struct dirent *d;
		!usage_is_over(s->usage) && wait_left_ms(s->wait) > 0 && (d = readdir(dir));) {
		if (fstatat(fd, d->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
			st.st_nlink == 0 &&
			(st.st_dev == s->devices[0] || st.st_dev == s->devices[1]) &&
			size_of(&st) >= NAMELESS_LEAST && count_once(&s->counted, &st))
			s->usage->bytes += size_of(&st);
	}
	closedir(dir);
}

int usage_add_nameless(
	struct usage *u, pid_t pid, dev_t device, const struct wait *w, struct err *e)
{
	struct search s = {.usage = u, .devices = {0, device}, .wait = w};
	char path[64], own[64] = {0};
	struct stat root;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	if (readlink(path, s.namespace, sizeof(s.namespace) - 1) < 0 ||
		readlink("/proc/self/ns/pid", own, sizeof(own) - 1) < 0)
		return err_set(e, errno, "read %s", path);
	if (strcmp(own, s.namespace) == 0)
		return err_say(e, EINVAL, "process %d is not in a container", (int)pid);
	snprintf(path, sizeof(path), "/proc/%d/root/.", (int)pid);
	if (stat(path, &root) < 0)
		return err_set(e, errno, "look at %s", path);
	s.devices[0] = root.st_dev;
	DIR *proc = opendir("/proc");
	if (!proc)
		return err_set(e, errno, "open /proc");
	for (const struct dirent *d; wait_left_ms(w) > 0 && (d = readdir(proc));) {
		if (isdigit((unsigned char)d->d_name[0]))
			process_count(&s, dirfd(proc), d->d_name);
	}
	closedir(proc);
	free(s.counted.list);
	if (wait_left_ms(w) > 0)
		return 0;
	err_note(e, ETIMEDOUT, "looking for open files takes longer");
	return WAIT_TIMEOUT;
}
