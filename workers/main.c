// SPDX-License-Identifier: Apache-2.0
// ccp-worker: the task kinds that need no rights on the machine, and the tick.
#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/task.h"
#include "workers/embed.h"
#include "workers/kinds.h"
#include "workers/sealing.h"
#include "workers/tick.h"

// A receiver that hangs holds a slot for seconds, so there are more than there are processors for; and the more there are, the
// more tasks share a commit. Each may have a connection, as well as dispatcher, bus and tick: db/roles.sql has the limit.
// Not a setting, because that limit, and the server's for all roles together, would have to change with it.
enum { SLOTS = 13, HOUSEKEEPING_SLOTS = 1, STOP_MS = 3000 };

static bool embed_asked;

static const struct args_option options[] = {
	{"embed-agent", ARGS_FLAG, &embed_asked, NULL,
		"run ccp-agent as a child, with the options that follow --; needs root", 0, 0},
	{0},
};

struct worker {
	struct sealing sealing;
	struct tick *tick;
	struct embed *embed; // NULL: the agent is a service of its own
};

static const struct task_kind kinds[] = {
	{.kind = "events.retain", .steps = retain_steps},
	{.kind = "user.delete", .steps = delete_user_steps},
	{.kind = "webhook.deliver",
		.steps = webhook_deliver_steps,
		.begin = webhook_begin,
		.end = webhook_end},
	{.kind = "webhook.test",
		.steps = webhook_test_steps,
		.begin = webhook_begin,
		.end = webhook_end},
	{.kind = "system.noop", .steps = noop_steps},
	{0},
};

static int configure(struct service *s, struct err *e)
{
	struct worker *worker = xnew(struct worker);

	s->data = worker;
	if (embed_asked)
		return embed_new(s->state_dir, s->words, &worker->embed, e);
	return s->words[0] ? err_say(e, EINVAL, "\"%s\" is for --embed-agent", s->words[0]) : 0;
}

// The lock is held: no other worker makes the key.
static int listen_begin(struct service *s, struct err *e)
{
	struct worker *worker = s->data;

	return sealing_load(s->state_dir, &worker->sealing, e);
}

static int start(struct service *s, struct err *e)
{
	struct worker *worker = s->data;
	const struct task_conf tasks = {.name = "task",
		.slots = SLOTS,
		.housekeeping_slots = HOUSEKEEPING_SLOTS,
		.conninfo = s->database,
		.db_name = "ccp-worker",
		.kinds = kinds,
		.data = &worker->sealing,
		.event = program_log_task};

	if (task_runner_new(&tasks, &s->tasks, e) < 0)
		return -1;
	if (worker->embed && embed_watch(worker->embed, s->loop, e) < 0)
		return -1;
	return tick_new(s->loop, s->database, &worker->sealing, &worker->tick, e);
}

static void stop(struct service *s)
{
	struct worker *worker = s->data;

	embed_ask(worker->embed);
	if (task_runner_stop(s->tasks, STOP_MS) != 0 || tick_free(worker->tick) != 0)
		program_leave_threads();
	embed_free(worker->embed);
	mem_wipe(worker, sizeof(*worker));
	free(worker);
}

static const struct program program = {
	.name = "ccp-worker",
	.summary = "ccp-worker runs the tasks that need no rights on the machine, and the tick.",
	.options = options,
	.takes_words = true,
	.bus_name = "worker",
	.configure = configure,
	.listen = listen_begin,
	.start = start,
	.stop = stop,
};

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
