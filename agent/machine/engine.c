// SPDX-License-Identifier: Apache-2.0
// Judges the engine by what it says of itself, and the kernel by its version.
#include "agent/machine/engine.h"

#include <stdio.h>
#include <string.h>

#include "agent/container/docker_answer.h"

// Overlay on layers with mapped ids: Linux 5.19.
enum { KERNEL_MAJOR = 5, KERNEL_MINOR = 19 };

static bool kernel_is_old(const char *release)
{
	int major = 0, minor = 0;

	return sscanf(release, "%4d.%4d", &major, &minor) != 2 || major < KERNEL_MAJOR ||
	       (major == KERNEL_MAJOR && minor < KERNEL_MINOR);
}

const char *engine_refusal(
	const struct docker_engine *engine, const char *release, char *ret, size_t size)
{
	if (engine->remaps_users)
		return "it maps all containers to one range of ids (userns-remap): turn that off";
	if (kernel_is_old(release))
		snprintf(ret, size, "Linux %.40s is older than 5.19", release);
	else if (strcmp(engine->driver, "overlay2") != 0)
		snprintf(ret, size, "its storage driver is %.31s and not overlay2", engine->driver);
	else if (!engine->has_runtime)
		return "it has no runtime " CONTAINER_RUNTIME
		       ": make up says which line its configuration needs";
	else
		return NULL;
	return ret;
}
