// SPDX-License-Identifier: Apache-2.0
// Accepts, expires, stops.
#include "api/server.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "api/app.h"
#include "api/connection.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/sock.h"
#include "lib/source.h"
#include "lib/wait.h"

enum {
	ACCEPTS_MAX = 16, // a turn of the loop
	PAUSE_MS = 500, // without accepting, when descriptors have run out
	TICK_MS = 1000,
	SILENT_MS = 2000, // without a whole request
	LAST_ANSWERS_MS = 1000, // at stop, for what is being sent
	LAST_TICK_MS = 10,
	// What the kernel keeps of answers that a client does not take. It would take megabytes for each,
	// of memory that all TCP connections of the machine share (tcp_mem).
	SEND_BUFFER_BYTES = 64 * 1024,
};

struct listener {
	struct server *server;
	bool is_monitor;
	int fd;
	struct loop_source *accept, *pause;
};

struct server {
	struct connections connections;
	struct listener listeners[SERVER_LISTENERS];
	pthread_t thread;
	struct loop_source *tick;
	struct loop_post quiesce, end;
	int64_t end_ms; // 0: not ending
};

// Those whose requests are worked on, or whose answers go out, stay. An answer that its client does not
// take does not go out.
static bool may_leave(const struct connection *c)
{
	return c->phase == CONNECTION_HEAD || c->phase == CONNECTION_BODY ||
	       c->phase == CONNECTION_LINGER ||
	       (c->phase == CONNECTION_SEND && c->interest == EPOLLOUT);
}

// Ends one, so that there is a place. false: all are in use.
static bool make_room(struct connections *all)
{
	static struct source_place places[SERVER_CONNECTIONS_MAX];
	static struct connection *connections[SERVER_CONNECTIONS_MAX];
	int64_t now_ms = wait_now_ms();
	size_t count = 0;
	for (struct connection *c = all->first; c; c = c->next) {
		if (!may_leave(c))
			continue;
		places[count] = (struct source_place){
			c->source, now_ms - c->since_ms >= SILENT_MS, c->since_ms};
		connections[count++] = c;
	}
	if (count == 0)
		return false;
	connection_end(connections[source_leaver(places, count)]);
	return true;
}

static size_t count_of_address(const struct connections *all, struct source source)
{
	size_t count = 0;
	for (const struct connection *c = all->first; c; c = c->next)
		count += c->source.network == source.network && c->source.address == source.address;
	return count;
}

static int serve(const struct listener *listener, int *fd, struct err *e)
{
	struct connections *all = &listener->server->connections;
	struct addr address;
	if (sock_remote_address(*fd, &address, e) < 0 || sock_nodelay(*fd, e) < 0)
		return 0; // hung up already
	if (count_of_address(all, source_of(&address)) >= SERVER_PER_ADDRESS_MAX ||
		(all->count >= SERVER_CONNECTIONS_MAX && !make_room(all)))
		return 0;
	if (connection_new(all, *fd, &address, listener->is_monitor, e) < 0)
		return -1;
	*fd = -1;
	return 0;
}

static void accept_again(void *data)
{
	struct listener *listener = data;
	struct err e;
	if (listener->accept && loop_watch_events(listener->accept, EPOLLIN, &e) < 0)
		abort(); // a descriptor that is watched
}

// Accepting on would only spin: connections stay in the backlog until something is freed.
static void accept_pause(struct listener *listener, const struct err *why)
{
	struct err e;
	log_warning_often("a connection was not served", log_err(why));
	if (loop_watch_events(listener->accept, 0, &e) == 0)
		loop_timer_set(listener->pause, PAUSE_MS, 0);
}

static void on_connection(void *data, uint32_t events)
{
	struct listener *listener = data;
	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		_cleanup_(closep) int fd = -1;
		struct err e;
		int r = sock_accept(listener->fd, &fd, &e);
		if (r == SOCK_NONE)
			return;
		if (r < 0 || serve(listener, &fd, &e) < 0) {
			accept_pause(listener, &e);
			return;
		}
	}
}

static void on_tick(void *data)
{
	struct server *server = data;
	int64_t now_ms = wait_now_ms();
	bool is_sending = false;
	struct connection *next;
	for (struct connection *c = server->connections.first; c; c = next) {
		next = c->next;
		if (c->deadline_ms < now_ms)
			connection_end(c);
		else
			is_sending |= c->phase == CONNECTION_SEND || c->phase == CONNECTION_WORK;
	}
	if (server->end_ms != 0 && (!is_sending || server->end_ms < now_ms))
		loop_stop(server->connections.loop, EXIT_SUCCESS);
}

static void on_quiesce(struct loop_post *post)
{
	struct server *server = container_of(post, struct server, quiesce);
	for (int i = 0; i < SERVER_LISTENERS; i++) {
		struct listener *listener = &server->listeners[i];
		loop_source_free(TAKE_PTR(listener->accept));
		closep(&listener->fd);
		listener->fd = -1;
	}
	server->connections.stopping = true;
}

static void on_end(struct loop_post *post)
{
	struct server *server = container_of(post, struct server, end);
	server->end_ms = wait_now_ms() + LAST_ANSWERS_MS;
	loop_timer_set(server->tick, 0, LAST_TICK_MS);
}

static void *thread_main(void *data)
{
	struct server *server = data;
	struct err e;
	proc_set_name("http");
	if (loop_run(server->connections.loop, &e) < 0) {
		log_error("the HTTP thread failed", log_err(&e));
		abort();
	}
	return NULL;
}

static int listener_begin(struct listener *listener, struct err *e)
{
	struct loop *loop = listener->server->connections.loop;
	if (sock_send_buffer(listener->fd, SEND_BUFFER_BYTES, e) < 0 ||
		loop_watch(loop, listener->fd, EPOLLIN, on_connection, listener, &listener->accept,
			e) < 0)
		return -1;
	return loop_timer(loop, accept_again, listener, &listener->pause, e);
}

static int fill(struct server *server, struct err *e)
{
	for (int i = 0; i < SERVER_LISTENERS; i++)
		if (server->listeners[i].fd >= 0 && listener_begin(&server->listeners[i], e) < 0)
			return -1;
	if (loop_timer(server->connections.loop, on_tick, server, &server->tick, e) < 0)
		return -1;
	loop_timer_set(server->tick, TICK_MS, TICK_MS);
	int failed = pthread_create(&server->thread, NULL, thread_main, server);
	return failed ? err_set(e, failed, "start the HTTP thread") : 0;
}

int server_new(struct app *app, const int listen_fds[static SERVER_LISTENERS], struct server **ret,
	struct err *e)
{
	struct server *server = xnew(struct server);
	for (int i = 0; i < SERVER_LISTENERS; i++)
		server->listeners[i] = (struct listener){
			.server = server, .is_monitor = i == SERVER_MONITOR, .fd = listen_fds[i]};
	server->connections.app = app;
	server->quiesce.fn = on_quiesce;
	server->end.fn = on_end;
	if (loop_new(&server->connections.loop, e) == 0 && fill(server, e) == 0) {
		*ret = server;
		return 0;
	}
	loop_free(server->connections.loop);
	free(server);
	return -1;
}

void server_quiesce(struct server *server)
{
	loop_post(server->connections.loop, &server->quiesce);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	loop_post(server->connections.loop, &server->end);
	pthread_join(server->thread, NULL);
	while (server->connections.first) { // the pools have ended
		server->connections.first->phase = CONNECTION_SEND;
		connection_end(server->connections.first);
	}
	loop_free(server->connections.loop);
	for (int i = 0; i < SERVER_LISTENERS; i++)
		closep(&server->listeners[i].fd);
	free(server);
}
