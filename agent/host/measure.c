// SPDX-License-Identifier: Apache-2.0
// Rounds over all hosts: what a limited home does not hold is counted, in slices.
#include "agent/host/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "agent/agent.h"
#include "agent/container/docker.h"
#include "agent/host/host.h"
#include "agent/host/outbox.h"
#include "agent/store/usage.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"

enum {
	LOOK_MS = 1000,
	SLICE_MS = 100, // of each LOOK_MS
	// Not settings: a count costs a hundredth of a processor whatever it finds, and is a minute
	// late at most. What is written in that minute is what disk_reserve_percent is for.
	ROUND_LEAST_MS = 10000,
	ROUND_MOST_MS = 60000,
	ROUND_TIMES = 10, // what it takes, from one to the next: a hundredth of a processor
	TELL_MS = 10000,
	DOCKER_MS = 2000,
	NAMELESS_MS = 500,
	NEWS_PERCENT = 1, // of the disk: so much less or more is
	TREES = 4,
	GB_SHIFT = 30,
	FILES_SHIFT = 16, // ext4 has an inode for each 16 KiB; host.disk_excess says the same
};

struct measure {
	struct agent *agent;
	struct loop_source *timer;
	bool busy;
	struct pool_job job;
	struct disk_room told;
	int64_t tell_ms; // when it is told again
	int64_t began_ms, round_ms; // when this round began, and when the next one begins
	host_id_text *ids; // of this round; NULL: none is under way
	size_t id_count, id_next;
	size_t id_busy; // so many of the first `id_next` were busy: they are asked again
	bool is_again; // all were asked once, these are those that were busy
	// The present host, while one is:
	bool has_host;
	char host_id[SPEC_ID_SIZE];
	pid_t pid; // 0: nothing of it runs
	char *trees[TREES]; // NULL: not, or no more
	int tree;
	struct usage usage;
};

static void host_done(struct measure *m)
{
	usage_done(&m->usage);
	for (int i = 0; i < TREES; i++)
		freep(&m->trees[i]);
	m->has_host = false;
}

// What counts, as far as it is known: the container's own layer, /tmp, /etc/hosts and what is ours
// beside it, and a home without a limit. false: nothing is known of the host, or it is busy.
static bool limits_read(struct measure *m)
{
	struct host *host = host_try_take(m->agent->hosts, m->host_id);
	const char *path = m->agent->store.path;

	if (!host) {
		if (hosts_know(m->agent->hosts, m->host_id))
			memcpy(m->ids[m->id_busy++], m->host_id, sizeof(m->host_id));
		return false;
	}
	bool is_known = host->spec && host->spec->host_disk_gb > 0;
	if (is_known) {
		m->usage = (struct usage){.bytes_max = host->spec->host_disk_gb << GB_SHIFT,
			.files_max = host->spec->host_disk_gb << FILES_SHIFT};
		m->trees[0] = xasprintf("%s/homes/%s.tmp", path, m->host_id);
		m->trees[1] = xasprintf("%s/hosts/%s", path, m->host_id);
		if (host->spec->disk_limit_gb == 0)
			m->trees[2] = xasprintf("%s/homes/%s", path, m->host_id);
	}
	host_release(m->agent->hosts, host);
	return is_known;
}

// A container that Docker is stuck with costs its host this measurement.
static int container_look(struct measure *m, struct err *e)
{
	const struct agent *a = m->agent;
	_cleanup_(docker_freep) struct docker *d = docker_new(a->docker_socket);
	struct wait w = wait_for(DOCKER_MS, pool_cancel_fd(a->inspect_pool));
	struct docker_container container;
	char name[CONTAINER_NAME_SIZE];

	container_name(&a->owner, m->host_id, name);
	int r = docker_inspect(d, name, &w, &container, e);
	m->pid = r == 0 ? container.pid : 0;
	if (r == 0 && container.upper[0])
		m->trees[TREES - 1] = xstrdup(container.upper);
	return r == DOCKER_ABSENT ? 0 : r;
}

static void report(const struct measure *m)
{
	outbox_usage(m->agent->outbox, m->host_id, m->usage.bytes, m->usage.files, m->usage.depth);
}

static int nameless_add(struct measure *m, struct err *e)
{
	struct wait w = wait_for(NAMELESS_MS, -1);
	struct stat st;

	if (m->pid == 0 || fstat(m->agent->store.fd, &st) < 0)
		return 0;
	return usage_add_nameless(&m->usage, m->pid, st.st_dev, &w, e);
}

// Goes on with the present host until it is done or w has ended. 0: done.
static int host_count(struct measure *m, const struct wait *w, struct err *e)
{
	int r = 0;

	while (r == 0 && !usage_is_over(&m->usage)) {
		if (m->usage.count > 0) {
			r = usage_count(&m->usage, w, e);
			continue;
		}
		while (m->tree < TREES && !m->trees[m->tree])
			m->tree++;
		if (m->tree == TREES)
			break;
		r = usage_enter(&m->usage, AT_FDCWD, m->trees[m->tree++], e);
		if (r < 0 && e->code == ENOENT)
			r = 0;
	}
	return r;
}

static void host_step(struct measure *m, const struct wait *w)
{
	struct err e;
	int r = host_count(m, w, &e);

	if (r == WAIT_TIMEOUT)
		return;
	if (r == 0 && !usage_is_over(&m->usage))
		r = nameless_add(m, &e);
	if (r == 0)
		report(m);
	else
		log_warning("what a host's files take cannot be counted",
			log_text("host", m->host_id), log_err(&e));
	host_done(m);
}

static void round_begin(struct measure *m)
{
	freep(&m->ids);
	m->id_count = hosts_ids(m->agent->hosts, &m->ids);
	m->id_next = 0;
	m->id_busy = 0;
	m->is_again = false;
	m->began_ms = wait_now_ms();
	m->round_ms = m->began_ms + ROUND_MOST_MS;
}

// All have been asked. Those that were busy are asked again at the next look.
static void pass_end(struct measure *m)
{
	int64_t ms = (wait_now_ms() - m->began_ms) * ROUND_TIMES;
	int64_t next_ms = m->began_ms + (ms > ROUND_LEAST_MS ? ms : ROUND_LEAST_MS);

	if (!m->is_again && next_ms < m->round_ms)
		m->round_ms = next_ms;
	m->id_count = m->id_busy;
	m->id_next = 0;
	m->id_busy = 0;
	m->is_again = true;
	if (m->id_count == 0)
		freep(&m->ids);
}

// Has each host of the round been asked once? The others, which are busy, hold up no next round.
static bool round_is_over(const struct measure *m)
{
	return !m->ids || (m->is_again && !m->has_host);
}

// The next host of the round. false: there is none for now.
static bool host_next(struct measure *m)
{
	struct err e;

	if (m->id_next == m->id_count) {
		pass_end(m);
		return false;
	}
	memcpy(m->host_id, m->ids[m->id_next++], sizeof(m->host_id));
	m->tree = 0;
	m->has_host = limits_read(m) && container_look(m, &e) == 0;
	if (!m->has_host)
		host_done(m);
	return true;
}

static bool is_news(int64_t by, int64_t size)
{
	return by > size / 100 * NEWS_PERCENT;
}

// The numbers; what they mean is SQL's. true: there is much less than before.
static bool disk_tell(struct measure *m)
{
	struct disk_room *told = &m->told;
	int64_t now_ms = wait_now_ms();
	struct statvfs fs;

	if (fstatvfs(m->agent->store.fd, &fs) < 0)
		return false;
	const struct disk_room room = {.free_bytes = (int64_t)(fs.f_bavail * fs.f_frsize),
		.bytes = (int64_t)(fs.f_blocks * fs.f_frsize),
		.free_files = (int64_t)fs.f_favail,
		.files = (int64_t)fs.f_files};
	bool less = is_news(told->free_bytes - room.free_bytes, room.bytes) ||
		    is_news(told->free_files - room.free_files, room.files);
	bool more = is_news(room.free_bytes - told->free_bytes, room.bytes) ||
		    is_news(room.free_files - told->free_files, room.files);

	if (now_ms < m->tell_ms && !less && !more)
		return false;
	m->tell_ms = now_ms + TELL_MS;
	outbox_disk(m->agent->outbox, &room);
	*told = room;
	return less;
}

// What waits in the outbox is worth more than a measurement, which can be made again.
static void look_run(struct pool_job *job, struct db *db)
{
	struct measure *m = container_of(job, struct measure, job);
	struct wait w = wait_for(SLICE_MS, -1);

	(void)db;
	if (!outbox_has_room(m->agent->outbox))
		return;
	if (disk_tell(m))
		m->round_ms = wait_now_ms();
	if (wait_now_ms() >= m->round_ms && round_is_over(m))
		round_begin(m);
	while (m->ids && wait_left_ms(&w) > 0) {
		if (m->has_host)
			host_step(m, &w);
		else if (!host_next(m))
			break;
	}
}

static void look_done(struct pool_job *job)
{
	struct measure *m = container_of(job, struct measure, job);

	m->busy = false;
}

static void on_timer(void *data)
{
	struct measure *m = data;

	if (m->busy)
		return;
	m->job = (struct pool_job){.run = look_run, .done = look_done};
	m->busy = pool_submit(m->agent->inspect_pool, &m->job) == 0;
}

int measure_new(struct agent *a, struct measure **ret, struct err *e)
{
	struct measure *m = xnew(struct measure);

	m->agent = a;
	if (loop_timer(a->loop, on_timer, m, &m->timer, e) < 0) {
		free(m);
		return -1;
	}
	loop_timer_set(m->timer, 1, LOOK_MS);
	*ret = m;
	return 0;
}

void measure_free(struct measure *m)
{
	if (!m)
		return;
	loop_source_free(m->timer);
	host_done(m);
	free(m->ids);
	free(m);
}
