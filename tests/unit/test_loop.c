// SPDX-License-Identifier: Apache-2.0
// The loop: descriptors, timers, signals, posts, and sources freed in callbacks.
#include "lib/loop.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/wait.h"

struct scene {
	struct loop *loop;
	struct loop_source *a, *b;
	int calls;
	int64_t at_ms;
};

static void setup(struct scene *s)
{
	struct err e;

	*s = (struct scene){0};
	assert_int_equal(loop_new(&s->loop, &e), 0);
}

static void run(struct scene *s, int status)
{
	struct err e;

	assert_int_equal(loop_run(s->loop, &e), status);
	loop_free(s->loop);
}

static void count_and_stop(void *data)
{
	struct scene *s = data;

	if (++s->calls == 3)
		loop_stop(s->loop, 7);
}

static void a_timer_fires_after_its_delay_and_then_each_period(void **state)
{
	struct scene s;
	struct err e;
	int64_t began = wait_now_ms();

	(void)state;
	setup(&s);
	assert_int_equal(loop_timer(s.loop, count_and_stop, &s, &s.a, &e), 0);
	loop_timer_set(s.a, 10, 5);
	run(&s, 7);
	assert_true(wait_now_ms() - began >= 20);
}

static void stop_now(void *data)
{
	struct scene *s = data;

	loop_stop(s->loop, 0);
}

static void a_cleared_timer_does_not_fire(void **state)
{
	struct scene s, other = {0};
	struct err e;

	(void)state;
	setup(&s);
	assert_int_equal(loop_timer(s.loop, count_and_stop, &other, &s.a, &e), 0);
	assert_int_equal(loop_timer(s.loop, stop_now, &s, &s.b, &e), 0);
	loop_timer_set(s.a, 5, 0);
	loop_timer_clear(s.a);
	loop_timer_set(s.b, 20, 0);
	run(&s, 0);
	assert_int_equal(other.calls, 0);
}

static void free_both(void *data, uint32_t events)
{
	struct scene *s = data;

	assert_true(events & EPOLLIN);
	s->calls++;
	loop_source_free(s->a);
	loop_source_free(s->b);
	loop_stop(s->loop, 0);
}

static void a_source_freed_in_a_callback_is_not_called_any_more(void **state)
{
	_cleanup_(closep) int one = eventfd(1, EFD_CLOEXEC);
	_cleanup_(closep) int two = eventfd(1, EFD_CLOEXEC);
	struct scene s;
	struct err e;

	(void)state;
	setup(&s);
	assert_int_equal(loop_watch(s.loop, one, EPOLLIN, free_both, &s, &s.a, &e), 0);
	assert_int_equal(loop_watch(s.loop, two, EPOLLIN, free_both, &s, &s.b, &e), 0);
	run(&s, 0);
	assert_int_equal(s.calls, 1);
}

static void on_signal(void *data, int signal)
{
	struct scene *s = data;

	s->calls += signal == SIGUSR1 ? 1 : 100;
	loop_stop(s->loop, 0);
}

static void signals_arrive_as_calls(void **state)
{
	struct scene s;
	struct err e;
	sigset_t set;

	(void)state;
	setup(&s);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(loop_signals(s.loop, &set, on_signal, &s, &s.a, &e), 0);
	raise(SIGUSR1);
	run(&s, 0);
	assert_int_equal(s.calls, 1);
}

enum { POSTS = 1000 };

struct numbered {
	struct loop_post post; // first: the callback gets it
	struct scene *scene;
	int number;
};

static void on_post(struct loop_post *post)
{
	struct numbered *n = (struct numbered *)(void *)post;

	assert_int_equal(n->number, n->scene->calls);
	if (++n->scene->calls == POSTS)
		loop_stop(n->scene->loop, 0);
	freep(&n);
}

static void *post_all(void *data)
{
	struct scene *s = data;

	for (int i = 0; i < POSTS; i++) {
		struct numbered *n = xnew(struct numbered);
		*n = (struct numbered){.post.fn = on_post, .scene = s, .number = i};
		loop_post(s->loop, &n->post);
	}
	return NULL;
}

static void posts_of_another_thread_run_in_order(void **state)
{
	struct scene s;
	pthread_t thread;

	(void)state;
	setup(&s);
	assert_int_equal(pthread_create(&thread, NULL, post_all, &s), 0);
	struct err e;
	assert_int_equal(loop_run(s.loop, &e), 0);
	pthread_join(thread, NULL);
	loop_free(s.loop);
	assert_int_equal(s.calls, POSTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_fires_after_its_delay_and_then_each_period),
		cmocka_unit_test(a_cleared_timer_does_not_fire),
		cmocka_unit_test(a_source_freed_in_a_callback_is_not_called_any_more),
		cmocka_unit_test(signals_arrive_as_calls),
		cmocka_unit_test(posts_of_another_thread_run_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
