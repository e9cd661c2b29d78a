// SPDX-License-Identifier: Apache-2.0
// Reads the kernel's limits.
#include "agent/machine/limits.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/mem.h"

static const char *const names[] = {"fs.file-max", "fs.inotify.max_user_instances",
	"fs.inotify.max_user_watches", "fs.pipe-user-pages-soft", "kernel.pid_max",
	"kernel.pty.max", "kernel.threads-max"};

static bool limit_read(const char *name, long long *ret)
{
	_cleanup_(freep) char *path = xasprintf("/proc/sys/%s", name);

	for (char *c = path + strlen("/proc/sys/"); (c = strchr(c, '.')) != NULL;)
		*c = '/';
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	bool found = fscanf(file, "%19lld", ret) == 1;
	fclose(file);
	return found;
}

// A module's switch; false also where the kernel does not have it.
static bool redirects(void)
{
	FILE *file = fopen("/sys/module/overlay/parameters/redirect_dir", "re");
	bool is_on = file && fgetc(file) == 'Y';

	if (file)
		fclose(file);
	return is_on;
}

char *machine_limits(void)
{
	_cleanup_(json_freep) cJSON *json = json_new_object();
	long long value;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char digits[24];

		if (!limit_read(names[i], &value))
			continue;
		snprintf(digits, sizeof(digits), "%lld", value); // beyond what a double holds
		json_set(json, names[i], cJSON_CreateRaw(digits));
	}
	json_set_int(json, "overlay.redirect_dir", redirects() ? 1 : 0);
	return json_print(json);
}
