// SPDX-License-Identifier: Apache-2.0
// What the API's parts share.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/pool.h"

struct catalogue;
struct db;
struct err;
struct loop_source;
struct request;
struct server;
struct service;

enum {
	APP_DB_THREADS = 4,
	APP_QUEUE = 512,
	APP_HASH_QUEUE = 16,
	APP_HASHES_MAX = 8, // of these, for who is logged in already: they leave room for logins
	APP_WAITERS_MAX = 500, // long polls; beyond that they are answered at once
	// of these, with one poll token: one, and one whose client came back on a new connection
	APP_WAITERS_PER_TOKEN_MAX = 2,
	APP_KEYS_RELOAD_S = 60,
};

struct app {
	struct service *service;
	struct pool *db_pool;
	struct pool *hash_pool;
	atomic_uint hashes; // in hash_pool for who is logged in
	struct server *server;
	struct loop_source *second; // timer: deadlines, waiters, start-up

	// Start-up work that needs the database: the check of the table against the catalogue, then
	// the signing keys. Until it is done every route that needs SQL answers 503.
	atomic_bool ready;
	atomic_bool stopping;
	atomic_bool keys_wanted; // a token came with a key id that we do not know
	struct pool_job start_job;
	atomic_bool start_running;
	_Atomic int64_t keys_read_ms;
	bool checked; // start_job only

	char *openapi; // set once, before `ready`

	pthread_mutex_t health_lock;
	char health[512]; // the answer's body
	atomic_uint health_status; // 200 or 503

	pthread_mutex_t waiters_lock;
	struct request *waiters;
	unsigned waiters_count;
	struct pool_job waiters_job;
	bool waiters_running; // the job is in the pool
	bool waiters_again; // the bell rang meanwhile
};

// Runs the request's next step, or hands its answer back to MHD when it has one. From any thread;
// the request is suspended.
void app_continue(struct app *app, struct request *r);
