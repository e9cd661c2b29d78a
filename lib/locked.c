// SPDX-License-Identifier: Apache-2.0
// Asks SQL which session holds a lock, once a call has waited for it in vain.
#include "lib/locked.h"

#include <string.h>

#include "lib/db.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { ASK_MS = 500 };

bool locked_is(const struct err *e)
{
	return strcmp(e->sqlstate, "55P03") == 0;
}

// NULL: it is over, or SQL does not know.
static cJSON *holder_ask(struct db *db)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct wait w = wait_for(ASK_MS, -1);
	cJSON *holder;
	struct err ignored;
	if (db_call(db, DB_CALL("select access.lock_holder()"), &w, &rows, &ignored) != 0 ||
		db_rows(rows) != 1 || !db_text(rows, 0, 0))
		return NULL;
	const char *text = db_text(rows, 0, 0);
	return json_parse(text, strlen(text), &json_from_peer, &holder, &ignored) == 0 ? holder
										       : NULL;
}

char *locked_sentence(struct db *db, cJSON **ret_holder)
{
	_cleanup_(json_freep) cJSON *holder = holder_ask(db);
	_cleanup_(json_freep) cJSON *sentence =
		cJSON_DetachItemFromObjectCaseSensitive(holder, "sentence");
	const char *text = cJSON_GetStringValue(sentence);
	if (ret_holder)
		*ret_holder = text ? TAKE_PTR(holder) : NULL;
	return xstrdup(
		text ? text : "Another session held what this needs; try again in a moment.");
}
