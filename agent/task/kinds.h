// SPDX-License-Identifier: Apache-2.0
// The task kinds of the agent: a table of steps each.
#pragma once

#include "lib/task.h"

extern const struct task_kind agent_kinds[];
