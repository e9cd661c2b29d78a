// SPDX-License-Identifier: Apache-2.0
// ccp-api: HTTP in front of SQL.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "api/app.h"
#include "api/catalogue.h"
#include "api/openapi.h"
#include "api/reply.h"
#include "api/request.h"
#include "api/server.h"
#include "api/token.h"
#include "api/waiters.h"
#include "lib/addr.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/sock.h"

enum { BACKLOG = 1024, STOP_MS = 5000, EXIT_DIFFERS = 1 };

static struct addr_port listen_address = {.addr = ADDR_V4(127, 0, 0, 1), .port = 8080};
static const struct args_option options[] = {
	{.name = "listen",
		.type = ARGS_ADDRESS,
		.value = &listen_address,
		.arg = "ADDR:PORT",
		.help = "where HTTP is served (default 127.0.0.1:8080)"},
	{0},
};
static int listen_fd = -1;

// Health

static void health_set(struct app *app, const char *checks, bool up)
{
	bool all = up && !strstr(checks, "\"stale\"") && !strstr(checks, "\"absent\"");
	pthread_mutex_lock(&app->health_lock);
	snprintf(app->health, sizeof(app->health), "{\"status\":\"%s\",\"checks\":%s}",
		!up   ? "unavailable"
		: all ? "ok"
		      : "degraded",
		checks);
	pthread_mutex_unlock(&app->health_lock);
	atomic_store(&app->health_status, up ? 200 : 503);
}

static void health_away(struct app *app)
{
	health_set(app, "{\"database\":\"away\"}", false);
}

// Start-up work that needs the database

static int read_keys(struct app *app, struct db *db, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int r = db_call(db, DB_CALL("select kid, secret, signs from token.keys()"), w, &rows, e);
	if (r != 0)
		return r;
	struct token_key keys[TOKEN_KEYS_MAX] = {0};
	size_t count = 0;
	for (int row = 0; row < db_rows(rows) && count < TOKEN_KEYS_MAX; row++) {
		struct token_key *key = &keys[count];
		size_t len = 0;
		const char *hex = db_text(rows, row, 1);
		if (text_copy(key->kid, sizeof(key->kid), db_text(rows, row, 0)) &&
			sodium_hex2bin(key->secret, sizeof(key->secret), hex, strlen(hex), NULL,
				&len, NULL) == 0 &&
			len == sizeof(key->secret)) {
			key->signs = db_bool(rows, row, 2);
			count++;
		}
	}
	token_set_keys(keys, count);
	mem_wipe(keys, sizeof(keys));
	app->keys_read_ms = wait_now_ms();
	return 0;
}

static int check_table(struct app *app, struct db *db, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *types = NULL;
	int r = catalogue_check(db, w, &types, e);
	if (r == 0)
		app->openapi = openapi_make(types);
	return r;
}

static struct app *app_of_start_job(struct pool_job *job)
{
	return container_of(job, struct app, start_job);
}

static void start_run(struct pool_job *job, struct db *db)
{
	struct app *app = app_of_start_job(job);
	struct wait w = wait_for(REQUEST_WORK_MS, -1);
	struct err e;
	int r = app->checked ? 0 : check_table(app, db, &w, &e);
	app->checked = app->checked || r == 0;
	if (r == 0)
		r = read_keys(app, db, &w, &e);
	if (r == 0) {
		if (!atomic_exchange(&app->ready, true))
			log_info("serving");
		return;
	}
	if (r == CATALOGUE_DIFFERS) {
		log_error("the route table does not fit the database", log_err(&e));
		loop_stop(app->service->loop, EXIT_DIFFERS);
	} else {
		log_warning("cannot prepare, trying again", log_err(&e));
	}
}

static void start_done(struct pool_job *job)
{
	atomic_store(&app_of_start_job(job)->start_running, false);
}

static void start_if_due(struct app *app)
{
	int64_t age_s = (wait_now_ms() - app->keys_read_ms) / 1000;
	bool due = !atomic_load(&app->ready) || age_s >= APP_KEYS_RELOAD_S ||
		   (atomic_load(&app->keys_wanted) && age_s >= 2);
	if (!due || !bus_is_up(app->service->bus) || atomic_exchange(&app->start_running, true))
		return;
	atomic_store(&app->keys_wanted, false);
	app->start_job = (struct pool_job){.run = start_run, .done = start_done};
	if (pool_submit(app->db_pool, &app->start_job) != 0)
		atomic_store(&app->start_running, false);
}

// Steps of requests

static struct request *request_of(struct pool_job *job)
{
	return container_of(job, struct request, job);
}

// A pool that is full or late, or one that has stopped, did not take or not do its work.
static void not_done(struct request *r, int outcome)
{
	r->reply.retry_after_s = 1;
	if (outcome == POOL_STOPPED)
		reply_problem(r, 503, "stopping", "The service is stopping; try again in a moment.",
			NULL);
	else
		reply_problem(
			r, 503, "busy", "Too much is going on here; try again in a moment.", NULL);
}

static void step_run(struct pool_job *job, struct db *db)
{
	struct request *r = request_of(job);
	struct err e;
	if (wait_now_ms() - r->queued_ms > REQUEST_QUEUE_MS && r->wait_until_ms == 0 &&
		r->route->steps[r->step].where == STEP_IN_DB) {
		not_done(r, POOL_FULL);
		return;
	}
	int outcome = r->route->steps[r->step].run(r, db, &e);
	if (outcome == STEP_WAITS)
		r->waits = true; // joins in step_done, when the pool is through with the job
	else if (outcome == 0)
		r->step++;
	else if (outcome != STEP_ANSWERED)
		reply_error(r, outcome, &e);
}

static void release_hash(struct request *r)
{
	if (r->holds_hash)
		atomic_fetch_sub(&r->app->hashes, 1);
	r->holds_hash = false;
}

// Whoever is logged in could else keep everybody from logging in, by asking for one password after
// another.
static int submit_hash(struct app *app, struct request *r)
{
	if (r->route->who == ROUTE_PUBLIC)
		return pool_submit(app->hash_pool, &r->job);
	r->holds_hash = true;
	int outcome = atomic_fetch_add(&app->hashes, 1) < APP_HASHES_MAX
			      ? pool_submit(app->hash_pool, &r->job)
			      : POOL_FULL;
	if (outcome != 0)
		release_hash(r);
	return outcome;
}

static void step_done(struct pool_job *job)
{
	struct request *r = request_of(job);
	release_hash(r);
	if (!job->ran)
		not_done(r, POOL_STOPPED);
	if (r->waits) {
		r->waits = false;
		waiters_join(r);
		return;
	}
	app_continue(r->app, r);
}

void app_continue(struct app *app, struct request *r)
{
	if (r->state != REQUEST_ANSWERED && !atomic_load(&app->ready)) {
		r->reply.retry_after_s = 1;
		reply_problem(r, 503, NULL,
			"The database has not answered yet; try again in a moment.", NULL);
	}
	if (r->state != REQUEST_ANSWERED) {
		bool in_hash = r->route->steps[r->step].where == STEP_IN_HASH;
		r->job = (struct pool_job){.run = step_run, .done = step_done};
		r->queued_ms = wait_now_ms();
		int outcome = in_hash ? submit_hash(app, r) : pool_submit(app->db_pool, &r->job);
		if (outcome == 0)
			return;
		not_done(r, outcome);
	}
	server_resume(r);
}

// The skeleton's hooks

static void each_second(void *data)
{
	struct app *app = data;
	start_if_due(app);
	server_expire(app->server);
	waiters_expire(app, false);
	waiters_ring(app); // a doorbell may be lost, and a claim rings none
}

static int listen_http(struct service *s, struct err *e)
{
	(void)s;
	return sock_listen_tcp(&listen_address, BACKLOG, &listen_fd, e);
}

static int start(struct service *s, struct err *e)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct app *app = xnew(struct app);
	app->service = s;
	s->data = app;
	pthread_mutex_init(&app->health_lock, NULL);
	pthread_mutex_init(&app->waiters_lock, NULL);
	health_away(app);
	routes_prepare();
	const struct pool_conf db_pool = {.name = "db",
		.threads = APP_DB_THREADS,
		.queue = APP_QUEUE,
		.db = {.conninfo = s->database, .name = "ccp-api"}};
	const struct pool_conf hash_pool = {.name = "hash",
		.threads = cores > 3 ? (unsigned)(cores / 2) : 1,
		.queue = APP_HASH_QUEUE};
	if (pool_new(&db_pool, &app->db_pool, e) < 0 ||
		pool_new(&hash_pool, &app->hash_pool, e) < 0 ||
		server_new(app, listen_fd, &app->server, e) < 0 ||
		loop_timer(s->loop, each_second, app, &app->second, e) < 0)
		return -1;
	loop_timer_set(app->second, 0, 1000);
	return 0;
}

static int registered(struct service *s, const struct bus_identity *identity, struct err *e)
{
	(void)identity;
	(void)e;
	start_if_due(s->data);
	return 0;
}

static void state(struct service *s, enum bus_state new_state)
{
	if (new_state == BUS_LOST)
		health_away(s->data);
	else
		start_if_due(s->data);
}

static void doorbell(struct service *s)
{
	waiters_ring(s->data);
}

static void beat(struct service *s, const struct bus_beat *answer)
{
	health_set(s->data, answer->health, true);
	start_if_due(s->data);
}

// Everybody who is suspended gets an answer before MHD stops, which would abort otherwise. Requests
// on open connections, and logins between two pools, still come to the pools meanwhile: these
// answer them 503 and stay until MHD has stopped.
static void stop(struct service *s)
{
	struct app *app = s->data;
	if (app->server)
		server_quiesce(app->server);
	atomic_store(&app->stopping, true);
	waiters_expire(app, true);
	if (pool_end(app->hash_pool, STOP_MS) != 0 || pool_end(app->db_pool, STOP_MS) != 0)
		program_leave_threads();
	server_free(app->server);
	pool_free(app->hash_pool);
	pool_free(app->db_pool);
	loop_source_freep(&app->second);
	free(app->openapi);
	token_set_keys(NULL, 0);
	free(app);
}

// ccp-api hash: a password on stdin becomes its bcrypt on stdout, for account.create_admin.
static int hash_command(int argc, char **argv)
{
	char password[HASH_PASSWORD_MAX + 3] = "";
	char hash[HASH_TEXT_MAX];
	struct err e;
	(void)argc;
	(void)argv;
	size_t len = fread(password, 1, sizeof(password) - 1, stdin);
	if (len > 0 && password[len - 1] == '\n')
		password[--len] = '\0';
	if (strlen(password) != len || len < HASH_PASSWORD_MIN || len > HASH_PASSWORD_MAX) {
		fprintf(stderr, "ccp-api hash: the password must have %d to %d bytes\n",
			HASH_PASSWORD_MIN, HASH_PASSWORD_MAX);
		return 2;
	}
	int r = hash_make(HASH_BCRYPT, password, hash, &e);
	mem_wipe(password, sizeof(password));
	if (r < 0) {
		fprintf(stderr, "ccp-api hash: %s\n", e.message);
		return 1;
	}
	puts(hash);
	return 0;
}

static const struct args_command commands[] = {
	{.name = "hash", .help = "read a password on stdin, print its bcrypt", .run = hash_command},
	{0},
};
static const char *const channels[] = {"ccp_event", NULL};

static const struct program program = {
	.name = "ccp-api",
	.summary = "ccp-api serves HTTP in front of SQL.",
	.options = options,
	.commands = commands,
	.bus_name = "api",
	.channels = channels,
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
