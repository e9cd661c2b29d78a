// SPDX-License-Identifier: Apache-2.0
// Neighbours of the agent's decisions that several unit tests replace in the same way.
#pragma once

#include "tests/unit/trace.h"

#include "agent/container/docker.h"
#include "agent/evidence.h"
#include "agent/host/end.h"
#include "agent/host/host.h"
#include "agent/host/outbox.h"
#include "lib/log.h"

struct docker *docker_new(const char *socket_path)
{
	static char client;
	(void)socket_path;
	return (struct docker *)(void *)&client;
}

void docker_freep(struct docker **d)
{
	(void)d;
}

void outbox_verified(struct outbox *box, const char *host_id, const char *task_id, const char *kind,
	const struct evidence *ev)
{
	(void)box;
	(void)host_id;
	did("verified %s%s%s %s", kind, task_id ? " of " : "", task_id ? task_id : "",
		outcome_name(ev->outcome));
}

void outbox_proven(struct outbox *box, const char *host_id, int64_t life_s)
{
	(void)box;
	(void)host_id;
	did("proven for %d", (int)life_s);
}

void outbox_observe(struct outbox *box, const char *host_id, const char *state, const char *code,
	const char *message)
{
	(void)box;
	(void)host_id;
	did("observe %s (%s)%s%s", state, code ? code : "", message ? " " : "",
		message ? message : "");
}

void host_release(struct hosts *hosts, struct host *host)
{
	(void)hosts;
	(void)host;
	did("release");
}

static int end_result; // of host_end
static bool end_exists; // there is a container

int host_end(
	const struct agent *a, struct host *host, struct docker *d, bool *ret_exists, struct err *e)
{
	(void)a;
	(void)host;
	(void)d;
	if (ret_exists)
		*ret_exists = end_exists;
	did("end");
	return result(end_result, "no end", e);
}

static enum log_level shown = LOG_LEVEL_ERROR; // what is logged below this level is not traced

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	(void)fields;
	if (level >= shown)
		did("log %s", event);
}
