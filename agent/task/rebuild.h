// SPDX-License-Identifier: Apache-2.0
// The steps of host.rebuild that are its own.
#pragma once

#include "lib/attr.h"

struct err;
struct task;

// Empties the home if the task's mode is wipe, then makes it ready.
_must_check_ int rebuild_home(struct task *task, struct err *e);

// Begins a start. A host that is not wanted running is done here.
_must_check_ int rebuild_start(struct task *task, struct err *e);
