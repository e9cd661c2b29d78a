// SPDX-License-Identifier: Apache-2.0
// ccp-worker: the task kinds that need no rights on the machine, and the tick.
#include "lib/program.h"
#include "lib/task.h"
#include "workers/kinds.h"
#include "workers/tick.h"

enum { SLOTS = 3, HOUSEKEEPING_SLOTS = 1, STOP_MS = 3000 };

static const struct task_kind kinds[] = {
	{.kind = "events.retain", .steps = retain_steps},
	{.kind = "user.delete", .steps = delete_user_steps},
	{.kind = "system.noop", .steps = noop_steps},
	{0},
};

static int start(struct service *s, struct err *e)
{
	const struct task_conf tasks = {.name = "task",
		.slots = SLOTS,
		.housekeeping_slots = HOUSEKEEPING_SLOTS,
		.conninfo = s->database,
		.db_name = "ccp-worker",
		.kinds = kinds,
		.event = program_log_task};
	struct tick *tick = NULL;

	if (task_runner_new(&tasks, &s->tasks, e) < 0 ||
		tick_new(s->loop, s->database, &tick, e) < 0)
		return -1;
	s->data = tick;
	return 0;
}

static void stop(struct service *s)
{
	if (task_runner_stop(s->tasks, STOP_MS) != 0 || tick_free(s->data) != 0)
		program_leave_threads();
}

static const struct program program = {
	.name = "ccp-worker",
	.summary = "ccp-worker runs the tasks that need no rights on the machine, and the tick.",
	.bus_name = "worker",
	.start = start,
	.stop = stop,
};

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
