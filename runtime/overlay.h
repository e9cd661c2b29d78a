// SPDX-License-Identifier: Apache-2.0
// The overlay that dockerd mounted for a container, as /proc/self/mountinfo shows it.
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "lib/attr.h"

struct err;

enum { OVERLAY_LOWERS_MAX = 500 }; // the kernel's own limit

// <home>/<id> holds diff (what the container wrote), work and merged (where it is mounted);
// <home>/<lower> are the image's layers, the uppermost first.
struct overlay {
	char *home; // .../overlay2
	char *id;
	char **lowers; // relative to home
	size_t lower_count;
};

// Finds the mount at `root` in a mountinfo text (proc_pid_mountinfo(5)). What is not exactly one
// overlay with dockerd's layout (graph driver overlay2), and what has options that another overlay
// of the same layers would lose, is an error. The caller calls overlay_done on success.
_must_check_ int overlay_find(
	FILE *mountinfo, const char *root, struct overlay *ret, struct err *e);
void overlay_done(struct overlay *o);
