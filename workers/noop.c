// SPDX-License-Identifier: Apache-2.0
// system.noop: does nothing, slowly if asked, and reports when it began.
#include "workers/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "lib/err.h"

enum { HOLD_MAX_MS = 99999 };

// People write {"hold_ms": 100}, others {"hold_ms": "100"}: SQL takes both, so do we.
static int read_hold_ms(const cJSON *params, int64_t *ret, struct err *e)
{
	const char *text;

	*ret = 0;
	if (json_opt_text(params, "hold_ms", &text, e) == 0) {
		*ret = strtol(text, NULL, 10);
		if (*ret < 0 || *ret > HOLD_MAX_MS)
			return err_say(e, ERANGE, "hold_ms must be from 0 to %d", HOLD_MAX_MS);
		return 0;
	}
	return json_opt_int(params, "hold_ms", 0, HOLD_MAX_MS, ret, e) < 0 ? -1 : 0;
}

// Seconds since the epoch: the clock that `make bench` measures from, at the INSERT.
static double wall_clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int noop_hold(struct task *task, struct err *e)
{
	int64_t hold_ms;

	json_set_number(task->result, "began_at", wall_clock_s());
	if (read_hold_ms(task->params, &hold_ms, e) < 0)
		return task_fail(task, "bad_params", TASK_RETRY_NO);
	if (hold_ms == 0)
		return 0;
	struct wait w = task_wait(task, HOLD_MAX_MS);
	return wait_pause(&w, (int)hold_ms, e);
}

const struct task_step noop_steps[] = {
	{.name = "hold", .run = noop_hold},
	{0},
};
