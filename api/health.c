// SPDX-License-Identifier: Apache-2.0
// Keeps the answer to GET /healthz.
#include "api/health.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "api/app.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/program.h"

#define UNAVAILABLE(checks) \
	"{\"status\":\"unavailable\",\"checks\":{\"database\":\"away\"" checks "}}"

// PostgreSQL ends when it finds no room for its next file of WAL (wal_segment_size).
enum { WAL_FILE_BYTES = 16 * 1024 * 1024 };

const char health_unavailable[] = UNAVAILABLE("");

void health_set(struct app *app, const char *checks)
{
	_cleanup_(json_freep) cJSON *parsed = cJSON_Parse(checks);
	bool all = true;
	const cJSON *check;
	cJSON_ArrayForEach (check, parsed) {
		const char *word = cJSON_GetStringValue(check);
		all = all && word && strcmp(word, "ok") == 0;
	}
	pthread_mutex_lock(&app->health_lock);
	snprintf(app->health, sizeof(app->health), "{\"status\":\"%s\",\"checks\":%s}",
		all ? "ok" : "degraded", checks);
	app->health_status = 200;
	pthread_mutex_unlock(&app->health_lock);
}

// Of a disk without inodes of its own (btrfs) both counts are 0.
static bool disk_is_full(const char *directory)
{
	struct statvfs fs;
	return statvfs(directory, &fs) == 0 &&
	       ((uint64_t)fs.f_bavail * fs.f_frsize < WAL_FILE_BYTES ||
		       (fs.f_files > 0 && fs.f_favail == 0));
}

void health_away(struct app *app)
{
	bool full = disk_is_full(app->service->state_dir);
	pthread_mutex_lock(&app->health_lock);
	snprintf(app->health, sizeof(app->health), "%s",
		full ? UNAVAILABLE(",\"disk\":\"full\"") : health_unavailable);
	app->health_status = 503;
	pthread_mutex_unlock(&app->health_lock);
}

void health_look(struct app *app)
{
	pthread_mutex_lock(&app->health_lock);
	bool away = app->health_status == 503;
	pthread_mutex_unlock(&app->health_lock);
	if (away)
		health_away(app);
}

unsigned health_read(struct app *app, char **ret_body)
{
	pthread_mutex_lock(&app->health_lock);
	unsigned http_status = app->health_status;
	*ret_body = xstrdup(app->health);
	pthread_mutex_unlock(&app->health_lock);
	return http_status;
}
