// SPDX-License-Identifier: Apache-2.0
// What the API's parts share.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/places.h"
#include "lib/loop.h"
#include "lib/pool.h"

struct db;
struct err;
struct followers;
struct live;
struct loop_source;
struct request;
struct server;
struct service;

enum {
	APP_DB_THREADS = 4,
	APP_QUEUE = 512,
	APP_HASH_QUEUE = 32,
	APP_WAITERS_MAX = 500, // long polls; beyond that they are answered at once
	// of these, with one poll token: one, and one whose client came back on a new connection
	APP_WAITERS_PER_TOKEN_MAX = 2,
	APP_HELD_RELOAD_S = 60,
};

struct app {
	struct service *service;
	struct pool *db_pool;
	struct pool *hash_pool;
	struct server *server;
	struct live *live;
	struct places places; // of live streams and followers
	struct followers *followers;

	// What the pipeline (work.c) does with a request that has its answer, and with one that
	// waits: set by main, so that the pipeline knows neither the server nor the waiters.
	void (*resume)(struct request *r);
	void (*wait)(struct request *r);

	struct loop_source *tick_timer; // each second: deadlines, waiters, start-up

	// Start-up work that needs the database (startup.c). Until it is done every route that needs
	// SQL answers 503.
	atomic_bool ready;
	atomic_bool stopping;
	// What we hold of the database, keys and a setting: it has changed, or perhaps has
	atomic_bool held_changed;
	atomic_uint bus_losses; // how often the bus went away, and bells with it
	atomic_uint bus_losses_read; // of these, before the last reading began
	atomic_bool keys_wanted; // a token came with a key id that we do not know
	struct pool_job start_job;
	struct loop_post start_over; // the job is
	bool start_running; // until that is heard of; on the loop
	bool start_failed;
	unsigned start_losses; // bus_losses when it began
	_Atomic int64_t held_read_ms;
	bool checked; // start_job only

	char *openapi; // set once, before `ready`
	char *docs_script; // set once, before the server starts; NULL: not installed

	pthread_mutex_t health_lock;
	char health[512]; // the answer's body
	unsigned health_status; // 200 or 503

	pthread_mutex_t waiters_lock;
	struct request *waiters;
	unsigned waiters_count;
	struct pool_job waiters_job;
	bool waiters_running; // the job is in the pool
	bool waiters_again; // the bell rang meanwhile
};
