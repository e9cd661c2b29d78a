// SPDX-License-Identifier: Apache-2.0
// Guards the cage: what another program did to it is undone, and the hosts behind it are looked at.
#include "agent/host/cage_guard.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "agent/agent.h"
#include "agent/host/guard.h"
#include "agent/net/cage.h"
#include "agent/tunnel/proxy.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"

struct cage_guard {
	struct agent *agent;
	int fd;
	struct loop_source *source; // deaf while a job looks
	struct pool_job job;
	bool changed; // the job's result
};

static void hear(struct cage_guard *g, uint32_t events)
{
	struct err e;
	if (loop_watch_events(g->source, events, &e) == 0)
		return;
	log_error("the cage cannot be guarded", log_err(&e));
	abort();
}

static void look(struct pool_job *job, struct db *db)
{
	struct cage_guard *g = container_of(job, struct cage_guard, job);
	struct err e;
	(void)db;
	g->changed = cage_changed(&g->agent->cage, g->fd);
	if (!g->changed)
		return;
	if (cage_restore(&g->agent->cage, &e) == 0)
		log_warning("the cage was changed by another program, and put back");
	else
		log_error("the cage was changed by another program and cannot be put back",
			log_err(&e));
}

static void look_done(struct pool_job *job)
{
	struct cage_guard *g = container_of(job, struct cage_guard, job);
	hear(g, EPOLLIN);
	if (g->changed)
		guards_check_kind(g->agent->guards, &proxy_kind);
}

static void on_change(void *data, uint32_t events)
{
	struct cage_guard *g = data;
	(void)events;
	g->job = (struct pool_job){.run = look, .done = look_done};
	g->changed = false;
	if (pool_submit_first(g->agent->check_pool, &g->job) == 0)
		hear(g, 0);
}

int cage_guard_new(struct agent *a, struct cage_guard **ret, struct err *e)
{
	*ret = NULL;
	if (!a->tunnels.cage)
		return 0;
	struct cage_guard *g = xnew(struct cage_guard);
	*g = (struct cage_guard){.agent = a, .fd = cage_watch(a->tunnels.uplink_fd, e)};
	if (g->fd < 0 || loop_watch(a->loop, g->fd, EPOLLIN, on_change, g, &g->source, e) < 0) {
		cage_guard_free(g);
		return err_wrap(e, "watch the cage");
	}
	*ret = g;
	return 0;
}

void cage_guard_free(struct cage_guard *g)
{
	if (!g)
		return;
	loop_source_free(g->source);
	closep(&g->fd);
	free(g);
}
