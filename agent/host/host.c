// SPDX-License-Identifier: Apache-2.0
// The table of hosts: one lock, one holder per host, checks give way to tasks.
#include "agent/host/host.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"

struct hosts {
	pthread_mutex_t lock;
	struct host *first;
	uint64_t runs; // the last number given to a run
	void (*on_ended)(void *data, uint64_t run_number);
	void *data;
};

struct hosts *hosts_new(void (*on_ended)(void *data, uint64_t run_number), void *data)
{
	struct hosts *hosts = xnew(struct hosts);

	pthread_mutex_init(&hosts->lock, NULL);
	hosts->on_ended = on_ended;
	hosts->data = data;
	return hosts;
}

static void host_free(struct host *host)
{
	run_close(&host->run);
	host_spec_free(host->spec);
	free(host->unusable);
	closep(&host->yield_fd);
	closep(&host->free_fd);
	free(host);
}

void hosts_free(struct hosts *hosts)
{
	while (hosts->first) {
		struct host *host = hosts->first;

		hosts->first = host->next;
		host_free(host);
	}
	pthread_mutex_destroy(&hosts->lock);
	free(hosts);
}

static struct host *find(struct hosts *hosts, const char *id)
{
	struct host *host = hosts->first;

	while (host && strcmp(host->id, id) != 0)
		host = host->next;
	return host;
}

static struct host *find_or_make(struct hosts *hosts, const char *id)
{
	struct host *host = find(hosts, id);

	if (host) {
		host->forgotten = false;
		return host;
	}
	host = xnew(struct host);
	(void)!text_copy(host->id, sizeof(host->id), id);
	host->run = RUN_INIT;
	host->yield_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	host->free_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(host->yield_fd >= 0 && host->free_fd >= 0);
	host->next = hosts->first;
	hosts->first = host;
	return host;
}

static bool try_take(const struct host *host)
{
	eventfd_t one;

	return eventfd_read(host->free_fd, &one) == 0;
}

static void drop_user(struct hosts *hosts, struct host *host)
{
	struct host **place = &hosts->first;

	host->users--;
	if (!host->forgotten || host->users > 0)
		return;
	while (*place != host)
		place = &(*place)->next;
	*place = host->next;
	host_free(host);
}

static struct host *wait_begin(struct hosts *hosts, const char *id)
{
	pthread_mutex_lock(&hosts->lock);
	struct host *host = find_or_make(hosts, id);
	host->users++;
	host->tasks_waiting++;
	eventfd_write(host->yield_fd, 1);
	pthread_mutex_unlock(&hosts->lock);
	return host;
}

static void wait_end(struct hosts *hosts, struct host *host, bool got)
{
	eventfd_t count;

	pthread_mutex_lock(&hosts->lock);
	host->tasks_waiting--;
	if (host->tasks_waiting == 0)
		eventfd_read(host->yield_fd, &count);
	if (!got)
		drop_user(hosts, host);
	pthread_mutex_unlock(&hosts->lock);
}

int host_take(
	struct hosts *hosts, const char *id, const struct wait *w, struct host **ret, struct err *e)
{
	struct host *host = wait_begin(hosts, id);
	int r = 0;

	while (!try_take(host)) {
		r = wait_fd(w, host->free_fd, POLLIN, "the host, which is being checked", e);
		if (r != 0)
			break;
	}
	wait_end(hosts, host, r == 0);
	if (r == 0)
		*ret = host;
	return r;
}

static struct host *try_take_locked(struct host *host)
{
	if (!host || host->tasks_waiting > 0 || !try_take(host))
		return NULL;
	host->users++;
	return host;
}

struct host *host_try_take(struct hosts *hosts, const char *id)
{
	pthread_mutex_lock(&hosts->lock);
	struct host *host = try_take_locked(find(hosts, id));
	pthread_mutex_unlock(&hosts->lock);
	return host;
}

struct host *host_try_take_new(struct hosts *hosts, const char *id)
{
	pthread_mutex_lock(&hosts->lock);
	struct host *host = try_take_locked(find_or_make(hosts, id));
	pthread_mutex_unlock(&hosts->lock);
	return host;
}

void host_release(struct hosts *hosts, struct host *host)
{
	pthread_mutex_lock(&hosts->lock);
	eventfd_write(host->free_fd, 1);
	drop_user(hosts, host);
	pthread_mutex_unlock(&hosts->lock);
}

void host_forget(struct hosts *hosts, struct host *host)
{
	pthread_mutex_lock(&hosts->lock);
	host->forgotten = true;
	pthread_mutex_unlock(&hosts->lock);
}

void host_set_spec(struct host *host, struct host_spec *spec)
{
	host_spec_free(host->spec);
	host->spec = spec;
	free(TAKE_PTR(host->unusable));
}

bool host_spec_refused(struct host *host, const char *why)
{
	if (host->unusable && strcmp(host->unusable, why) == 0)
		return false;
	free(host->unusable);
	host->unusable = xstrdup(why);
	return true;
}

void host_set_run(struct hosts *hosts, struct host *host, const struct run *run)
{
	struct err ignored;

	pthread_mutex_lock(&hosts->lock);
	assert(host->run.number == 0);
	host->run = *run;
	(void)!proc_pidfd(run->pid, &host->run.process_fd, &ignored);
	host->run.number = ++hosts->runs;
	host->silent_until_ms = 0;
	host->ssh = SSH_UNKNOWN;
	host->unknown.count = 0;
	host->seen = true;
	pthread_mutex_unlock(&hosts->lock);
}

struct run host_take_run(struct hosts *hosts, struct host *host)
{
	pthread_mutex_lock(&hosts->lock);
	struct run run = host->run;
	host->run = RUN_INIT;
	pthread_mutex_unlock(&hosts->lock);
	if (run.number != 0)
		hosts->on_ended(hosts->data, run.number);
	return run;
}

int hosts_namespace(struct hosts *hosts, const char *id, int *ret_fd, struct err *e)
{
	int r = 0;

	pthread_mutex_lock(&hosts->lock);
	const struct host *host = find(hosts, id);
	if (!host || host->run.number == 0)
		r = err_say(e, ENOTCONN, "the host does not run here");
	else if ((*ret_fd = fcntl(host->run.ns_fd, F_DUPFD_CLOEXEC, 0)) < 0)
		r = err_set(e, errno, "copy a namespace descriptor");
	pthread_mutex_unlock(&hosts->lock);
	return r;
}

void hosts_silence(struct hosts *hosts, const char *id, int pause_ms)
{
	pthread_mutex_lock(&hosts->lock);
	struct host *host = find(hosts, id);
	if (host)
		host->silent_until_ms = wait_now_ms() + pause_ms;
	pthread_mutex_unlock(&hosts->lock);
}

bool hosts_is_silent(struct hosts *hosts, const char *id)
{
	pthread_mutex_lock(&hosts->lock);
	const struct host *host = find(hosts, id);
	bool silent = host && host->silent_until_ms > wait_now_ms();
	pthread_mutex_unlock(&hosts->lock);
	return silent;
}

bool hosts_note_ssh(struct hosts *hosts, const char *id, bool answers)
{
	bool news = false;

	pthread_mutex_lock(&hosts->lock);
	struct host *host = find(hosts, id);
	if (host && host->run.number != 0) {
		news = host->ssh != (answers ? SSH_ANSWERS : SSH_SILENT);
		host->ssh = answers ? SSH_ANSWERS : SSH_SILENT;
	}
	pthread_mutex_unlock(&hosts->lock);
	return news;
}

void hosts_schedule_inspection(struct hosts *hosts, const char *id, int pause_ms)
{
	int64_t from_ms = wait_now_ms() + pause_ms;

	pthread_mutex_lock(&hosts->lock);
	struct host *host = find(hosts, id);
	if (host && (!host->inspection_scheduled || host->inspection_from_ms > from_ms)) {
		host->inspection_scheduled = true;
		host->inspection_from_ms = from_ms;
	}
	pthread_mutex_unlock(&hosts->lock);
}

bool hosts_queue_inspection(struct hosts *hosts, const char *id)
{
	pthread_mutex_lock(&hosts->lock);
	struct host *host = find(hosts, id);
	bool due = host && host->inspection_scheduled && !host->inspection_queued &&
		   host->inspection_from_ms <= wait_now_ms();
	if (due)
		host->inspection_queued = true;
	pthread_mutex_unlock(&hosts->lock);
	return due;
}

struct host *host_take_for_inspection(struct hosts *hosts, const char *id)
{
	struct host *host, *taken;

	pthread_mutex_lock(&hosts->lock);
	host = find(hosts, id);
	if (host)
		host->inspection_queued = false;
	taken = try_take_locked(host);
	if (taken)
		taken->inspection_scheduled = false;
	pthread_mutex_unlock(&hosts->lock);
	return taken;
}

void hosts_unqueue_inspection(struct hosts *hosts, const char *id)
{
	pthread_mutex_lock(&hosts->lock);
	struct host *host = find(hosts, id);
	if (host)
		host->inspection_queued = false;
	pthread_mutex_unlock(&hosts->lock);
}

bool hosts_know(struct hosts *hosts, const char *id)
{
	pthread_mutex_lock(&hosts->lock);
	bool known = find(hosts, id);
	pthread_mutex_unlock(&hosts->lock);
	return known;
}

size_t hosts_ids(struct hosts *hosts, host_id_text **ret)
{
	size_t count = 0;

	pthread_mutex_lock(&hosts->lock);
	for (const struct host *host = hosts->first; host; host = host->next)
		count++;
	*ret = xcalloc(count + 1, sizeof(**ret));
	count = 0;
	for (const struct host *host = hosts->first; host; host = host->next)
		memcpy((*ret)[count++], host->id, sizeof(host->id));
	pthread_mutex_unlock(&hosts->lock);
	return count;
}
