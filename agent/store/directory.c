// SPDX-License-Identifier: Apache-2.0
// Opens, makes and takes over directories.
#include "agent/store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

int directory_open(int parent_fd, const char *name, mode_t mode, struct err *e)
{
	if (mode != 0 && mkdirat(parent_fd, name, mode) < 0 && errno != EEXIST)
		return err_set(e, errno, "make directory %s", name);
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "open directory %s", name);
	return fd;
}

int directory_take_ownership(int parent_fd, const char *name)
{
	_cleanup_(closep) int fd =
		openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[64];

	if (fd < 0 || fchownat(fd, "", 0, 0, AT_EMPTY_PATH) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (chmod(path, 0700) < 0)
		return -1;
	return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
