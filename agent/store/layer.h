// SPDX-License-Identifier: Apache-2.0
// What a container's users have changed of its image: the directory that Docker mounts above the image's.
#pragma once

#include "lib/attr.h"

struct err;
struct wait;

// Empties it, before Docker removes a container that does not run: Docker's own removal goes down
// recursively, with one of its descriptors open for each level, so a tree as deep as it has
// descriptors could never be removed, and no other container be started meanwhile. Between its first
// act and the removal the container is none that rootfs_check lets start. 0 also when it does not
// exist. Returns WAIT_TIMEOUT (some is gone, call it again), WAIT_CANCELED or -1.
_must_check_ int layer_empty(const char *path, const struct wait *w, struct err *e);
