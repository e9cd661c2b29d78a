// SPDX-License-Identifier: Apache-2.0
// Refuses configs that the wrapper cannot serve.
#include "runtime/config_check.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

// --- namespaces

// All are the container's own: one that belongs to another user namespace would not be its root
// user's to set up.
static const struct {
	const char *type;
	bool must;
} namespaces[] = {
	{"mount", true},
	{"pid", true},
	{"ipc", true},
	{"uts", true},
	{"network", true},
	{"cgroup", false},
};

static int namespace_check(const cJSON *one, unsigned *seen, struct err *e)
{
	const char *type, *path = "";

	if (json_get_text(one, "type", &type, e) < 0 || json_opt_text(one, "path", &path, e) < 0)
		return -1;
	if (strcmp(type, "user") == 0)
		return err_say(e, EINVAL,
			"the engine gives containers a user namespace already: take userns-remap out of its"
			" configuration, the runtime ccp makes one for each");
	if (path[0] != '\0')
		return err_say(e, EINVAL,
			"the container shares the %s namespace of another (%s): the runtime ccp gives each its own",
			type, path);
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		if (strcmp(type, namespaces[i].type) == 0) {
			*seen |= 1U << i;
			return 0;
		}
	}
	return err_say(e, EINVAL, "the runtime ccp does not know namespaces of type %s", type);
}

static int namespaces_check(const cJSON *linux_, struct err *e)
{
	const cJSON *list, *one;
	unsigned seen = 0;

	if (json_get_array(linux_, "namespaces", &list, e) < 0)
		return -1;
	cJSON_ArrayForEach (one, list) {
		if (namespace_check(one, &seen, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		if (namespaces[i].must && !(seen & (1U << i)))
			return err_say(e, EINVAL,
				"the container has the machine's %s namespace: the runtime ccp gives each its own",
				namespaces[i].type);
	}
	return 0;
}

static int linux_check(const cJSON *linux_, struct err *e)
{
	const char *propagation = "private";

	if (cJSON_GetObjectItemCaseSensitive(linux_, "uidMappings") ||
		cJSON_GetObjectItemCaseSensitive(linux_, "gidMappings"))
		return err_say(e, EINVAL,
			"the container has a map of user ids already: the runtime ccp gives it one");
	if (json_opt_text(linux_, "rootfsPropagation", &propagation, e) < 0)
		return -1;
	if (propagation[0] != '\0' && strcmp(propagation, "private") != 0 &&
		strcmp(propagation, "rprivate") != 0)
		return err_say(e, EINVAL,
			"the container's root is %s: give its binds the propagation rprivate",
			propagation);
	return namespaces_check(linux_, e);
}

// --- hooks

// dockerd's own tells it the network namespace before the container's program starts; it runs
// outside.
static int hooks_check(const cJSON *config, struct err *e)
{
	const cJSON *hooks = NULL, *one;

	if (json_opt_object(config, "hooks", &hooks, e) < 0)
		return -1;
	cJSON_ArrayForEach (one, hooks) {
		if (strcmp(one->string, "prestart") != 0 && cJSON_GetArraySize(one) > 0)
			return err_say(e, EINVAL,
				"the runtime ccp does not know hooks of kind %s, only dockerd's prestart",
				one->string);
	}
	return 0;
}

// --- mounts

static const char *const mount_types[] = {
	"bind", "cgroup", "cgroup2", "devpts", "mqueue", "proc", "sysfs", "tmpfs"};

static const struct {
	const char *option;
	const char *why;
} mount_options_refused[] = {
	{"idmap", "has a map of its own"},
	{"ridmap", "has a map of its own"},
	{"shared", "spreads mounts: give it the propagation rprivate"},
	{"rshared", "spreads mounts: give it the propagation rprivate"},
	{"slave", "takes over mounts: give it the propagation rprivate"},
	{"rslave", "takes over mounts: give it the propagation rprivate"},
};

static int mount_option_check(const cJSON *option, const char *destination, struct err *e)
{
	if (!cJSON_IsString(option))
		return err_say(e, EINVAL, "options of the mount at %s must be texts", destination);
	for (size_t i = 0; i < ARRAY_SIZE(mount_options_refused); i++) {
		if (strcmp(option->valuestring, mount_options_refused[i].option) == 0)
			return err_say(e, EINVAL, "the mount at %s %s", destination,
				mount_options_refused[i].why);
	}
	return 0;
}

static int mount_check(const cJSON *mount, struct err *e)
{
	const char *type, *destination;
	const cJSON *options = NULL, *option;

	if (json_get_text(mount, "destination", &destination, e) < 0 ||
		json_get_text(mount, "type", &type, e) < 0 ||
		json_opt_array(mount, "options", &options, e) < 0)
		return -1;
	if (cJSON_GetObjectItemCaseSensitive(mount, "uidMappings") ||
		cJSON_GetObjectItemCaseSensitive(mount, "gidMappings"))
		return err_say(e, EINVAL, "the mount at %s has a map of its own", destination);
	cJSON_ArrayForEach (option, options) {
		if (mount_option_check(option, destination, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(mount_types); i++) {
		if (strcmp(type, mount_types[i]) == 0)
			return 0;
	}
	return err_say(e, EINVAL,
		"the mount at %s has the type %s, which the runtime ccp does not know", destination,
		type);
}

static int mounts_check(const cJSON *config, struct err *e)
{
	const cJSON *mounts, *mount;

	if (json_get_array(config, "mounts", &mounts, e) < 0)
		return -1;
	cJSON_ArrayForEach (mount, mounts) {
		if (mount_check(mount, e) < 0)
			return -1;
	}
	return 0;
}

int config_check(const cJSON *config, struct err *e)
{
	const cJSON *linux_;

	if (json_get_object(config, "linux", &linux_, e) < 0 || linux_check(linux_, e) < 0)
		return -1;
	if (hooks_check(config, e) < 0)
		return -1;
	return mounts_check(config, e);
}

int config_check_path(const char *path, struct err *e)
{
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return err_say(e, EINVAL, "%.64s is not an absolute path", path);
	for (const unsigned char *c = (const unsigned char *)path; *c; c++) {
		if (*c <= ' ' || *c == 0x7f || *c == '\\' || *c == ':' || *c == ',')
			return err_say(e, EINVAL,
				"the path %.128s has blanks or one of \\ : , in it: name the engine's directory without",
				path);
	}
	for (const char *at = path; (at = strstr(at, "/..")); at += 3) {
		if (at[3] == '/' || at[3] == '\0')
			return err_say(e, EINVAL, "the path %.128s has .. in it", path);
	}
	return 0;
}
