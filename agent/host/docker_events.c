// SPDX-License-Identifier: Apache-2.0
// Reads Docker's events without blocking: a Unix socket, an HTTP/1.0 answer, JSON lines.
#include "agent/host/docker_events.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/container/docker.h"
#include "agent/host/host.h"
#include "agent/host/inspect.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/wait.h"

enum { LINE_MAX_BYTES = 64 * 1024, PAUSE_FIRST_MS = 100, PAUSE_MOST_MS = 1000 };

struct docker_events {
	struct agent *agent;
	int fd;
	struct loop_source *source;
	struct loop_source *timer; // next try to connect
	int64_t pause_ms;
	bool in_body; // the header's empty line has passed
	char *line; // what has come of the current line
	size_t len;
};

static void close_stream(struct docker_events *w)
{
	loop_source_free(w->source);
	w->source = NULL;
	closep(&w->fd);
	w->fd = -1;
}

static void try_later(struct docker_events *w)
{
	close_stream(w);
	loop_timer_set(w->timer, w->pause_ms, 0);
	w->pause_ms = w->pause_ms * 2 > PAUSE_MOST_MS ? PAUSE_MOST_MS : w->pause_ms * 2;
}

static void on_event(struct docker_events *w, const char *line, size_t len)
{
	struct docker_event event;
	struct err e;

	if (docker_event_parse(line, len, &event, &e) < 0) {
		log_warning("an event of Docker's was not understood", log_err(&e));
		return;
	}
	if (event.host_id[0] != '\0')
		inspect_host(w->agent, event.host_id);
}

// One line, without its newline. False: the stream is no use.
static bool on_line(struct docker_events *w, const char *line, size_t len)
{
	if (w->in_body) {
		if (len > 0)
			on_event(w, line, len);
		return true;
	}
	if (strncmp(line, "HTTP/", 5) == 0 && (len < 12 || strncmp(line + 9, "200", 3) != 0)) {
		log_warning("Docker refuses its events", log_text("answer", line));
		return false;
	}
	if (len == 0 || (len == 1 && line[0] == '\r')) {
		w->in_body = true;
		w->pause_ms = PAUSE_FIRST_MS;
		inspect_all(w->agent);
	}
	return true;
}

static bool take_lines(struct docker_events *w)
{
	char *at = w->line, *end;

	while ((end = memchr(at, '\n', w->len - (size_t)(at - w->line))) != NULL) {
		*end = '\0';
		if (!on_line(w, at, (size_t)(end - at)))
			return false;
		at = end + 1;
	}
	w->len -= (size_t)(at - w->line);
	memmove(w->line, at, w->len);
	return w->len < LINE_MAX_BYTES;
}

static void on_readable(void *data, uint32_t events)
{
	struct docker_events *w = data;
	ssize_t n = read(w->fd, w->line + w->len, LINE_MAX_BYTES - w->len);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		w->len += (size_t)n;
	if (n <= 0 || !take_lines(w)) {
		log_warning("Docker's event stream has ended, connecting again");
		try_later(w);
	}
}

static int open_stream(struct docker_events *w, struct err *e)
{
	_cleanup_(freep) char *request =
		docker_events_request(w->agent->owner.node, w->agent->cluster);
	struct wait now = wait_for(0, -1);

	if (sock_connect_unix(w->agent->docker_socket, SOCK_STREAM, &now, &w->fd, e) != 0)
		return -1;
	if (send(w->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		return err_set(e, errno, "ask Docker for its events");
	w->len = 0;
	w->in_body = false;
	return loop_watch(w->agent->loop, w->fd, EPOLLIN, on_readable, w, &w->source, e);
}

static void on_timer(void *data)
{
	struct docker_events *w = data;
	struct err e;

	if (open_stream(w, &e) == 0)
		return;
	if (w->pause_ms == PAUSE_FIRST_MS)
		log_warning("Docker does not answer, trying again", log_err(&e));
	try_later(w);
}

int docker_events_new(struct agent *a, struct docker_events **ret, struct err *e)
{
	struct docker_events *w = xnew(struct docker_events);

	*w = (struct docker_events){.agent = a, .fd = -1, .pause_ms = PAUSE_FIRST_MS};
	if (loop_timer(a->loop, on_timer, w, &w->timer, e) < 0) {
		free(w);
		return -1;
	}
	w->line = xcalloc(1, LINE_MAX_BYTES + 1);
	*ret = w;
	return 0;
}

void docker_events_start(struct docker_events *w)
{
	if (w->fd < 0)
		loop_timer_set(w->timer, 0, 0);
}

void docker_events_free(struct docker_events *w)
{
	if (!w)
		return;
	close_stream(w);
	loop_source_free(w->timer);
	free(w->line);
	free(w);
}
