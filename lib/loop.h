// SPDX-License-Identifier: Apache-2.0
// The main loop of every program: descriptors, timers, signals, and calls posted from other
// threads.
#pragma once

#include <signal.h>
#include <stdint.h>

#include "lib/attr.h"

struct err;
struct loop;
struct loop_source;

// One thread runs the loop and is the only one that may call these functions, except loop_post and
// loop_stop. Callbacks must not block. A source may be freed in any callback, its own included.
_must_check_ int loop_new(struct loop **ret, struct err *e);
// frees what is left of its sources; posted calls that did not run are dropped
void loop_free(struct loop *loop);

// Runs until loop_stop. Returns the status given to loop_stop, or -1 with `e`.
_must_check_ int loop_run(struct loop *loop, struct err *e);
void loop_stop(struct loop *loop, int status); // from any thread; the first status wins; >= 0

// Watches a descriptor (not owned). `events` are EPOLLIN, EPOLLOUT, ... level triggered; EPOLLERR
// and EPOLLHUP always come.
_must_check_ int loop_watch(struct loop *loop, int fd, uint32_t events,
	void (*fn)(void *data, uint32_t events), void *data, struct loop_source **ret,
	struct err *e);
_must_check_ int loop_watch_events(struct loop_source *source, uint32_t events, struct err *e);

// A timer that is off until loop_timer_set. It fires after delay_ms, then each period_ms (0: once).
// Setting it again replaces what was set; delay_ms 0 fires at the next turn; missed periods come as
// one call.
_must_check_ int loop_timer(struct loop *loop, void (*fn)(void *data), void *data,
	struct loop_source **ret, struct err *e);
void loop_timer_set(struct loop_source *timer, int64_t delay_ms, int64_t period_ms);
void loop_timer_clear(struct loop_source *timer);

// Takes over a set of signals: blocks them in this thread, so call it before any other thread
// starts (they inherit the mask). SIGCHLD says only "look again": several deaths may arrive as one.
_must_check_ int loop_signals(struct loop *loop, const sigset_t *set,
	void (*fn)(void *data, int signal), void *data, struct loop_source **ret, struct err *e);

// Stops watching and frees. Closes what the loop made itself (timer, signal descriptor), not the
// caller's descriptor: call it before close(). NULL is fine.
void loop_source_free(struct loop_source *source);
void loop_source_freep(struct loop_source **source);

// From any thread: fn(data) runs on the loop, in order. Never fails and never blocks. `post`
// belongs to the loop until fn runs, and may be freed or posted again in fn.
struct loop_post {
	void (*fn)(struct loop_post *post);
	struct loop_post *next;
};
void loop_post(struct loop *loop, struct loop_post *post);
