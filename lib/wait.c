// SPDX-License-Identifier: Apache-2.0
// Deadlines and cancellation for blocking calls.
#include "lib/wait.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

#include "lib/err.h"

int64_t wait_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t wait_now_ms(void)
{
	return wait_now_us() / 1000;
}

struct wait wait_for(int timeout_ms, int cancel_fd)
{
	return (struct wait){.until_ms = wait_now_ms() + timeout_ms, .cancel_fd = cancel_fd};
}

struct wait wait_at_most(const struct wait *w, int timeout_ms)
{
	struct wait shorter = wait_for(timeout_ms, w->cancel_fd);

	if (w->until_ms < shorter.until_ms)
		shorter.until_ms = w->until_ms;
	return shorter;
}

int wait_left_ms(const struct wait *w)
{
	int64_t left = w->until_ms - wait_now_ms();

	if (left <= 0)
		return 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}

// poll() ignores entries with a negative descriptor, so without a cancel descriptor or
// without `fd` it needs no branch.
static int wait_poll(const struct wait *w, int fd, short events, int timeout_ms, struct err *e)
{
	struct pollfd fds[] = {
		{.fd = w->cancel_fd, .events = POLLIN},
		{.fd = fd, .events = events},
	};
	int64_t until_ms = wait_now_ms() + timeout_ms;

	for (;;) {
		int ready = poll(fds, 2, timeout_ms);
		if (ready < 0 && errno != EINTR)
			return err_set(e, errno, "poll");
		if (ready > 0 && fds[0].revents) {
			err_note(e, ECANCELED, "stopped on request");
			return WAIT_CANCELED;
		}
		if (ready > 0)
			return 0;
		int64_t left = until_ms - wait_now_ms();
		if (ready == 0 || left <= 0)
			return WAIT_TIMEOUT;
		timeout_ms = (int)left;
	}
}

int wait_fd(const struct wait *w, int fd, short events, const char *what, struct err *e)
{
	int r = wait_poll(w, fd, events, wait_left_ms(w), e);

	if (r == WAIT_TIMEOUT)
		err_note(e, ETIMEDOUT, "%s did not come in time", what);
	return r;
}

int wait_pause(const struct wait *w, int pause_ms, struct err *e)
{
	int left_ms = wait_left_ms(w);
	int r = wait_poll(w, -1, 0, pause_ms < left_ms ? pause_ms : left_ms, e);

	if (r != WAIT_TIMEOUT)
		return r;
	if (pause_ms <= left_ms)
		return 0;
	err_note(e, ETIMEDOUT, "the time for waiting is over");
	return WAIT_TIMEOUT;
}
