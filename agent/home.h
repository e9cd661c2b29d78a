// SPDX-License-Identifier: Apache-2.0
// A host's directories on the machine: keys and configuration, the home, and the trash.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/wait.h"

struct agent;
struct err;
struct host_spec;

// DATA_DIR (root, 0700)
//     hosts/<id>/              keys (keys.h)
//     hosts/<id>/etc/          0755, mounted read-only at /.ccp/etc: sshd_config, keys,
//                              resolv.conf, sudoers
//     homes/<id>/              /home/dev, owned by 1000:1000
//     homes/<id>.img           with disk_limit_gb: the volume that is mounted there (volume.h)
//     homes/.trash-<id>-<n>/   a home that is being removed
//
// The agent has no DAC_OVERRIDE: a directory that it has given to 1000 is closed to it, and
// renaming within homes/ still works.

struct home {
	int dir_fd; // hosts/<id>
	int etc_fd; // hosts/<id>/etc
	char *etc_path;
	char *home_path;
};
#define HOME_INIT ((struct home){.dir_fd = -1, .etc_fd = -1})
void home_done(struct home *h);

// Opens a host's directories, with `make` making them. ENOENT without.
_must_check_ int home_open(
	const struct agent *a, const char *host_id, bool make, struct home *ret, struct err *e);

// Makes the home unless it is there, of at most limit_gb (0: no limit), and mounts it if that takes
// a mount. A home keeps the limit that it was made with: another one is ERANGE until it is wiped.
_must_check_ int home_make(const struct agent *a, const char *host_id, int64_t limit_gb,
	const struct wait *w, struct err *e);

// Writes what /.ccp/etc holds besides the keys.
_must_check_ int home_write_etc(const struct home *h, const struct host_spec *spec,
	const char *client_key_line, struct err *e);

// Moves the home to the trash, a limited one is gone at once; 0 also when there is none.
_must_check_ int home_trash(const struct agent *a, const char *host_id, struct err *e);

// Unmounts the home of a host that does not run; 0 also when there is nothing to unmount.
_must_check_ int home_unmount(const struct agent *a, const char *host_id, struct err *e);

// The same for every home.
_must_check_ int home_unmount_all(const struct agent *a, struct err *e);

// Removes keys and configuration.
_must_check_ int home_remove_keys(const struct agent *a, const char *host_id, struct err *e);

// Removes what lies in the trash until w ends: 0 it is empty, WAIT_TIMEOUT there is more.
_must_check_ int home_empty_trash(const struct agent *a, const struct wait *w, struct err *e);
