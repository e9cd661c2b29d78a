// SPDX-License-Identifier: Apache-2.0
// Docker's event stream, on the main loop: each event has its host inspected.
#include "agent/host/docker_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/container/docker.h"
#include "agent/container/event_stream.h"
#include "agent/host/host.h"
#include "agent/host/inspect.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/wait.h"

enum { PAUSE_FIRST_MS = 100, PAUSE_MOST_MS = 1000 };

struct docker_events {
	struct agent *agent;
	int fd;
	struct loop_source *source;
	struct loop_source *timer; // next try to connect
	int64_t pause_ms;
	struct event_stream stream;
};

static void close_stream(struct docker_events *events)
{
	loop_source_free(events->source);
	events->source = NULL;
	closep(&events->fd);
	events->fd = -1;
}

static void try_later(struct docker_events *events)
{
	close_stream(events);
	loop_timer_set(events->timer, events->pause_ms, 0);
	events->pause_ms =
		events->pause_ms * 2 > PAUSE_MOST_MS ? PAUSE_MOST_MS : events->pause_ms * 2;
}

static void on_event(struct docker_events *events, const char *line, size_t len)
{
	struct docker_event event;
	struct err e;

	if (docker_event_parse(line, len, &event, &e) < 0) {
		log_warning("an event of Docker's was not understood", log_err(&e));
		return;
	}
	if (event.host_id[0] != '\0')
		inspect_host(events->agent, event.host_id);
}

// Acts on all that has come. -1: the stream is of no use any more.
static int take_events(struct docker_events *events, struct err *e)
{
	const char *line;
	size_t len;
	int r;
	while ((r = event_stream_next(&events->stream, &line, &len, e)) > 0) {
		if (r == STREAM_LINE) {
			on_event(events, line, len);
		} else { // STREAM_BEGUN
			events->pause_ms = PAUSE_FIRST_MS;
			inspect_all(events->agent);
		}
	}
	return r;
}

static void on_readable(void *data, uint32_t ready)
{
	struct docker_events *events = data;
	struct err e;
	size_t room;
	char *space = event_stream_space(&events->stream, &room);
	ssize_t n = read(events->fd, space, room);

	(void)ready;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		err_note(&e, n < 0 ? errno : ECONNRESET, "Docker closed the connection");
	else
		event_stream_added(&events->stream, (size_t)n);
	if (n <= 0 || take_events(events, &e) < 0) {
		log_warning("Docker's event stream has ended, connecting again", log_err(&e));
		try_later(events);
	}
}

static int open_stream(struct docker_events *events, struct err *e)
{
	_cleanup_(freep) char *request =
		docker_events_request(events->agent->owner.node, events->agent->cluster);
	struct wait now = wait_for(0, -1);

	if (sock_connect_unix(events->agent->docker_socket, SOCK_STREAM, &now, &events->fd, e) != 0)
		return -1;
	if (send(events->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		return err_set(e, errno, "ask Docker for its events");
	event_stream_init(&events->stream);
	return loop_watch(
		events->agent->loop, events->fd, EPOLLIN, on_readable, events, &events->source, e);
}

static void on_timer(void *data)
{
	struct docker_events *events = data;
	struct err e;

	if (open_stream(events, &e) == 0)
		return;
	if (events->pause_ms == PAUSE_FIRST_MS)
		log_warning("Docker does not answer, trying again", log_err(&e));
	try_later(events);
}

int docker_events_new(struct agent *a, struct docker_events **ret, struct err *e)
{
	struct docker_events *events = xnew(struct docker_events);

	*events = (struct docker_events){.agent = a, .fd = -1, .pause_ms = PAUSE_FIRST_MS};
	if (loop_timer(a->loop, on_timer, events, &events->timer, e) < 0) {
		free(events);
		return -1;
	}
	*ret = events;
	return 0;
}

void docker_events_start(struct docker_events *events)
{
	if (events->fd < 0)
		loop_timer_set(events->timer, 0, 0);
}

void docker_events_free(struct docker_events *events)
{
	if (!events)
		return;
	close_stream(events);
	loop_source_free(events->timer);
	free(events);
}
