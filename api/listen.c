// SPDX-License-Identifier: Apache-2.0
// The routes that stream what changes.
#include <assert.h>
#include <string.h>

#include "api/arguments.h"
#include "api/live.h"
#include "api/live_read.h"
#include "api/request.h"
#include "api/steps.h"
#include "lib/db.h"
#include "lib/mem.h"

enum { STATEMENT_MAX = 256 };

// All that the route has when none are asked for. Nodes are for administrators.
static unsigned topics_of(const struct request *r)
{
	const char *asked = input_get(&r->input, "topics");
	unsigned all = (1u << LIVE_TOPICS) - 1;
	if (r->route->who != ROUTE_ADMIN)
		all &= ~(1u << LIVE_NODES);
	unsigned topics = 0;
	for (unsigned i = 0; asked && i < LIVE_TOPICS; i++)
		if (strstr(asked, live_topics[i])) // words, none of which is a part of another
			topics |= 1u << i;
	return asked ? topics & all : all;
}

static int step_listen(struct request *r, struct db *db, struct err *e)
{
	const char *values[ARGUMENTS_MAX];
	_cleanup_(str_done) struct str sql = STR_INIT(STATEMENT_MAX);
	str_addf(&sql, "select api.%s(", r->route->function);
	int params = arguments_add(r, &sql, values);
	str_add(&sql, ")");
	assert(!sql.overflow);
	int result = db_call(db,
		&(struct db_call){.sql = str_text(&sql), .params = values, .params_count = params},
		&r->work.wait, NULL, e);
	if (result != 0)
		return result;
	live_listen(r, topics_of(r), r->head.last_event_id);
	return STEP_ANSWERED;
}

// clang-format off
#define STREAM \
	.steps = {{STEP_IN_DB, step_listen}}, \
	.flags = ROUTE_RESUMES, \
	.content_type = "text/event-stream"
const struct work work_live = {STREAM,
	.events = {"host_change", "task_change", "event_change", "session_change", "node_change"}};
const struct work work_own_live = {STREAM,
	.events = {"host_change", "task_change", "event_change", "session_change"}};
// clang-format on
