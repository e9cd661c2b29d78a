// SPDX-License-Identifier: Apache-2.0
// When a stream that waits for more looks again: at the bell, a pause after its last look, in the end without a bell.
// uses: api/follow.c
#include "api/follow.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/wait.h"

// Neighbours that follow.c uses, with a clock of the test's.
struct loop_source {
	void (*fn)(void *data);
	void *data;
	int64_t at_ms; // -1: off
};

static int64_t now_ms;
static struct loop_post *posted; // one at most
static bool out_of_timers;

int64_t wait_now_ms(void)
{
	return now_ms;
}

int loop_timer(struct loop *loop, void (*fn)(void *data), void *data, struct loop_source **ret,
	struct err *e)
{
	(void)loop;
	if (out_of_timers)
		return err_set(e, EMFILE, "timerfd_create");
	*ret = xnew(struct loop_source);
	**ret = (struct loop_source){fn, data, -1};
	return 0;
}

void loop_timer_set(struct loop_source *timer, int64_t delay_ms, int64_t period_ms)
{
	assert_int_equal(period_ms, 0);
	timer->at_ms = now_ms + delay_ms;
}

void loop_source_freep(struct loop_source **source)
{
	free(*source);
	*source = NULL;
}

void loop_post(struct loop *loop, struct loop_post *post)
{
	(void)loop;
	assert_null(posted);
	posted = post;
}

// A stream, and how often it has looked.
struct looker {
	struct follower follower;
	int looks;
};

static void look(struct follower *follower)
{
	container_of(follower, struct looker, follower)->looks++;
}

static struct loop *const loop = (struct loop *)&now_ms; // only handed on

// Looks, and waits.
static void follow(struct looker *one, struct followers *all)
{
	struct err e;
	one->follower.look = look;
	follower_begin(&one->follower, all);
	assert_int_equal(follower_wait(&one->follower, loop, &e), 0);
}

static void run_posted(void)
{
	struct loop_post *post = TAKE_PTR(posted);
	post->fn(post);
}

// What was posted, and the timers of these that are due by then.
static void turn(int64_t to_ms, struct looker *lookers, size_t count)
{
	now_ms = to_ms;
	if (posted)
		run_posted();
	for (size_t i = 0; i < count; i++) {
		struct loop_source *timer = lookers[i].follower.timer;
		if (!timer || timer->at_ms < 0 || timer->at_ms > now_ms)
			continue;
		timer->at_ms = -1;
		timer->fn(timer->data);
	}
}

static void the_bell_lets_those_who_wait_look_once(void **state)
{
	struct followers *all = followers_new();
	struct looker lookers[3] = {0};
	(void)state;
	for (int i = 0; i < 3; i++)
		follow(&lookers[i], all);
	turn(now_ms + FOLLOW_PAUSE_MS, lookers, 3);
	assert_int_equal(lookers[0].looks, 0);
	followers_ring(all);
	followers_ring(all); // posts nothing: one post is on its way
	turn(now_ms, lookers, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(lookers[i].looks, 1);
	followers_ring(all); // they wait no longer, until they say so again
	turn(now_ms + 2 * FOLLOW_LONGEST_MS, lookers, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(lookers[i].looks, 1);
		follower_done(&lookers[i].follower);
	}
	followers_free(all);
}

static void who_has_just_looked_waits_a_pause(void **state)
{
	struct followers *all = followers_new();
	struct looker one = {0};
	(void)state;
	follow(&one, all);
	int64_t looked_ms = now_ms;
	turn(looked_ms + FOLLOW_PAUSE_MS / 2, &one, 1);
	followers_ring(all);
	turn(looked_ms + FOLLOW_PAUSE_MS - 1, &one, 1);
	assert_int_equal(one.looks, 0);
	turn(looked_ms + FOLLOW_PAUSE_MS, &one, 1);
	assert_int_equal(one.looks, 1);
	follower_done(&one.follower);
	followers_free(all);
}

static void what_rings_during_a_look_is_not_missed(void **state)
{
	struct followers *all = followers_new();
	struct looker one = {0};
	struct err e;
	(void)state;
	one.follower.look = look;
	follower_begin(&one.follower, all);
	followers_ring(all); // no loop is known yet, so nothing is posted
	assert_null(posted);
	assert_int_equal(follower_wait(&one.follower, loop, &e), 0);
	turn(now_ms + FOLLOW_PAUSE_MS - 1, &one, 1);
	assert_int_equal(one.looks, 0);
	turn(now_ms + 1, &one, 1);
	assert_int_equal(one.looks, 1);
	follower_done(&one.follower);
	followers_free(all);
}

static void without_a_bell_it_looks_in_the_end(void **state)
{
	struct followers *all = followers_new();
	struct looker one = {0};
	(void)state;
	follow(&one, all);
	turn(now_ms + FOLLOW_LONGEST_MS - 1, &one, 1);
	assert_int_equal(one.looks, 0);
	turn(now_ms + 1, &one, 1);
	assert_int_equal(one.looks, 1);
	follow(&one, all); // again, with the timer that it has
	turn(now_ms + FOLLOW_LONGEST_MS, &one, 1);
	assert_int_equal(one.looks, 2);
	follower_done(&one.follower);
	followers_free(all);
}

static void at_the_stop_all_look_at_once_and_nobody_waits_again(void **state)
{
	struct followers *all = followers_new();
	struct looker lookers[2] = {0};
	struct err e;
	(void)state;
	follow(&lookers[0], all);
	follow(&lookers[1], all);
	followers_stop(all);
	turn(now_ms, lookers, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lookers[i].looks, 1);
		follower_begin(&lookers[i].follower, all);
		assert_int_equal(follower_wait(&lookers[i].follower, loop, &e), -1);
		assert_int_equal(e.code, ECANCELED);
		follower_done(&lookers[i].follower);
	}
	followers_free(all);
}

// In every order of leaving; who stays is told, who has left is not.
static void who_has_left_is_not_called(void **state)
{
	static const int orders[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct followers *all = followers_new();
		struct looker lookers[3] = {0};
		for (int n = 0; n < 3; n++)
			follow(&lookers[n], all);
		for (int left = 0; left < 3; left++) {
			struct looker *leaver = &lookers[orders[i][left]];
			follower_done(&leaver->follower);
			follower_done(&leaver->follower); // nothing more
			int before = leaver->looks;
			followers_ring(all);
			turn(now_ms + FOLLOW_PAUSE_MS, lookers, 3);
			assert_int_equal(leaver->looks, before);
			for (int stays = left + 1; stays < 3; stays++) {
				struct looker *other = &lookers[orders[i][stays]];
				assert_int_equal(other->looks, left + 1);
				follow(other, all);
			}
		}
		followers_free(all);
	}
}

static void without_a_timer_it_does_not_wait(void **state)
{
	struct followers *all = followers_new();
	struct looker one = {0};
	struct err e;
	(void)state;
	out_of_timers = true;
	follower_begin(&one.follower, all);
	assert_int_equal(follower_wait(&one.follower, loop, &e), -1);
	assert_int_equal(e.code, EMFILE);
	out_of_timers = false;
	followers_ring(all);
	assert_null(posted);
	follower_done(&one.follower);
	followers_free(all);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bell_lets_those_who_wait_look_once),
		cmocka_unit_test(who_has_just_looked_waits_a_pause),
		cmocka_unit_test(what_rings_during_a_look_is_not_missed),
		cmocka_unit_test(without_a_bell_it_looks_in_the_end),
		cmocka_unit_test(at_the_stop_all_look_at_once_and_nobody_waits_again),
		cmocka_unit_test(who_has_left_is_not_called),
		cmocka_unit_test(without_a_timer_it_does_not_wait),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
