// SPDX-License-Identifier: Apache-2.0
// The key that opens the secrets of webhooks.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/seal.h"

struct db;
struct err;
struct wait;

struct sealing {
	struct seal_pair pair;
	bool told; // SQL has its public half, or another: it is not told again
};

// The pair of STATE_DIR/worker/sealing.key, made at the first start.
_must_check_ int sealing_load(const char *state_dir, struct sealing *ret, struct err *e);

// Tells SQL the public half, so that the API can seal. 0 when that is done or was before; otherwise as
// db_call, and to be called again. Logs when SQL has another one.
_must_check_ int sealing_tell(
	struct sealing *sealing, struct db *db, const struct wait *w, struct err *e);
