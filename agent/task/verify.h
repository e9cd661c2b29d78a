// SPDX-License-Identifier: Apache-2.0
// The step of host.verify.
#pragma once

#include "lib/attr.h"

struct err;
struct task;
struct wait;

// Verifies what runs of the host; one that does not hold is ended. What this agent has not yet
// inspected since its start is adopted first.
_must_check_ int verify_exit(struct task *task, struct err *e);

// An agent that has just started may be asked before its first inspection: what runs is adopted, and what is not whole is
// ended. A Docker that does not answer has said nothing of the host.
_must_check_ int verify_adopt(struct task *task, const struct wait *w, struct err *e);
