// SPDX-License-Identifier: Apache-2.0
// What a config.json must not ask for when the container has a user namespace of its own.
#pragma once

#include <cjson/cJSON.h>

#include "lib/attr.h"

struct err;

// Refuses hooks inside the container, namespaces shared with the machine or another container, a
// user namespace or map that is there already, propagation, and kinds of mounts that the wrapper
// does not know. Each with a sentence.
_must_check_ int config_check(const cJSON *config, struct err *e);

// A path of the machine that is absolute, without "..", and has no byte that mountinfo or overlay's
// options write otherwise.
_must_check_ int config_check_path(const char *path, struct err *e);
