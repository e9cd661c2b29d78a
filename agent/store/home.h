// SPDX-License-Identifier: Apache-2.0
// A host's directories on the machine: keys and configuration, the home, and the trash.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/attr.h"
#include "lib/wait.h"

struct err;
struct store;

struct home {
	int dir_fd; // hosts/<id>
	int ccp_fd; // hosts/<id>/ccp
	int etc_fd; // hosts/<id>/ccp/etc
	char *ccp_path;
	char *home_path;
	char *tmp_path; // homes/<id>.tmp
	char *hosts_path; // hosts/<id>/hosts
};
#define HOME_INIT ((struct home){.dir_fd = -1, .ccp_fd = -1, .etc_fd = -1})
void home_done(struct home *h);

// Opens a host's directories, with `make` making them. ENOENT without.
_must_check_ int home_open(
	const struct store *store, const char *host_id, bool make, struct home *ret, struct err *e);

// Makes the home unless it is there, of at most limit_gb (0: no limit), and mounts it if that takes
// a mount. A home keeps the limit that it was made with: another one is ERANGE until it is wiped.
_must_check_ int home_make(const struct store *store, const char *host_id, int64_t limit_gb,
	const struct wait *w, struct err *e);

// Writes what /.ccp holds besides the keys, and /etc/hosts if there is none: from then on that is
// the user's. Only while nothing of the host runs: what is
// `init` there is what PID 1 is compared with (pid1.h). It is a hard link of ccp-init's file, so an
// upgrade, which replaces that file, changes nothing for a host until its next start.
struct home_ccp {
	const char *init_path; // on the machine: ccp-init
	const char *hostname; // gets an address in /etc/hosts when that is made
	const char *client_key; // the line of authorized_keys
	struct addr resolver;
	bool sudo;
};
_must_check_ int home_write_ccp(const struct home *h, const struct home_ccp *ccp, struct err *e);

// Names another resolver while the container runs: in place, since it has the file itself and not its name.
_must_check_ int home_write_resolver(
	const struct home *h, const struct addr *resolver, struct err *e);

// Replaces what a login is shown (/.ccp/etc/motd), if it is another text by now. From any thread.
enum { HOME_MOTD_MAX = 4096 };
_must_check_ int home_write_motd(const struct home *h, const char *text, struct err *e);

// The file of the ccp-init that is mounted there, O_PATH. The caller closes it.
_must_check_ int home_init_open(const struct home *h, struct err *e);

// An empty /tmp. The last one goes to the trash, in one rename however much is in it.
_must_check_ int home_renew_tmp(const struct store *store, const char *host_id, struct err *e);

// Removes what a host has besides keys and home, so that it begins again as the image is: /tmp and
// /etc/hosts.
_must_check_ int home_remove_system(const struct store *store, const char *host_id, struct err *e);

// Moves the home to the trash, a limited one is removed at once; 0 also when there is none.
_must_check_ int home_trash(const struct store *store, const char *host_id, struct err *e);

// Unmounts the home of a host that does not run; 0 also when there is nothing to unmount.
_must_check_ int home_unmount(const struct store *store, const char *host_id, struct err *e);

// The same for every home. One that stays mounted keeps none of the others; EBUSY says how many.
_must_check_ int home_unmount_all(const struct store *store, struct err *e);

// Removes keys and configuration.
_must_check_ int home_remove_keys(const struct store *store, const char *host_id, struct err *e);
