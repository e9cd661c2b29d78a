// SPDX-License-Identifier: Apache-2.0
// Reads a compiled filter of system calls.
#include "lib/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

int filter_read(int fd, struct sock_fprog *ret, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "look at the filter");
	struct sock_filter *code = xreallocarray(NULL, 1, (size_t)st.st_size);
	if (pread(fd, code, (size_t)st.st_size, 0) != st.st_size) {
		free(code);
		return err_set(e, EIO, "read the filter");
	}
	ret->filter = code;
	ret->len = (unsigned short)((size_t)st.st_size / sizeof(*code));
	return 0;
}

void filter_done(struct sock_fprog *filter)
{
	free(filter->filter);
	filter->filter = NULL;
}
