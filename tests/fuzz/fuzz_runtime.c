// SPDX-License-Identifier: Apache-2.0
// Fuzzes what ccp-runtime reads: edited configs keep promises, layers stay in their directory.
// uses: runtime/config.c runtime/config_check.c runtime/ids.c runtime/limits.c runtime/overlay.c
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "runtime/config.h"
#include "runtime/overlay.h"
#include "runtime/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
	if (!promise)
		abort();
}

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void binds_are_copies(const cJSON *config)
{
	const cJSON *mount;
	cJSON_ArrayForEach (mount, member(config, "mounts")) {
		if (strcmp(member(mount, "type")->valuestring, "bind") == 0)
			must(strncmp(member(mount, "source")->valuestring, PLACE "/bind",
				     strlen(PLACE "/bind")) == 0);
	}
}

static void environment_has_no_ids(const cJSON *config)
{
	const cJSON *entry;
	cJSON_ArrayForEach (entry, member(member(config, "process"), "env"))
		must(strncmp(entry->valuestring, "CCP_IDS=", 8) != 0);
}

static void map_is_the_range(const cJSON *config, const struct ids *ids)
{
	const cJSON *map = cJSON_GetArrayItem(member(member(config, "linux"), "uidMappings"), 0);
	must(member(map, "hostID")->valuedouble == ids->base);
	must(ids->base % IDS_SIZE == 0 && ids->base >= 2 * IDS_SIZE && ids->owner >= IDS_SIZE);
	must(ids->owner < ids->base || ids->owner - ids->base >= IDS_SIZE);
}

static void read_config(const char *text, size_t size)
{
	cJSON *json _cleanup_(json_freep) = NULL;
	struct config c;
	struct err e;
	if (config_read(text, size, &c, &e) < 0)
		return;
	must(c.root[0] == '/' && c.bind_count <= CONFIG_BINDS_MAX);
	_cleanup_(freep) char *edited = config_edited(&c);
	must(json_parse(edited, strlen(edited), &config_json_limits, &json, &e) == 0);
	must(strcmp(member(member(json, "root"), "path")->valuestring, PLACE_ROOT) == 0);
	binds_are_copies(json);
	environment_has_no_ids(json);
	map_is_the_range(json, &c.ids);
	config_done(&c);
	must(config_read(edited, strlen(edited), &c, &e) < 0); // it has its user namespace now
}

static void read_overlay(const char *text, size_t size)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, size, "r");
	struct overlay o;
	struct err e;
	if (!file)
		return;
	if (overlay_find(file, "/d/overlay2/1f/merged", &o, &e) == 0) {
		must(strcmp(o.home, "/d/overlay2") == 0 && strcmp(o.id, "1f") == 0);
		must(o.lower_count > 0 && o.lower_count <= OVERLAY_LOWERS_MAX);
		for (size_t i = 0; i < o.lower_count; i++)
			must(o.lowers[i][0] != '/' && o.lowers[i][0] != '.' &&
				!strstr(o.lowers[i], "/."));
		overlay_done(&o);
	}
	fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	if (size == 0)
		return 0;
	read_config(text, size);
	read_overlay(text, size);
	return 0;
}
