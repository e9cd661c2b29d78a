// SPDX-License-Identifier: Apache-2.0
// Limits that a container's process inherits instead of having runc set them.
#pragma once

#include <stddef.h>

#include <cjson/cJSON.h>

#include "lib/attr.h"

struct err;

// runc sets limits with prlimit(2) from outside. For a process in another user namespace that needs
// CAP_SYS_RESOURCE, which root does not have on every machine. Inheriting needs nothing as long as
// the engine's own limit is not lower.
struct limits {
	struct limit {
		const char *type; // "RLIMIT_NOFILE"
		int resource;
		unsigned long long value; // soft and hard
	} limits[2];
	size_t count;
};

// Takes open files and core dumps out of `process`, the member of a config.json or the file of
// `runc exec`. One whose soft and hard values differ stays: runc, a program in Go, raises its own
// soft limit of open files.
_must_check_ int limits_take(cJSON *process, struct limits *ret, struct err *e);

// Gives them to this process.
_must_check_ int limits_set(const struct limits *limits, struct err *e);
