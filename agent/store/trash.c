// SPDX-License-Identifier: Apache-2.0
// Empties the trash in slices.
#include "agent/store/trash.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/store/directory.h"
#include "agent/store/store.h"
#include "agent/store/tree.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/wait.h"

enum { SLICE_MS = 200 };

int trash_move(int homes_fd, const char *name, struct err *e)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	_cleanup_(freep) char *moved =
		xasprintf(TREE_MOVED "%s-%lld%09ld", name, (long long)now.tv_sec, now.tv_nsec);
	if (renameat(homes_fd, name, homes_fd, moved) < 0 && errno != ENOENT)
		return err_set(e, errno, "move %s to the trash", name);
	return 0;
}

static bool is_trash(const char *name)
{
	return strncmp(name, TREE_MOVED, strlen(TREE_MOVED)) == 0;
}

static int trash_empty(const struct store *store, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(store->fd, "homes", 0700, e);

	return homes_fd < 0 ? -1 : tree_empty(homes_fd, is_trash, w, e);
}

// How often a sweep was asked for since the last one that found nothing left. While it is not 0
// there is one, and never a second that would race it for the same names.
static atomic_uint asked;

struct sweep {
	struct pool *pool;
	const struct store *store;
	bool more;
	unsigned seen; // of `asked`, when it began
	struct pool_job job;
};

static void sweep_submit(struct sweep *sweep)
{
	if (pool_submit(sweep->pool, &sweep->job) == 0)
		return;
	atomic_store(&asked, 0); // the next one that is asked for begins again
	free(sweep);
}

static void sweep_run(struct pool_job *job, struct db *db)
{
	struct sweep *sweep = container_of(job, struct sweep, job);
	struct wait w = wait_for(SLICE_MS, -1);
	struct err e;

	sweep->seen = atomic_load(&asked);
	int r = trash_empty(sweep->store, &w, &e);

	(void)db;
	if (r < 0)
		log_warning("the trash of homes cannot be emptied", log_err(&e));
	sweep->more = r == WAIT_TIMEOUT;
}

static void sweep_done(struct pool_job *job)
{
	struct sweep *sweep = container_of(job, struct sweep, job);

	if (job->ran && !sweep->more && atomic_fetch_sub(&asked, sweep->seen) == sweep->seen)
		free(sweep);
	else
		sweep_submit(sweep);
}

void trash_sweep(struct pool *pool, const struct store *store)
{
	if (atomic_fetch_add(&asked, 1) != 0)
		return;
	struct sweep *sweep = xnew(struct sweep);
	*sweep = (struct sweep){
		.pool = pool, .store = store, .job = {.run = sweep_run, .done = sweep_done}};
	sweep_submit(sweep);
}
