// SPDX-License-Identifier: Apache-2.0
// Reads and writes whole files.
#include "runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

int file_read_all(const char *path, size_t max, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "open %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || (size_t)st.st_size > max)
		return err_say(e, EFBIG, "%s must be a file of at most %zu bytes", path, max);
	_cleanup_(freep) char *text = xcalloc((size_t)st.st_size + 1, 1);
	ssize_t len = 0, got = 1;
	while (got > 0 && len < st.st_size) {
		got = read(fd, text + len, (size_t)(st.st_size - len));
		len += got > 0 ? got : 0;
	}
	if (got < 0)
		return err_set(e, errno, "read %s", path);
	*ret = TAKE_PTR(text);
	*ret_len = (size_t)len;
	return 0;
}

int file_put(const char *path, const char *text, struct err *e)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	for (size_t left = strlen(text); left > 0;) {
		ssize_t done = write(fd, text, left);
		if (done < 0)
			return err_set(e, errno, "write %s", path);
		text += done;
		left -= (size_t)done;
	}
	return 0;
}
