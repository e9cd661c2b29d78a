// SPDX-License-Identifier: Apache-2.0
// Makes the program ready for requests, and keeps fresh what it holds of the database: keys, a setting.
#include "api/startup.h"

#include <string.h>

#include <sodium.h>

#include "api/allowance.h"
#include "api/app.h"
#include "api/catalogue.h"
#include "api/openapi.h"
#include "api/request.h"
#include "api/rule.h"
#include "api/token.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/program.h"

enum { EXIT_DIFFERS = 1, KEYS_PAUSE_S = 2, DOCUMENT_MS = 10000 };

static int read_keys(struct app *app, struct db *db, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int r = db_call(
		db, DB_CALL("select kid, secret, signs_in_ms from token.keys()"), w, &rows, e);
	if (r != 0)
		return r;
	int64_t now_ms = wait_now_ms();
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
			key->signs = db_text(rows, row, 2);
			key->signs_at_ms = key->signs ? now_ms + db_int(rows, row, 2) : 0;
			count++;
		}
	}
	token_set_keys(keys, count);
	mem_wipe(keys, sizeof(keys));
	atomic_store(&app->bus_losses_read, app->start_losses);
	app->held_read_ms = wait_now_ms();
	return 0;
}

static int read_allowance(struct db *db, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int r = db_call(db, DB_CALL("select api.requests_per_minute()"), w, &rows, e);
	if (r == 0)
		allowance_set(db_int(rows, 0, 0));
	return r;
}

static int check_tables(struct app *app, struct db *db, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *types = NULL;
	int r = catalogue_check(db, w, &types, e);
	if (r != 0)
		return r;
	app->openapi = openapi_make(types);
	app->checked = true;
	return 0;
}

int startup_document(const char *database, char **ret, struct err *e)
{
	const struct db_conf conf = {.conninfo = database, .name = "ccp-api"};
	_cleanup_(db_freep) struct db *db = db_new(&conf);
	_cleanup_(db_result_freep) struct pg_result *types = NULL;
	struct wait w = wait_for(DOCUMENT_MS, -1);
	if (catalogue_check(db, &w, &types, e) != 0)
		return -1;
	*ret = openapi_make(types);
	rules_clear();
	return 0;
}

static struct app *app_of(struct pool_job *job)
{
	return container_of(job, struct app, start_job);
}

static void start_run(struct pool_job *job, struct db *db)
{
	struct app *app = app_of(job);
	struct wait w = wait_for(REQUEST_WORK_MS, -1);
	struct err e;
	int r = app->checked ? 0 : check_tables(app, db, &w, &e);
	if (r == 0)
		r = read_allowance(db, &w, &e);
	if (r == 0)
		r = read_keys(app, db, &w, &e);
	app->start_failed = r != 0;
	if (r == CATALOGUE_DIFFERS) {
		log_error("the route tables do not fit the database", log_err(&e));
		loop_stop(app->service->loop, EXIT_DIFFERS);
	} else if (r != 0) {
		log_warning("cannot prepare, trying again", log_err(&e));
	} else if (!atomic_exchange(&app->ready, true)) {
		log_info("serving");
	}
}

// What has changed meanwhile is read at once; what failed, with the next second.
static void on_start_done(struct loop_post *post)
{
	struct app *app = container_of(post, struct app, start_over);
	app->start_running = false;
	if (app->start_failed)
		atomic_store(&app->held_changed, true);
	else
		startup_if_due(app);
}

static void start_done(struct pool_job *job)
{
	struct app *app = app_of(job);
	app->start_failed |= !job->ran;
	app->start_over.fn = on_start_done;
	loop_post(app->service->loop, &app->start_over);
}

bool startup_keys_are_old(struct app *app)
{
	return atomic_load(&app->bus_losses) != atomic_load(&app->bus_losses_read);
}

void startup_if_due(struct app *app)
{
	int64_t age_s = (wait_now_ms() - app->held_read_ms) / 1000;
	bool due = !atomic_load(&app->ready) || atomic_load(&app->held_changed) ||
		   age_s >= APP_HELD_RELOAD_S ||
		   (atomic_load(&app->keys_wanted) && age_s >= KEYS_PAUSE_S);
	if (!due || !bus_is_up(app->service->bus) || app->start_running)
		return;
	app->start_running = true;
	app->start_losses = atomic_load(&app->bus_losses);
	atomic_store(&app->held_changed, false);
	atomic_store(&app->keys_wanted, false);
	app->start_job = (struct pool_job){.run = start_run, .done = start_done};
	if (pool_submit(app->db_pool, &app->start_job) != 0) {
		atomic_store(&app->held_changed, true);
		app->start_running = false;
	}
}
