// SPDX-License-Identifier: Apache-2.0
// The glue between libmicrohttpd and requests.
#include "api/server.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/app.h"
#include "api/reply.h"
#include "api/request.h"
#include "api/work.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum {
	MEMORY_PER_CONNECTION = 32 * 1024,
	LAST_ANSWERS_MS = 1000, // at stop, for what is being sent
};

// A connection, in a list so that its deadlines can be kept from the main loop.
struct peer {
	int fd;
	_Atomic int64_t deadline_ms;
	char address[64];
	struct peer *next, *prev;
};

struct server {
	struct app *app;
	struct MHD_Daemon *daemon;
	int quiet_fd; // from server_quiesce, to be closed
	pthread_mutex_t lock; // of what follows
	struct peer *peers;
	unsigned requests; // begun, and their answers not yet sent
	pthread_cond_t idle; // there is none
};

static void peer_deadline(struct peer *peer, int seconds)
{
	peer->deadline_ms = seconds > 0 ? wait_now_ms() + seconds * 1000 : INT64_MAX;
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

static void peer_address(const struct sockaddr *address, char ret[static 64])
{
	socklen_t len = address->sa_family == AF_INET ? sizeof(struct sockaddr_in)
						      : sizeof(struct sockaddr_in6);
	if (getnameinfo(address, len, ret, 64, NULL, 0, NI_NUMERICHOST) != 0)
		snprintf(ret, 64, "0.0.0.0");
	if (strncmp(ret, "::ffff:", 7) == 0)
		memmove(ret, ret + 7, strlen(ret + 7) + 1);
	ret[strcspn(ret, "%")] = '\0';
}

static void peer_open(
	struct server *server, struct MHD_Connection *connection, void **socket_context)
{
	struct peer *peer = xnew(struct peer);
	peer->fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	peer_address(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			     ->client_addr,
		peer->address);
	peer_deadline(peer, SERVER_HEAD_S);
	pthread_mutex_lock(&server->lock);
	peer->next = server->peers;
	if (peer->next)
		peer->next->prev = peer;
	server->peers = peer;
	pthread_mutex_unlock(&server->lock);
	*socket_context = peer;
}

// MHD calls this before it closes the descriptor, so under the lock a listed descriptor is always
// the peer's.
static void peer_close(struct server *server, struct peer *peer)
{
	pthread_mutex_lock(&server->lock);
	if (peer->prev)
		peer->prev->next = peer->next;
	else
		server->peers = peer->next;
	if (peer->next)
		peer->next->prev = peer->prev;
	pthread_mutex_unlock(&server->lock);
	free(peer);
}

static void on_connection(void *data, struct MHD_Connection *connection, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		peer_open(data, connection, socket_context);
	else
		peer_close(data, *socket_context);
}

static void *on_uri(void *data, const char *uri, struct MHD_Connection *connection)
{
	struct server *server = data;
	pthread_mutex_lock(&server->lock);
	server->requests++;
	pthread_mutex_unlock(&server->lock);
	return request_new(server->app, connection, uri);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (value && *value != '\0' && MHD_add_response_header(response, name, value) != MHD_YES)
		abort(); // out of memory is the only way
}

static enum MHD_Result send_reply(struct request *r)
{
	struct reply *reply = &r->reply;
	struct MHD_Response *response = reply_response(reply);
	char retry_after[16] = "";
	if (reply->retry_after_s > 0)
		snprintf(retry_after, sizeof(retry_after), "%d", reply->retry_after_s);
	add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
	add_header(response, "X-Request-Id", r->head.id);
	add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	add_header(response, "X-Content-Type-Options", "nosniff");
	add_header(response, MHD_HTTP_HEADER_ETAG, reply->etag);
	add_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow);
	add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, retry_after);
	add_header(
		response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, reply->status == 401 ? "Bearer" : NULL);
	peer_deadline(r->peer, SERVER_SEND_S);
	enum MHD_Result queued = MHD_queue_response(r->connection, reply->status, response);
	MHD_destroy_response(response);
	return queued;
}

static void begin_work(struct request *r)
{
	r->state = REQUEST_WORKING;
	r->work.wait = wait_for(REQUEST_WORK_MS, -1);
	peer_deadline(r->peer, 0);
	MHD_suspend_connection(r->connection);
	work_continue(r->app, r);
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context)
{
	struct request *r = *context;
	(void)data;
	(void)url;
	(void)connection;
	if (r->state == REQUEST_NEW) {
		r->peer = peer_of(connection);
		r->head.method = method;
		r->head.is_http10 = strcmp(version, "HTTP/1.0") == 0;
		memcpy(r->head.address, r->peer->address, sizeof(r->head.address));
		peer_deadline(r->peer, SERVER_BODY_S);
		request_head(r);
		return r->state == REQUEST_ANSWERED ? send_reply(r) : MHD_YES;
	}
	if (r->state == REQUEST_BODY) {
		if (*upload_size > 0) {
			request_body(r, upload, *upload_size);
			*upload_size = 0;
			return MHD_YES;
		}
		request_complete(r);
		if (r->state != REQUEST_ANSWERED) {
			begin_work(r);
			return MHD_YES;
		}
	}
	return r->state == REQUEST_ANSWERED ? send_reply(r) : MHD_YES;
}

// One line a request; probes that succeed would only drown the others. Never the query: it is the
// client's.
static void log_request(const struct request *r)
{
	if (r->route && r->route->inline_handler && r->reply.status < 400)
		return;
	char path[201] = "";
	strncat(path, r->head.path, sizeof(path) - 1);
	log_info("request", log_text("method", r->head.method), log_text("path", path),
		log_number("status", r->reply.status),
		log_number("us", wait_now_us() - r->began_us), log_text("request_id", r->head.id),
		log_text("address", r->head.address), log_text("user", r->caller.claims.user_id));
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode code)
{
	struct server *server = data;
	struct request *r = *context;
	(void)code;
	if (!r)
		return;
	struct peer *peer = peer_of(connection);
	if (peer)
		peer_deadline(peer, SERVER_HEAD_S);
	if (r->head.method)
		log_request(r);
	request_free(r);
	*context = NULL;
	pthread_mutex_lock(&server->lock);
	if (--server->requests == 0)
		pthread_cond_signal(&server->idle);
	pthread_mutex_unlock(&server->lock);
}

// Paths and queries are decoded by our own parser, once.
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *text)
{
	(void)data;
	(void)connection;
	return strlen(text);
}

_printf_(2, 0) static void on_mhd_message(void *data, const char *format, va_list arguments)
{
	char text[256];
	(void)data;
	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http library", log_text("message", text));
}

int server_new(struct app *app, int listen_fd, struct server **ret, struct err *e)
{
	struct server *server = xnew(struct server);
	server->app = app;
	server->quiet_fd = -1;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->idle, NULL);
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
						  MHD_USE_ITC | MHD_USE_ERROR_LOG,
		0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_message, NULL,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)SERVER_CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)SERVER_PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY_PER_CONNECTION, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_URI_LOG_CALLBACK,
		on_uri, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_END);
	if (!server->daemon) {
		free(server);
		return err_say(e, EIO, "the HTTP server does not start");
	}
	*ret = server;
	return 0;
}

void server_resume(struct request *r)
{
	MHD_resume_connection(r->connection);
}

void server_expire(struct server *server)
{
	int64_t now_ms = wait_now_ms();
	pthread_mutex_lock(&server->lock);
	for (struct peer *peer = server->peers; peer; peer = peer->next)
		if (peer->deadline_ms < now_ms)
			shutdown(peer->fd, SHUT_RDWR); // MHD sees the end and closes
	pthread_mutex_unlock(&server->lock);
}

void server_quiesce(struct server *server)
{
	server->quiet_fd = MHD_quiesce_daemon(server->daemon);
}

// MHD_stop_daemon closes connections whatever they have still to send.
static void wait_idle(struct server *server)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LAST_ANSWERS_MS / 1000;
	pthread_mutex_lock(&server->lock);
	while (server->requests > 0 &&
		pthread_cond_clockwait(&server->idle, &server->lock, CLOCK_MONOTONIC, &until) == 0)
		;
	pthread_mutex_unlock(&server->lock);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	wait_idle(server);
	MHD_stop_daemon(server->daemon);
	if (server->quiet_fd >= 0)
		close(server->quiet_fd);
	free(server);
}
