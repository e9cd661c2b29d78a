// SPDX-License-Identifier: Apache-2.0
// ccp-worker: the task kinds that need no rights on the machine, and the tick.
#include <stdlib.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/task.h"
#include "workers/kinds.h"
#include "workers/tick.h"

enum { SLOTS = 2, STOP_MS = 3000 };

static const struct task_kind kinds[] = {
	{.kind = "events.retain", .steps = retain_steps},
	{.kind = "system.noop", .steps = noop_steps},
	{0},
};

struct worker {
	struct task_runner *tasks;
	struct tick *tick;
};

static bool may_act(void *data)
{
	const struct service *s = data;

	return !bus_is_stale(s->bus);
}

static int start(struct service *s, struct err *e)
{
	struct worker *worker = xnew(struct worker);
	const struct task_conf tasks = {.name = "task",
		.slots = SLOTS,
		.conninfo = s->database,
		.db_name = "ccp-worker",
		.kinds = kinds,
		.data = s,
		.event = program_log_task,
		.may_act = may_act};

	s->data = worker;
	if (task_runner_new(&tasks, &worker->tasks, e) < 0)
		return -1;
	return tick_new(s->loop, s->database, &worker->tick, e);
}

static void registered(void *data, const struct bus_identity *identity)
{
	const struct service *s = data;
	struct worker *worker = s->data;

	task_runner_start(worker->tasks, identity->process_id);
}

static void scan(void *data)
{
	const struct service *s = data;
	struct worker *worker = s->data;

	task_runner_scan(worker->tasks);
}

// A doorbell may also mean that a running task is to stop: the beat's answer tells which.
static void doorbell(void *data, const char *channel)
{
	const struct service *s = data;
	struct worker *worker = s->data;
	int64_t lease;

	(void)channel;
	task_runner_scan(worker->tasks);
	if (task_runner_leases(worker->tasks, &lease, 1) > 0)
		bus_beat_soon(s->bus);
}

static size_t leases(void *data, int64_t *ret, size_t max)
{
	const struct service *s = data;
	struct worker *worker = s->data;

	return task_runner_leases(worker->tasks, ret, max);
}

static void beat(void *data, const struct bus_beat *beat_answer)
{
	const struct service *s = data;
	struct worker *worker = s->data;

	task_runner_beat(worker->tasks, beat_answer);
}

static void stale(struct service *s)
{
	struct worker *worker = s->data;

	task_runner_drop_all(worker->tasks);
}

static void stop(struct service *s)
{
	struct worker *worker = s->data;

	if (task_runner_stop(worker->tasks, STOP_MS) != 0 || tick_free(worker->tick) != 0) {
		log_error("a thread did not end in time, leaving without it");
		_exit(EXIT_FAILURE);
	}
	free(worker);
}

static const struct program program = {
	.name = "ccp-worker",
	.summary = "ccp-worker runs the tasks that need no rights on the machine, and the tick.",
	.bus_name = "worker",
	.hooks = {.registered = registered,
		.scan = scan,
		.doorbell = doorbell,
		.leases = leases,
		.beat = beat},
	.start = start,
	.stale = stale,
	.stop = stop,
};

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
