// SPDX-License-Identifier: Apache-2.0
// config.json (OCI runtime specification 1.0): what is read from it, refused, and changed.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "lib/attr.h"
#include "runtime/ids.h"
#include "runtime/limits.h"

struct err;
struct json_limits;

enum {
	CONFIG_BYTES_MAX = 1024 * 1024,
	CONFIG_BINDS_MAX = 256,
};

// Integers beyond 2^53 are refused: cJSON would write them back rounded.
extern const struct json_limits config_json_limits;

// A bind mount. Texts belong to the config.
struct config_bind {
	cJSON *mount; // its entry in `mounts`
	const char *source; // a path of the machine
	bool recursive;
};

struct config {
	cJSON *json;
	struct ids ids; // from process.env
	const char *root; // path of the root file system
	struct config_bind binds[CONFIG_BINDS_MAX];
	size_t bind_count;
	struct limits limits; // taken out of process.rlimits
};

// Reads a config.json and takes CCP_IDS out of process.env. What the wrapper does not know, or
// could not keep its promise with (namespaces shared with others, a user namespace that is there
// already, mounts that spread, ids beyond the range), is an error: a sentence that says what to do.
// The caller calls config_done on success.
_must_check_ int config_read(const char *text, size_t len, struct config *ret, struct err *e);
void config_done(struct config *c);

// Where the copy of bind number `i` is mounted; the caller frees it.
char *config_bind_target(size_t i);

// The config for runc: the user namespace at PLACE_USERNS with its map, the root at PLACE_ROOT,
// binds from their copies, a ping_group_range that the map has, an end to its terminals. The texts
// that c->root and c->binds point to are gone. The caller frees it.
char *config_edited(struct config *c);
