// SPDX-License-Identifier: Apache-2.0
// Counts tasks.
#include "lib/task_metrics.h"

#include "lib/metric.h"

void task_metrics_claimed(const char *kind, int64_t waited_us)
{
	static const struct metric waits = {"ccp_task_wait_seconds", METRIC_HISTOGRAM, {"kind"}};

	metric_observe(&waits, (double)waited_us / 1e6, METRIC_VALUES(kind));
}

void task_metrics_step(const char *kind, const char *step, int64_t took_us)
{
	static const struct metric took = {
		"ccp_task_step_duration_seconds", METRIC_HISTOGRAM, {"kind", "step"}};

	metric_observe(&took, (double)took_us / 1e6, METRIC_VALUES(kind, step));
}

void task_metrics_ended(const char *kind, enum task_end end, int64_t took_ms)
{
	static const struct metric ends = {"ccp_task_ends_total", METRIC_COUNTER, {"kind", "end"}};
	static const struct metric took = {"ccp_task_duration_seconds", METRIC_HISTOGRAM, {"kind"}};
	static const char *const words[] = {[TASK_SUCCEEDED] = "succeeded",
		[TASK_FAILED] = "failed",
		[TASK_CANCELED] = "canceled",
		[TASK_HANDED_BACK] = "handed_back",
		[TASK_DROPPED] = "dropped"};

	metric_add(&ends, 1, METRIC_VALUES(kind, words[end]));
	metric_observe(&took, (double)took_ms / 1e3, METRIC_VALUES(kind));
}
