// SPDX-License-Identifier: Apache-2.0
// ccp-agent --release-all: ends everything that this node holds, without a database.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;

// Remembers the owner of this node's containers, for release_all without a database.
_must_check_ int release_remember(const struct agent *a, struct err *e);

// Stops every container with our labels (their file systems stay), ends every engine, unmounts
// every home. The caller holds the agent's lock. 0 also when nothing was ever started here.
_must_check_ int release_all(struct agent *a, struct err *e);
