// SPDX-License-Identifier: Apache-2.0
// A directory of limited size: an ext4 file system in a sparse file, mounted by a loop device.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/wait.h"

struct err;

// The volume NAME of a directory is the file NAME.img, mounted at the subdirectory NAME. Only root
// may write in the directory, so nothing in it is a surprise. `path` is the same directory as
// `dir_fd`, for programs and calls that take no descriptor.
struct volume {
	int dir_fd;
	const char *path;
	const char *name;
};

// Its size in GiB, 0 when there is no such file. -1 when that cannot be found out.
_must_check_ int64_t volume_size_gb(const struct volume *v, struct err *e);

// Makes the file with an empty file system, whole or not at all. At most 30 s.
_must_check_ int volume_make(
	const struct volume *v, int64_t size_gb, const struct wait *w, struct err *e);

// Mounts it (nodev, nosuid); 0 also when it is. A volume is never attached twice, which would
// destroy it: the file is flocked as long as a loop device has it, and one that is still being let
// go of by a container that has just ended is waited for, 3 s at most (EBUSY).
_must_check_ int volume_mount(const struct volume *v, const struct wait *w, struct err *e);

// Unmounts it; 0 also when it was not. The kernel frees the loop device with the last user.
_must_check_ int volume_unmount(const struct volume *v, struct err *e);

// Removes the file; 0 also when there is none. Unmount it first.
_must_check_ int volume_remove(const struct volume *v, struct err *e);
