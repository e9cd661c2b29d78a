// SPDX-License-Identifier: Apache-2.0
// Server-Sent Events (HTML standard, section 9.2).
#include "api/listener.h"

#include <stdlib.h>
#include <string.h>

#include "api/connection.h"
#include "api/live_read.h"
#include "lib/db.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/wait.h"

void listener_tell(struct listener *l, struct stream_text *text)
{
	stream_add(&l->out, text);
	l->is_told = true;
}

void listener_tell_new(struct listener *l, char *text)
{
	struct stream_text *one = stream_text_new(text);
	listener_tell(l, one);
	stream_text_drop(one);
}

void listener_end(struct listener *l, const char *code, const char *sentence)
{
	_cleanup_(json_freep) cJSON *why = json_new_object();
	json_set_text(why, "error_code", code);
	json_set_text(why, "message", sentence);
	_cleanup_(freep) char *data = json_print(why);
	stream_cut(&l->out);
	l->out.lost = false;
	listener_tell_new(l, xasprintf("\nevent: end\ndata: %s\n\n", data));
	l->state = LISTENER_ENDS;
}

struct stream_text *listener_row_text(const struct pg_result *rows, int row)
{
	const char *what = db_text(rows, row, LIVE_WHAT);
	const char *topic = db_text(rows, row, LIVE_TOPIC);
	if (strcmp(what, "frame") == 0)
		return stream_text_new(xasprintf("\ndata: %s\n", db_text(rows, row, LIVE_DATA)));
	if (strcmp(what, "resync") != 0)
		return NULL;
	return stream_text_new(
		topic ? xasprintf("\nevent: resync\ndata: {\"topic\":\"%s\"}\n", topic)
		      : xstrdup(LISTENER_RESYNC));
}

// No topic: all. One that is not known: none.
static unsigned topic_bits(const char *topic)
{
	for (unsigned i = 0; topic && i < LIVE_TOPICS; i++)
		if (strcmp(live_topics[i], topic) == 0)
			return 1u << i;
	return topic ? 0 : ~0u;
}

bool listener_may_hear(const struct listener *l, const struct pg_result *rows, int row)
{
	const char *user_id = db_text(rows, row, LIVE_USER);
	if (!(l->topics & topic_bits(db_text(rows, row, LIVE_TOPIC))))
		return false;
	if (strcmp(db_text(rows, row, LIVE_WHAT), "resync") == 0)
		return true;
	return user_id ? !l->is_admin && strcmp(user_id, l->claims.user_id) == 0 : l->is_admin;
}

void listener_send(struct listener *l, struct stream_text *where)
{
	if (!l->is_told)
		return;
	l->is_told = false;
	l->told_ms = wait_now_ms();
	if (l->state != LISTENER_ENDS)
		stream_add(&l->out, where);
	connection_wake(l->connection);
}

size_t listener_take(struct listener *l, struct stream_text *where, char *to, size_t max)
{
	size_t taken = stream_take(&l->out, to, max);
	if (taken > 0 || !l->out.lost)
		return taken;
	l->out.lost = false;
	listener_tell_new(l, xstrdup(LISTENER_RESYNC));
	stream_add(&l->out, where);
	l->is_told = false;
	return stream_take(&l->out, to, max);
}
