// SPDX-License-Identifier: Apache-2.0
// Asks the agent for a connected socket in a container.
#include "lib/dialer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/wait.h"

struct dialer {
	int fd;
	struct loop_source *source, *timer;
	dialer_done *done;
	void *data;
};

static void dialer_free(struct dialer *d)
{
	loop_source_free(d->source);
	loop_source_free(d->timer);
	closep(&d->fd);
	free(d);
}

static void dialer_freep(struct dialer **d)
{
	if (*d)
		dialer_free(*d);
}

static void finish(struct dialer *d, const struct dial_reply *reply, int fds[static DIAL_FD_COUNT])
{
	dialer_done *done = d->done;
	void *data = d->data;
	dialer_free(d);
	done(data, reply, fds);
}

static void on_reply(void *data, uint32_t events)
{
	struct dialer *d = data;
	struct wait now = wait_for(0, -1);
	int fds[DIAL_FD_COUNT] = {-1, -1};
	struct dial_reply reply;
	size_t count = 0;
	struct err e;
	(void)events;
	int r = sock_recv(d->fd, &reply, sizeof(reply), fds, DIAL_FD_COUNT, &count, &now, &e);
	if (r == WAIT_TIMEOUT)
		return;
	if (r == 0 && dial_reply_is_valid(&reply, count)) {
		finish(d, &reply, fds);
		return;
	}
	for (size_t i = 0; r == 0 && i < count; i++)
		close(fds[i]);
	finish(d, NULL, (int[DIAL_FD_COUNT]){-1, -1});
}

static void on_timeout(void *data)
{
	finish(data, NULL, (int[DIAL_FD_COUNT]){-1, -1});
}

int dialer_start(struct loop *loop, const char *path, const char *session_id, dialer_done *done,
	void *data, struct dialer **ret, struct err *e)
{
	_cleanup_(dialer_freep) struct dialer *d = xnew(struct dialer);
	struct dial_request request = {.magic = DIAL_MAGIC, .port = DIAL_PORT_SSH};
	struct wait now = wait_for(0, -1);
	d->fd = -1;
	d->done = done;
	d->data = data;
	if (!text_copy(request.session_id, sizeof(request.session_id), session_id))
		return err_say(e, EINVAL, "the session's id is too long");
	int r = sock_connect_unix(path, SOCK_SEQPACKET, &now, &d->fd, e);
	if (r == 0)
		r = sock_send(d->fd, &request, sizeof(request), NULL, 0, &now, e);
	if (r != 0)
		return err_wrap(e, "call the agent");
	if (loop_watch(loop, d->fd, EPOLLIN, on_reply, d, &d->source, e) < 0 ||
		loop_timer(loop, on_timeout, d, &d->timer, e) < 0)
		return -1;
	loop_timer_set(d->timer, DIALER_TIMEOUT_MS, 0);
	*ret = TAKE_PTR(d);
	return 0;
}

void dialer_cancel(struct dialer *d)
{
	if (d)
		dialer_free(d);
}
