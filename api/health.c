// SPDX-License-Identifier: Apache-2.0
// Keeps the answer to GET /healthz.
#include "api/health.h"

#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "lib/json.h"
#include "lib/mem.h"

const char health_unavailable[] = "{\"status\":\"unavailable\",\"checks\":{\"database\":\"away\"}}";

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

void health_away(struct app *app)
{
	pthread_mutex_lock(&app->health_lock);
	snprintf(app->health, sizeof(app->health), "%s", health_unavailable);
	app->health_status = 503;
	pthread_mutex_unlock(&app->health_lock);
}

unsigned health_read(struct app *app, char **ret_body)
{
	pthread_mutex_lock(&app->health_lock);
	unsigned http_status = app->health_status;
	*ret_body = xstrdup(app->health);
	pthread_mutex_unlock(&app->health_lock);
	return http_status;
}
