// SPDX-License-Identifier: Apache-2.0
// Reads and changes config.json.
#include "runtime/config.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "runtime/config_check.h"
#include "runtime/place.h"

const struct json_limits config_json_limits = {
	.bytes = CONFIG_BYTES_MAX, .depth = 32, .values = 65536, .big_integers = false};

#define TERMINALS_MAX "max=1024" // of devpts; ccp.machine_limits counts with it

static const char env_prefix[] = "CCP_IDS=";

static cJSON *member(cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

// --- what is read

// Takes the one entry CCP_IDS out of process.env.
static int ids_take(cJSON *env, struct ids *ret, struct err *e)
{
	cJSON *taken _cleanup_(json_freep) = NULL;

	for (int i = cJSON_GetArraySize(env) - 1; i >= 0; i--) {
		const cJSON *entry = cJSON_GetArrayItem(env, i);
		if (!cJSON_IsString(entry))
			return err_say(e, EINVAL, "process.env must hold texts alone");
		if (strncmp(entry->valuestring, env_prefix, strlen(env_prefix)) != 0)
			continue;
		if (taken)
			return err_say(e, EINVAL, "the container's environment has CCP_IDS twice");
		taken = cJSON_DetachItemFromArray(env, i);
	}
	if (!taken)
		return err_say(e, ENOENT,
			"the container's environment has no CCP_IDS=<base>:<owner>: the runtime ccp is for"
			" containers that ccp-agent makes");
	return ids_parse(taken->valuestring + strlen(env_prefix), ret, e);
}

static int process_read(struct config *c, struct err *e)
{
	cJSON *process = member(c->json, "process"), *env = member(process, "env");

	if (!cJSON_IsArray(env))
		return err_say(e, EINVAL, "process.env must be a list");
	if (ids_take(env, &c->ids, e) < 0)
		return -1;
	return limits_take(process, &c->limits, e);
}

static bool has_option(const cJSON *mount, const char *name)
{
	const cJSON *option;

	cJSON_ArrayForEach (option, cJSON_GetObjectItemCaseSensitive(mount, "options")) {
		if (strcmp(option->valuestring, name) == 0)
			return true;
	}
	return false;
}

static int binds_read(struct config *c, struct err *e)
{
	cJSON *mount;

	cJSON_ArrayForEach (mount, member(c->json, "mounts")) {
		struct config_bind bind = {.mount = mount, .recursive = has_option(mount, "rbind")};
		if (strcmp(member(mount, "type")->valuestring, "bind") != 0) {
			if (bind.recursive || has_option(mount, "bind"))
				return err_say(e, EINVAL, "a bind mount must have the type bind");
			continue;
		}
		if (json_get_text(mount, "source", &bind.source, e) < 0)
			return -1;
		if (bind.source[0] != '/')
			return err_say(e, EINVAL,
				"the source of a bind mount, %.128s, is not an absolute path",
				bind.source);
		if (c->bind_count == CONFIG_BINDS_MAX)
			return err_say(e, E2BIG, "the container has more than %d bind mounts",
				CONFIG_BINDS_MAX);
		c->binds[c->bind_count++] = bind;
	}
	return 0;
}

static int root_read(struct config *c, struct err *e)
{
	const cJSON *root;

	if (json_get_object(c->json, "root", &root, e) < 0 ||
		json_get_text(root, "path", &c->root, e) < 0)
		return -1;
	return config_check_path(c->root, e);
}

int config_read(const char *text, size_t len, struct config *ret, struct err *e)
{
	struct config c = {0};

	if (json_parse(text, len, &config_json_limits, &c.json, e) < 0)
		return err_wrap(e, "config.json");
	if (process_read(&c, e) < 0 || config_check(c.json, e) < 0 || root_read(&c, e) < 0 ||
		binds_read(&c, e) < 0) {
		config_done(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

void config_done(struct config *c)
{
	json_freep(&c->json);
}

// --- what is changed

char *config_bind_target(size_t i)
{
	return xasprintf("%s/bind%zu", PLACE, i);
}

static void map_add(cJSON *linux_, const char *name, const struct ids *ids)
{
	cJSON *map = json_add(json_set_array(linux_, name), json_new_object());

	json_set_int(map, "containerID", 0);
	json_set_int(map, "hostID", ids->base);
	json_set_int(map, "size", IDS_SIZE);
}

// dockerd's default names groups beyond the map, which the kernel refuses.
static void ping_groups_fit(cJSON *linux_)
{
	static const char name[] = "net.ipv4.ping_group_range";
	cJSON *sysctl = member(linux_, "sysctl");
	const char *range = cJSON_GetStringValue(member(sysctl, name));

	if (range && strcmp(range, "0 2147483647") == 0)
		json_set_text(sysctl, name, "0 65535");
}

// Terminals are counted for the machine as a whole (kernel.pty.max), which one container could use
// up.
static void terminals_limit(cJSON *mounts)
{
	cJSON *mount;

	cJSON_ArrayForEach (mount, mounts) {
		if (strcmp(member(mount, "type")->valuestring, "devpts") != 0)
			continue;
		if (!cJSON_IsArray(member(mount, "options")))
			json_set_array(mount, "options");
		json_add_text(member(mount, "options"), TERMINALS_MAX);
	}
}

char *config_edited(struct config *c)
{
	cJSON *linux_ = member(c->json, "linux");
	cJSON *userns = json_add(member(linux_, "namespaces"), json_new_object());

	json_set_text(userns, "type", "user");
	json_set_text(userns, "path", PLACE_USERNS);
	map_add(linux_, "uidMappings", &c->ids);
	map_add(linux_, "gidMappings", &c->ids);
	ping_groups_fit(linux_);
	terminals_limit(member(c->json, "mounts"));
	json_set_text(member(c->json, "root"), "path", PLACE_ROOT);
	for (size_t i = 0; i < c->bind_count; i++) {
		_cleanup_(freep) char *target = config_bind_target(i);
		json_set_text(c->binds[i].mount, "source", target);
	}
	return json_print(c->json);
}
