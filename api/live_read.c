// SPDX-License-Identifier: Apache-2.0
// Calls of the schema live.
#include "api/live_read.h"

#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

const char *const live_topics[LIVE_TOPICS] = {
	[LIVE_HOSTS] = "hosts",
	[LIVE_TASKS] = "tasks",
	[LIVE_EVENTS] = "events",
	[LIVE_SESSIONS] = "sessions",
	[LIVE_NODES] = "nodes",
};

static void group_init(struct live_group *group)
{
	*group = (struct live_group){.users = STR_INIT(LIVE_LIST_MAX)};
}

static void group_done(struct live_group *group)
{
	free(group->cursor);
	str_done(&group->users);
	db_result_freep(&group->rows);
}

void live_read_init(struct live_read *read)
{
	*read = (struct live_read){
		.logins = STR_INIT(LIVE_LIST_MAX), .roles = STR_INIT(LIVE_LIST_MAX)};
	group_init(&read->present);
	for (size_t i = 0; i < LIVE_GROUPS_MAX; i++)
		group_init(&read->joining[i]);
}

void live_read_done(struct live_read *read)
{
	group_done(&read->present);
	for (size_t i = 0; i < LIVE_GROUPS_MAX; i++)
		group_done(&read->joining[i]);
	str_done(&read->logins);
	str_done(&read->roles);
	db_result_freep(&read->ended);
	*read = (struct live_read){0};
}

void live_list_add(struct str *list, const char *word)
{
	str_add(list, list->len == 0 ? "{" : ",");
	str_add(list, word);
}

static const char *list_end(struct str *list)
{
	str_add(list, list->len == 0 ? "{}" : "}");
	return str_text(list);
}

static int group_read(struct live_group *group, const char *until, struct db *db,
	const struct wait *w, struct err *e)
{
	_cleanup_(str_done) struct str topics = STR_INIT(LIVE_LIST_MAX);
	for (unsigned i = 0; i < LIVE_TOPICS; i++)
		if (group->topics & 1u << i)
			live_list_add(&topics, live_topics[i]);
	return db_call(db,
		DB_CALL("select what, topic, user_id, data from live.read($1, $2, $3, $4, $5)",
			group->cursor, until, list_end(&topics),
			group->for_admins ? "true" : "false", list_end(&group->users)),
		w, &group->rows, e);
}

static bool names_logins(const struct pg_result *rows)
{
	for (int row = 0; row < db_rows(rows); row++)
		if (strcmp(db_text(rows, row, LIVE_WHAT), "login") == 0)
			return true;
	return false;
}

static int logins_check(struct live_read *read, struct db *db, const struct wait *w, struct err *e)
{
	if (!read->checks && !names_logins(read->present.rows))
		return 0;
	return db_call(db,
		DB_CALL("select login_id, error_code, sentence from live.ended($1, $2)",
			list_end(&read->logins), list_end(&read->roles)),
		w, &read->ended, e);
}

const char *live_read_cursor(const struct live_read *read)
{
	return db_text(read->present.rows, 0, LIVE_DATA); // its first row, always
}

int live_read_run(struct live_read *read, struct db *db, struct err *e)
{
	struct wait w = wait_for(REQUEST_WORK_MS, -1);
	int r = group_read(&read->present, NULL, db, &w, e);
	for (size_t i = 0; i < read->joining_count && r == 0; i++)
		if (read->joining[i].cursor)
			r = group_read(&read->joining[i], live_read_cursor(read), db, &w, e);
	if (r == 0)
		r = logins_check(read, db, &w, e);
	if (r == 0)
		r = db_call(db, DB_CALL("select live.flush()"), &w, NULL, e);
	return r;
}
