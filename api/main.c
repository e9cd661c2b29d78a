// SPDX-License-Identifier: Apache-2.0
// ccp-api: HTTP in front of SQL.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/app.h"
#include "api/command.h"
#include "api/connection.h"
#include "api/docs.h"
#include "api/follow.h"
#include "api/health.h"
#include "api/live.h"
#include "api/server.h"
#include "api/startup.h"
#include "api/token.h"
#include "api/waiters.h"
#include "lib/addr.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/sock.h"

enum { BACKLOG = 1024, STOP_MS = 5000 };

static bool prints_document;
static struct addr_port listen_address = {.addr = ADDR_V4(127, 0, 0, 1), .port = 8080};
static struct addr_port metrics_address; // port 0: nowhere
static const struct args_option options[] = {
	{.name = "listen",
		.type = ARGS_ADDRESS,
		.value = &listen_address,
		.arg = "ADDR:PORT",
		.help = "where HTTP is served (default 127.0.0.1:8080)"},
	{.name = "listen-metrics",
		.type = ARGS_ADDRESS,
		.value = &metrics_address,
		.arg = "ADDR:PORT",
		.help = "where Prometheus gets GET /metrics, and nothing else is (default: nowhere)"},
	{.name = "openapi",
		.type = ARGS_FLAG,
		.value = &prints_document,
		.help = "print the OpenAPI document and leave; the database must be there"},
	{0},
};
static const char held_channel[] = "ccp_api"; // keys or a setting that we hold have changed
static int listen_fds[SERVER_LISTENERS] = {-1, -1};

static void each_second(void *data)
{
	struct app *app = data;
	health_look(app);
	startup_if_due(app);
	waiters_expire(app, false);
	waiters_ring(app); // a doorbell may be lost
}

static int configure(struct service *s, struct err *e)
{
	if (!prints_document)
		return 0;
	char *document;
	if (startup_document(s->database, &document, e) < 0)
		return -1;
	bool printed = puts(document) >= 0 && fflush(stdout) == 0;
	free(document);
	exit(printed ? EXIT_SUCCESS : EXIT_FAILURE);
}

static int listen_http(struct service *s, struct err *e)
{
	(void)s;
	if (sock_listen_tcp(&listen_address, BACKLOG, &listen_fds[SERVER_USERS], e) < 0)
		return -1;
	if (metrics_address.port == 0)
		return 0;
	return sock_listen_tcp(&metrics_address, BACKLOG, &listen_fds[SERVER_MONITOR], e);
}

static int start(struct service *s, struct err *e)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct app *app = xnew(struct app);
	app->service = s;
	app->resume = connection_resume;
	app->wait = waiters_join;
	s->data = app;
	pthread_mutex_init(&app->health_lock, NULL);
	pthread_mutex_init(&app->waiters_lock, NULL);
	places_init(&app->places);
	app->followers = followers_new();
	health_away(app);
	const struct pool_conf db_pool = {.name = "db",
		.threads = APP_DB_THREADS,
		.queue = APP_QUEUE,
		.db = {.conninfo = s->database, .name = "ccp-api"}};
	const struct pool_conf hash_pool = {.name = "hash",
		.threads = cores > 3 ? (unsigned)(cores / 2) : 1,
		.queue = APP_HASH_QUEUE};
	if (docs_load(app, s->state_dir, e) < 0 || pool_new(&db_pool, &app->db_pool, e) < 0 ||
		pool_new(&hash_pool, &app->hash_pool, e) < 0 || live_new(app, &app->live, e) < 0 ||
		server_new(app, listen_fds, &app->server, e) < 0 ||
		loop_timer(s->loop, each_second, app, &app->tick_timer, e) < 0)
		return -1;
	loop_timer_set(app->tick_timer, 0, 1000);
	return 0;
}

static int registered(struct service *s, const struct bus_identity *identity, struct err *e)
{
	(void)identity;
	(void)e;
	startup_if_due(s->data);
	return 0;
}

static void held_changed(struct app *app)
{
	atomic_store(&app->held_changed, true);
	startup_if_due(app);
}

static void state(struct service *s, enum bus_state new_state)
{
	struct app *app = s->data;
	if (new_state == BUS_LOST) {
		health_away(app);
		atomic_fetch_add(&app->bus_losses, 1);
	} else {
		held_changed(app);
		followers_ring(app->followers); // what rang meanwhile was not heard
	}
}

static void changes_rang(struct app *app)
{
	waiters_ring(app);
	live_ring(app->live);
	followers_ring(app->followers);
}

static void doorbell(struct service *s, const char *channel)
{
	if (strcmp(channel, held_channel) == 0)
		held_changed(s->data);
	else
		changes_rang(s->data);
}

static void beat(struct service *s, const struct bus_beat *answer)
{
	health_set(s->data, answer->health);
	startup_if_due(s->data);
}

// All requests are answered before the HTTP thread ends. Requests on open connections, and logins
// between two pools, still come to the pools meanwhile, which answer them 503 and stay until that
// thread has ended.
static void stop(struct service *s)
{
	struct app *app = s->data;
	if (app->server)
		server_quiesce(app->server);
	atomic_store(&app->stopping, true);
	waiters_expire(app, true);
	followers_stop(app->followers);
	if (live_stop(app->live, STOP_MS) != 0 || pool_end(app->hash_pool, STOP_MS) != 0 ||
		pool_end(app->db_pool, STOP_MS) != 0)
		program_leave_threads();
	server_free(app->server);
	live_free(app->live);
	followers_free(app->followers);
	places_done(&app->places);
	pool_free(app->hash_pool);
	pool_free(app->db_pool);
	loop_source_freep(&app->tick_timer);
	free(app->openapi);
	free(app->docs_script);
	token_set_keys(NULL, 0);
	free(app);
}

static const char *const channels[] = {"ccp_event", held_channel, NULL};

static const struct program program = {
	.name = "ccp-api",
	.summary = "ccp-api serves HTTP in front of SQL.",
	.options = options,
	.commands = api_commands,
	.bus_name = "api",
	.channels = channels,
	.configure = configure,
	.listen = listen_http,
	.start = start,
	.registered = registered,
	.state = state,
	.doorbell = doorbell,
	.beat = beat,
	.stop = stop,
};

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
