// SPDX-License-Identifier: Apache-2.0
// A table of what may be wrong with the machine.
#include "agent/troubles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/container/socket_memory.h"
#include "agent/host/outbox.h"
#include "lib/file.h"
#include "agent/tunnel/budget.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"

enum { LOOK_MS = 60000, SMALL_MAX = 4096, CHECK_BYTES = 4096 };

struct troubles {
	struct agent *agent;
	struct loop_source *timer;
	bool busy;
	struct pool_job job;
};

// Each answers with a sentence that says what it costs and what helps, or NULL. The caller frees it.

static char *cgroups_look(const struct agent *a)
{
	return !a->no_cgroups
		       ? NULL
		       : xasprintf(
				 "tunnels run without limits, so that what users send may cost any "
				 "time and memory of the machine (%s): let the agent write in " BUDGET_CGROUPS,
				 a->no_cgroups);
}

static char *cage_look(const struct agent *a)
{
	return !a->no_cage
		       ? NULL
		       : xasprintf(
				 "hosts whose exits are proxies cannot run, for nothing would keep "
				 "their engines to the proxies (%s): restart the agent once that is "
				 "mended",
				 a->no_cage);
}

// A container's processes begin with a core limit of 1, at which the kernel neither writes a core
// nor starts a handler; at 0, which any process may set, it starts the handler.
static char *cores_look(const struct agent *a)
{
	_cleanup_(freep) char *pattern = NULL;
	struct err ignored;

	(void)a;
	if (file_read(AT_FDCWD, "/proc/sys/kernel/core_pattern", SMALL_MAX, &pattern, &ignored) <
			0 ||
		pattern[0] != '|')
		return NULL;
	pattern[strcspn(pattern, "\n")] = '\0';
	return xasprintf(
		"each crash in a container can have the machine run %.100s, outside its limits: set "
		"kernel.core_pattern to core",
		pattern + 1);
}

static char *sockets_look(const struct agent *a)
{
	struct err e;

	(void)a;
	return socket_memory_check("", &e) == 0
		       ? NULL
		       : xasprintf(
				 "what waits in the sockets of containers has no limit, so that one of them may "
				 "take from the network of all (%s): boot the machine with version 2 of cgroups",
				 e.message);
}

static char *state_look(const struct agent *a)
{
	char block[CHECK_BYTES] = {0};
	struct err e, ignored;
	int r = file_write(a->store.fd, "write.check", block, sizeof(block), 0600, &e);

	(void)!file_remove(a->store.fd, "write.check", &ignored);
	return r == 0 ? NULL
		      : xasprintf(
				"nothing can be written to %s (%s): hosts that run go on, none can be "
				"made or started",
				a->store.path, e.message);
}

static const struct look {
	const char *name;
	char *(*look)(const struct agent *a);
} looks[] = {
	{"cage", cage_look},
	{"cgroups", cgroups_look},
	{"core dumps", cores_look},
	{"socket memory", sockets_look},
	{"state directory", state_look},
	{0},
};

static void look_run(struct pool_job *job, struct db *db)
{
	const struct troubles *t = container_of(job, struct troubles, job);
	_cleanup_(json_freep) cJSON *troubles = json_new_object();

	(void)db;
	for (const struct look *l = looks; l->name; l++) {
		_cleanup_(freep) char *sentence = l->look(t->agent);

		if (sentence)
			json_set_text(troubles, l->name, sentence);
	}
	outbox_troubles(t->agent->outbox, troubles);
}

static void look_done(struct pool_job *job)
{
	struct troubles *t = container_of(job, struct troubles, job);

	t->busy = false;
}

static void on_timer(void *data)
{
	struct troubles *t = data;

	if (t->busy)
		return;
	t->job = (struct pool_job){.run = look_run, .done = look_done};
	t->busy = pool_submit(t->agent->check_pool, &t->job) == 0;
}

void troubles_find_cgroups(struct agent *a)
{
	struct err e;

	a->tunnels.cgroups = budget_check(BUDGET_CGROUPS, &e) == 0 ? BUDGET_CGROUPS : NULL;
	if (a->tunnels.cgroups)
		return;
	log_warning("tunnels run without limits", log_err(&e));
	a->no_cgroups = xstrdup(e.message);
}

int troubles_new(struct agent *a, struct troubles **ret, struct err *e)
{
	struct troubles *t = xnew(struct troubles);

	t->agent = a;
	if (loop_timer(a->loop, on_timer, t, &t->timer, e) < 0) {
		free(t);
		return -1;
	}
	loop_timer_set(t->timer, 1, LOOK_MS);
	*ret = t;
	return 0;
}

void troubles_free(struct troubles *t)
{
	if (!t)
		return;
	loop_source_free(t->timer);
	free(t);
}
