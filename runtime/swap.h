// SPDX-License-Identifier: Apache-2.0
// Puts an overlay with the container's ids in place of dockerd's.
#pragma once

#include "lib/attr.h"

struct err;
struct overlay;
struct wait;

// The three run in this order, in a mount namespace of our own whose origin is `machine` (a
// descriptor of its file in /proc/PID/ns). Two overlays that write to one layer would lose each
// other's files, so the first is unmounted, with nothing open in it, before the second is mounted.

// Unmounts dockerd's overlay at `root` in both namespaces. Then waits for its end, but not for
// long: the kernel writes back the whole disk below it first, and a neighbour that writes much
// would make every start wait for that.
_must_check_ int swap_end(const char *root, int machine, const struct wait *w, struct err *e);

// Mounts the overlay of the copies in PLACE_LAYERS at PLACE_ROOT. `base` is the container's uid 0
// outside.
_must_check_ int swap_begin(
	const struct overlay *o, unsigned base, const struct wait *w, struct err *e);

// Mounts what is at PLACE_ROOT at `root` in the machine's namespace too: dockerd finds its
// container's files there, and unmounts it when the container stops.
_must_check_ int swap_show(const char *root, int machine, const struct wait *w, struct err *e);
