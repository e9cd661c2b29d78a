// SPDX-License-Identifier: Apache-2.0
// `create`: everything between what dockerd asks for and what runc is to make.
#pragma once

#include "lib/attr.h"

struct err;
struct call;

// Prepares the bundle. On success the process is in a mount namespace of its own that holds what
// runc shall mount, and has the limits that the container inherits: exec runc. On an error nothing
// is left but perhaps an engine's overlay that is unmounted, which the engine takes well: it
// unmounts after every failed create.
_must_check_ int create_prepare(const struct call *call, struct err *e);

// Prints the steps, as failpoints name them (CCP_FAILPOINT=runtime:<step>:before|after).
int create_steps_print(void);
