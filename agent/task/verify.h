// SPDX-License-Identifier: Apache-2.0
// The step of host.verify.
#pragma once

#include "lib/attr.h"

struct err;
struct task;

// Verifies what runs of the host; one that does not hold is ended. What this agent has not yet
// inspected since its start is adopted first.
_must_check_ int verify_exit(struct task *task, struct err *e);
