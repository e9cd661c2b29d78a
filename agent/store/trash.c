// SPDX-License-Identifier: Apache-2.0
// Empties the trash without recursion and in slices.
#include "agent/store/trash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/store/directory.h"
#include "agent/store/store.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/wait.h"

#define TRASH ".trash-"

enum { SLICE_MS = 200 };

int trash_move(int homes_fd, const char *name, struct err *e)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	_cleanup_(freep) char *moved =
		xasprintf(TRASH "%s-%lld%09ld", name, (long long)now.tv_sec, now.tv_nsec);
	if (renameat(homes_fd, name, homes_fd, moved) < 0 && errno != ENOENT)
		return err_set(e, errno, "move %s to the trash", name);
	return 0;
}

// Removes the files of one directory and moves its directories up into `homes_fd` as trash of their
// own. So any depth is removed with two descriptors and no recursion.
static int remove_level(int homes_fd, const char *name, unsigned *counter, const struct wait *w)
{
	int fd = directory_take_ownership(homes_fd, name);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir) {
		closep(&fd);
		return -1;
	}
	for (struct dirent *d; r == 0 && (d = readdir(dir)) != NULL;) {
		char moved[64];
		int child;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (wait_left_ms(w) == 0) {
			r = WAIT_TIMEOUT;
		} else if (unlinkat(fd, d->d_name, 0) < 0) {
			child = errno == EISDIR ? directory_take_ownership(fd, d->d_name) : -1;
			snprintf(moved, sizeof(moved), TRASH "%lld-%u", (long long)wait_now_us(),
				++*counter);
			if (child < 0 || renameat(fd, d->d_name, homes_fd, moved) < 0)
				r = -1;
			closep(&child);
		}
	}
	closedir(dir);
	return r;
}

static int trash_empty(const struct store *store, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(store->fd, "homes", 0700, e);
	unsigned counter = 0;
	bool more = true;

	if (homes_fd < 0)
		return -1;
	while (more) {
		int fd = openat(homes_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *dir = fd < 0 ? NULL : fdopendir(fd);
		int r = 0;

		if (!dir)
			return err_set(e, errno, "read the homes");
		more = false;
		for (struct dirent *d; r == 0 && (d = readdir(dir)) != NULL;) {
			if (strncmp(d->d_name, TRASH, strlen(TRASH)) != 0)
				continue;
			more = true;
			r = remove_level(homes_fd, d->d_name, &counter, w);
			if (r == 0 && unlinkat(homes_fd, d->d_name, AT_REMOVEDIR) < 0 &&
				errno != ENOTEMPTY)
				r = -1;
		}
		closedir(dir);
		if (r < 0)
			return err_set(e, errno, "empty the trash");
		if (r > 0)
			return r;
	}
	return 0;
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
