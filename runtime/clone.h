// SPDX-License-Identifier: Apache-2.0
// Copies of mounts that show their files with the container's ids.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"

struct err;

// `target` is made: a directory, or an empty file, as the source is.
struct clone {
	const char *source; // a path of the machine
	bool recursive; // with what is mounted below it
	const char *target; // where the copy is mounted
	int userns; // whose map the copy has
};

// Mounts an idmapped, private copy of c->source at c->target (open_tree(2), mount_setattr(2)): uid
// 0 on disk is uid 0 inside. Read-only, nosuid and the like stay as the source has them. A file
// system that has no idmapped mounts is an error that names the source.
_must_check_ int clone_mount(const struct clone *c, struct err *e);
