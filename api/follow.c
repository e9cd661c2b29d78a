// SPDX-License-Identifier: Apache-2.0
// A list of those who wait, each with a timer.
#include "api/follow.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

struct followers {
	_Atomic(struct loop *) loop; // the HTTP thread's, from the first that waits on
	atomic_uint rings;
	atomic_bool rung; // the post is on its way
	atomic_bool stopping;
	struct loop_post post;
	struct follower *first;
};

static void unlink_one(struct follower *f)
{
	if (!f->waits)
		return;
	f->waits = false;
	if (f->prev)
		f->prev->next = f->next;
	else
		f->all->first = f->next;
	if (f->next)
		f->next->prev = f->prev;
	f->next = f->prev = NULL;
}

static void on_timer(void *data)
{
	struct follower *f = data;
	unlink_one(f);
	f->look(f);
}

// At once, unless it has just looked.
static void look_soon(struct follower *f)
{
	int64_t left_ms = f->looked_ms + FOLLOW_PAUSE_MS - wait_now_ms();
	bool at_once = left_ms <= 0 || atomic_load(&f->all->stopping);
	loop_timer_set(f->timer, at_once ? 0 : left_ms, 0);
}

static void on_ring(struct loop_post *post)
{
	struct followers *all = container_of(post, struct followers, post);
	atomic_store(&all->rung, false);
	for (struct follower *f = all->first; f; f = f->next)
		look_soon(f);
}

struct followers *followers_new(void)
{
	struct followers *all = xnew(struct followers);
	all->post.fn = on_ring;
	return all;
}

void followers_free(struct followers *all)
{
	free(all);
}

void followers_ring(struct followers *all)
{
	atomic_fetch_add(&all->rings, 1);
	struct loop *loop = atomic_load(&all->loop);
	if (loop && !atomic_exchange(&all->rung, true))
		loop_post(loop, &all->post);
}

void followers_stop(struct followers *all)
{
	atomic_store(&all->stopping, true);
	followers_ring(all);
}

void follower_begin(struct follower *f, struct followers *all)
{
	f->all = all;
	f->rings = atomic_load(&all->rings);
	f->looked_ms = wait_now_ms();
}

int follower_wait(struct follower *f, struct loop *loop, struct err *e)
{
	struct followers *all = f->all;
	if (!f->timer && loop_timer(loop, on_timer, f, &f->timer, e) < 0)
		return -1;
	atomic_store(&all->loop, loop);
	if (atomic_load(&all->stopping))
		return err_say(e, ECANCELED, "the program stops");
	f->waits = true;
	f->prev = NULL;
	f->next = all->first;
	if (f->next)
		f->next->prev = f;
	all->first = f;
	if (atomic_load(&all->rings) != f->rings)
		look_soon(f);
	else
		loop_timer_set(f->timer, FOLLOW_LONGEST_MS, 0);
	return 0;
}

void follower_done(struct follower *f)
{
	unlink_one(f);
	loop_source_freep(&f->timer);
}
