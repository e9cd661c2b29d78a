// SPDX-License-Identifier: Apache-2.0
// Reads and replaces small files by descriptor.
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

int file_read(int dir_fd, const char *name, size_t max_bytes, char **ret, struct err *e)
{
	_cleanup_(closep) int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_(wipe_freep) char *text = NULL;
	struct stat st;
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		return err_set(e, errno, "open %s", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is not a plain file", name);
	text = xcalloc(1, max_bytes + 2);
	while (size <= max_bytes && (n = read(fd, text + size, max_bytes + 1 - size)) != 0) {
		if (n < 0)
			return err_set(e, errno, "read %s", name);
		size += (size_t)n;
	}
	if (size > max_bytes)
		return err_set(e, EMSGSIZE, "read %s", name);
	*ret = TAKE_PTR(text);
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

// What file_write writes before it gets its name. The caller frees it.
static char *temporary_name(const char *name)
{
	return xasprintf(".%s.new", name);
}

int file_write(
	int dir_fd, const char *name, const void *data, size_t size, mode_t mode, struct err *e)
{
	_cleanup_(freep) char *temporary = temporary_name(name);
	_cleanup_(closep) int fd = -1;

	if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", temporary);
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, errno, "make %s", temporary);
	if (write_all(fd, data, size) < 0 || fchmod(fd, mode) < 0 || fdatasync(fd) < 0)
		return err_set(e, errno, "write %s", name);
	if (renameat(dir_fd, temporary, dir_fd, name) < 0 || fsync(dir_fd) < 0)
		return err_set(e, errno, "replace %s", name);
	return 0;
}

int file_remove(int dir_fd, const char *name, struct err *e)
{
	_cleanup_(freep) char *temporary = temporary_name(name);

	if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", temporary);
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", name);
	return 0;
}
