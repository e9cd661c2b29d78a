// SPDX-License-Identifier: Apache-2.0
// What the runner counts of tasks: how long they wait, how long steps and wholes take, how they end.
#pragma once

#include <stdint.h>

#include "lib/task.h"

// `kind` and `step` are words of the program's own tables.
void task_metrics_claimed(const char *kind, int64_t waited_us);
void task_metrics_step(const char *kind, const char *step, int64_t took_us);
void task_metrics_ended(const char *kind, enum task_end end, int64_t took_ms);
