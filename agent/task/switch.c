// SPDX-License-Identifier: Apache-2.0
// host.switch: closes a running host, changes its tunnel, and has the steps of a start prove it.
#include "agent/task/switch.h"

#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/host/outbox.h"
#include "agent/net/netns.h"
#include "agent/net/sockdiag.h"
#include "agent/task/host_task.h"
#include "agent/task/start.h"
#include "agent/task/verify.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"

enum { ADOPT_MS = 5000 };

static int can_switch(struct task *task, const struct host_task *ht, struct err *e)
{
	const struct host_spec *spec = ht->host->spec;
	const char *code;
	if (!spec->has_switch)
		return err_say(e, ENOENT, "the database names no exit to move the host to");
	return host_spec_can_start(spec, &code, e) < 0 ? host_task_refuse(task, code, e) : 0;
}

int switch_prepare(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wait w = task_wait(task, ADOPT_MS);
	int r = ht->host->run.number == 0 ? verify_adopt(task, &w, e) : 0;

	if (r == 0)
		r = can_switch(task, ht, e);
	if (r != 0)
		return r;
	if (home_open(&ht->agent->store, ht->host->id, false, &ht->home, e) < 0)
		return host_task_fail(task, "internal", e);
	return 0;
}

// From here on the run is the task's: its guard ends, and new sessions are refused.
int switch_close(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;

	ht->run = host_take_run(ht->agent->hosts, ht->host);
	ht->ended = true;
	closep(&ht->run.process_fd); // the next run opens its own
	strcpy(ht->container_id, ht->run.container_id);
	ht->before = ht->run.exit;
	ht->run.exit = (struct exit_copy){0};
	ht->to = &ht->host->spec->switch_to;
	return wall_close(&ht->run.wall, e) < 0 ? host_task_fail(task, "internal", e) : 0;
}

// Sockets after the tunnel: with its device gone there is no route by which a new one could get its
// address.
int switch_leave(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	char name[TUNNEL_NAME_SIZE];

	if (!tunnel_name(ht->container_id, name))
		return err_say(e, EINVAL, "\"%s\" is not a container's id", ht->container_id);
	tunnel_done(&ht->run.tunnel);
	ht->run.tunnel = TUNNEL_INIT;
	exit_copy_done(&ht->run.exit);
	int r = tunnel_end(&ht->agent->tunnels, name, e);
	if (r == 0)
		r = sockdiag_end_routed(ht->run.ns_fd, NULL, e);
	// They send into the void then, unless both exits gave the same inside address.
	return r == 0 || r == SOCKDIAG_UNSUPPORTED ? 0 : host_task_fail(task, "internal", e);
}

int switch_wall(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wall_spec spec;

	exit_wall_spec(ht->to, &spec);
	if (netns_set_ipv6(ht->run.ns_fd, ht->to->ipv6, e) < 0 ||
		wall_set_exit(&ht->run.wall, &spec, e) < 0 ||
		home_write_resolver(&ht->home, &ht->to->resolver, e) < 0)
		return host_task_fail(task, "internal", e);
	return 0;
}

static int back_close(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	return wall_close(&ht->run.wall, e) < 0 ? host_task_fail(task, "internal", e) : 0;
}

// What it proves is not the exit that the task is for.
static int back_finish(struct task *task, struct err *e)
{
	return start_publish(task, NULL, e);
}

static int back_go(struct task *task, struct err *e)
{
	static int (*const steps[])(struct task * task, struct err * e) = {back_close, switch_leave,
		switch_wall, start_tunnel, start_examine, start_verify, start_prove, back_finish};
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++)
		r = steps[i](task, e);
	return r;
}

// The task fails for what it met first, whatever comes of this.
static bool back(struct task *task)
{
	struct host_task *ht = task->state;
	const char *code = task->error_code;
	enum task_retry retry = task->retry;
	struct err e;

	outbox_verified(ht->agent->outbox, ht->host->id, task->id, "start", &ht->ev);
	evidence_done(&ht->ev);
	evidence_init(&ht->ev);
	ht->to = &ht->before.spec;
	bool is_back = back_go(task, &e) == 0;
	if (!is_back)
		log_error("a host that could not be moved could not go back either",
			log_text("host", ht->host->id), log_err(&e));
	ht->ev_stored = true; // none of it is the task's
	task->error_code = code;
	task->retry = retry;
	return is_back;
}

void switch_undo(struct task *task, enum task_end why)
{
	struct host_task *ht = task->state;

	if (ht && ht->host && ht->ended && why == TASK_FAILED && ht->before.json &&
		ht->host->spec->switch_back && back(task)) {
		ht->ended = false;
		return;
	}
	host_task_undo(task, why);
}
