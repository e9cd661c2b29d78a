// SPDX-License-Identifier: Apache-2.0
// epoll, timerfd, signalfd, eventfd.
#include "lib/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

enum { EVENTS_PER_TURN = 64, STATUS_RUNNING = -1 };

struct loop_source {
	struct loop *loop;
	int fd;
	bool owns_fd;
	bool dead; // freed while its event may still be in the turn's batch
	void (*ready)(struct loop_source *source, uint32_t events);
	union {
		void (*watch)(void *data, uint32_t events);
		void (*timer)(void *data);
		void (*signal)(void *data, int signal);
	} fn;
	void *data;
	struct loop_source *prev, *next;
};

struct loop {
	int epoll_fd;
	int wake_fd;
	struct loop_source *sources; // alive
	struct loop_source *dead; // memory is freed between two turns
	pthread_mutex_t lock; // posts
	struct loop_post *first, **last;
	atomic_int status;
};

int loop_new(struct loop **ret, struct err *e)
{
	_cleanup_(closep) int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		return err_set(e, errno, "epoll_create1");
	_cleanup_(closep) int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		return err_set(e, errno, "eventfd");
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) < 0)
		return err_set(e, errno, "epoll_ctl");
	struct loop *loop = xnew(struct loop);
	loop->epoll_fd = TAKE_FD(epoll_fd);
	loop->wake_fd = TAKE_FD(wake_fd);
	pthread_mutex_init(&loop->lock, NULL);
	loop->last = &loop->first;
	loop->status = STATUS_RUNNING;
	*ret = loop;
	return 0;
}

static void free_dead(struct loop *loop)
{
	while (loop->dead) {
		struct loop_source *source = loop->dead;
		loop->dead = source->next;
		free(source);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->sources)
		loop_source_free(loop->sources);
	free_dead(loop);
	close(loop->epoll_fd);
	close(loop->wake_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static void wake(struct loop *loop)
{
	uint64_t one = 1;

	// Fails only when the counter is full, and then the loop wakes anyway.
	(void)!write(loop->wake_fd, &one, sizeof(one));
}

void loop_post(struct loop *loop, struct loop_post *post)
{
	post->next = NULL;
	pthread_mutex_lock(&loop->lock);
	bool was_empty = !loop->first;
	*loop->last = post;
	loop->last = &post->next;
	pthread_mutex_unlock(&loop->lock);
	if (was_empty)
		wake(loop);
}

static void run_posts(struct loop *loop)
{
	uint64_t count;

	(void)!read(loop->wake_fd, &count, sizeof(count));
	pthread_mutex_lock(&loop->lock);
	struct loop_post *post = loop->first;
	loop->first = NULL;
	loop->last = &loop->first;
	pthread_mutex_unlock(&loop->lock);
	while (post) {
		struct loop_post *next = post->next; // fn may free the post
		post->fn(post);
		post = next;
	}
}

int loop_run(struct loop *loop, struct err *e)
{
	struct epoll_event events[EVENTS_PER_TURN];

	while (loop->status == STATUS_RUNNING) {
		int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, -1);
		if (count < 0 && errno != EINTR)
			return err_set(e, errno, "epoll_wait");
		for (int i = 0; i < count && loop->status == STATUS_RUNNING; i++) {
			struct loop_source *source = events[i].data.ptr;
			if (!source)
				run_posts(loop);
			else if (!source->dead)
				source->ready(source, events[i].events);
		}
		free_dead(loop);
	}
	return loop->status;
}

void loop_stop(struct loop *loop, int status)
{
	int running = STATUS_RUNNING;

	assert(status >= 0);
	atomic_compare_exchange_strong(&loop->status, &running, status);
	wake(loop);
}

// On success the source owns `fd` when `owns_fd` says so; on failure nothing is taken.
static int add_source(struct loop *loop, int fd, uint32_t interest, const struct loop_source *model,
	struct loop_source **ret, struct err *e)
{
	struct loop_source *source = xnew(struct loop_source);

	*source = *model;
	source->loop = loop;
	source->fd = fd;
	struct epoll_event event = {.events = interest, .data.ptr = source};
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(source);
		return err_set(e, errno, "watch descriptor %d", fd);
	}
	source->next = loop->sources;
	if (source->next)
		source->next->prev = source;
	loop->sources = source;
	*ret = source;
	return 0;
}

static void watch_ready(struct loop_source *source, uint32_t events)
{
	source->fn.watch(source->data, events);
}

int loop_watch(struct loop *loop, int fd, uint32_t events, void (*fn)(void *data, uint32_t events),
	void *data, struct loop_source **ret, struct err *e)
{
	const struct loop_source model = {.ready = watch_ready, .fn.watch = fn, .data = data};

	return add_source(loop, fd, events, &model, ret, e);
}

int loop_watch_events(struct loop_source *source, uint32_t events, struct err *e)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0)
		return err_set(e, errno, "watch descriptor %d", source->fd);
	return 0;
}

static void timer_ready(struct loop_source *source, uint32_t events)
{
	uint64_t expirations;

	(void)events;
	// Nothing to read: the timer was set again after this turn's events were collected.
	if (read(source->fd, &expirations, sizeof(expirations)) == sizeof(expirations))
		source->fn.timer(source->data);
}

int loop_timer(struct loop *loop, void (*fn)(void *data), void *data, struct loop_source **ret,
	struct err *e)
{
	const struct loop_source model = {
		.ready = timer_ready, .fn.timer = fn, .data = data, .owns_fd = true};
	_cleanup_(closep) int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return err_set(e, errno, "timerfd_create");
	if (add_source(loop, fd, EPOLLIN, &model, ret, e) < 0)
		return -1;
	(void)TAKE_FD(fd);
	return 0;
}

static struct timespec to_timespec(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

void loop_timer_set(struct loop_source *timer, int64_t delay_ms, int64_t period_ms)
{
	struct itimerspec when = {
		.it_value = to_timespec(delay_ms), .it_interval = to_timespec(period_ms)};

	assert(timer->ready == timer_ready && delay_ms >= 0 && period_ms >= 0);
	if (delay_ms == 0)
		when.it_value.tv_nsec = 1; // 0 would switch it off
	if (timerfd_settime(timer->fd, 0, &when, NULL) < 0)
		abort(); // only for bad arguments
}

void loop_timer_clear(struct loop_source *timer)
{
	const struct itimerspec never = {0};

	if (timerfd_settime(timer->fd, 0, &never, NULL) < 0)
		abort();
}

static void signal_ready(struct loop_source *source, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	while (!source->dead && read(source->fd, &info, sizeof(info)) == sizeof(info))
		source->fn.signal(source->data, (int)info.ssi_signo);
}

int loop_signals(struct loop *loop, const sigset_t *set, void (*fn)(void *data, int signal),
	void *data, struct loop_source **ret, struct err *e)
{
	const struct loop_source model = {
		.ready = signal_ready, .fn.signal = fn, .data = data, .owns_fd = true};
	_cleanup_(closep) int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return err_set(e, errno, "signalfd");
	int failed = pthread_sigmask(SIG_BLOCK, set, NULL);
	if (failed)
		return err_set(e, failed, "block signals");
	if (add_source(loop, fd, EPOLLIN, &model, ret, e) < 0)
		return -1;
	(void)TAKE_FD(fd);
	return 0;
}

void loop_source_free(struct loop_source *source)
{
	if (!source)
		return;
	struct loop *loop = source->loop;
	// EBADF: the caller closed it first, then the kernel has forgotten it already.
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->owns_fd)
		close(source->fd);
	if (source->prev)
		source->prev->next = source->next;
	else
		loop->sources = source->next;
	if (source->next)
		source->next->prev = source->prev;
	source->dead = true;
	source->next = loop->dead;
	loop->dead = source;
}

void loop_source_freep(struct loop_source **source)
{
	loop_source_free(*source);
}
