// SPDX-License-Identifier: Apache-2.0
// Sets a request's answer.
#include "api/reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/locked.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { LINES_MAX_BYTES = 256 * 1024 };

static const struct {
	unsigned status;
	const char *title;
	const char *code; // error_code unless there is a better one; NULL: not an error
} statuses[] = {
	{200, "OK", NULL},
	{201, "Created", NULL},
	{202, "Accepted", NULL},
	{204, "No Content", NULL},
	{400, "Bad Request", "bad_request"},
	{401, "Unauthorized", "unauthenticated"},
	{403, "Forbidden", "forbidden"},
	{404, "Not Found", "not_found"},
	{405, "Method Not Allowed", "method_not_allowed"},
	{409, "Conflict", "conflict"},
	{412, "Precondition Failed", "precondition_failed"},
	{413, "Content Too Large", "too_large"},
	{415, "Unsupported Media Type", "unsupported_media_type"},
	{422, "Unprocessable Content", "invalid"},
	{429, "Too Many Requests", "too_many_attempts"},
	{431, "Request Header Fields Too Large", "too_large"},
	{500, "Internal Server Error", "internal"},
	{503, "Service Unavailable", "unavailable"},
};

// Verdicts that SQL returns, and the status each has in HTTP.
static const struct {
	const char *verdict;
	unsigned status;
} verdicts[] = {
	{"auth_invalid", 401},
	{"unauthenticated", 401},
	{"cookie_required", 403},
	{"account_disabled", 403},
	{"account_expired", 403},
	{"host_not_found", 404},
	{"egress_binding_missing", 409},
	{"start_failed", 409},
	{"too_many_attempts", 429},
	{"ssh_not_ready", 503},
};

// What the API says by itself besides.
static const char busy[] = "busy", stopping[] = "stopping", locked[] = "locked",
		  incomplete[] = "settings_incomplete", too_many[] = "too_many_requests",
		  foreign[] = "foreign_page", too_many_streams[] = "too_many_streams";
static const char *const own_codes[] = {
	busy, stopping, locked, incomplete, too_many, foreign, too_many_streams};

const char *reply_code(size_t i)
{
	if (i < ARRAY_SIZE(statuses))
		return statuses[i].code ? statuses[i].code : "";
	i -= ARRAY_SIZE(statuses);
	if (i < ARRAY_SIZE(verdicts))
		return verdicts[i].verdict;
	i -= ARRAY_SIZE(verdicts);
	return i < ARRAY_SIZE(own_codes) ? own_codes[i] : NULL;
}

static void reply_begin(struct request *r, unsigned status, const char *content_type)
{
	assert(r->reply.status == 0);
	r->reply.status = status;
	r->reply.content_type = content_type;
	r->state = REQUEST_ANSWERED;
}

void reply_text(struct request *r, unsigned status, const char *content_type, char *text)
{
	reply_begin(r, status, content_type);
	r->reply.data = r->reply.owned = text;
	r->reply.len = strlen(text);
}

void reply_file(struct request *r, unsigned status, const char *content_type, const char *text)
{
	reply_begin(r, status, content_type);
	r->reply.data = text;
	r->reply.len = strlen(text);
}

void reply_stream(
	struct request *r, unsigned status, const char *content_type, struct reply_stream stream)
{
	reply_begin(r, status, content_type);
	r->reply.stream = stream;
}

void reply_empty(struct request *r, unsigned status)
{
	reply_begin(r, status, NULL);
}

void reply_done(struct reply *reply)
{
	wipe_freep(&reply->owned);
	mem_wipe(reply->cookie, sizeof(reply->cookie));
	if (reply->stream.read)
		reply->stream.done(reply->stream.data);
}

static void add_line(struct str *lines, const char *name, const cJSON *value)
{
	if (cJSON_IsString(value)) {
		str_addf(lines, "%s=", name);
		for (const char *p = value->valuestring; *p != '\0'; p++)
			str_add_bytes(lines, *p == '\n' || *p == '\r' ? " " : p, 1);
		str_add(lines, "\n");
	} else if (cJSON_IsBool(value)) {
		str_addf(lines, "%s=%s\n", name, cJSON_IsTrue(value) ? "true" : "false");
	} else if (cJSON_IsNumber(value)) {
		_cleanup_(freep) char *number = json_print(value);
		str_addf(lines, "%s=%s\n", name, number);
	} else if (cJSON_IsNull(value)) {
		str_addf(lines, "%s=\n", name);
	}
}

char *reply_lines(const cJSON *object)
{
	_cleanup_(str_done) struct str lines = STR_INIT(LINES_MAX_BYTES);
	const cJSON *member;
	cJSON_ArrayForEach (member, object) {
		if (!cJSON_IsArray(member)) {
			add_line(&lines, member->string, member);
			continue;
		}
		const cJSON *item;
		cJSON_ArrayForEach (item, member)
			add_line(&lines, member->string, item);
	}
	char *text = lines.len == 0 ? xstrdup("") : str_take(&lines);
	assert(text);
	return text;
}

void reply_json(struct request *r, unsigned status, char *json)
{
	if (!r->head.wants_lines) {
		reply_text(r, status, "application/json", json);
		return;
	}
	_cleanup_(json_freep) cJSON *object = cJSON_Parse(json);
	assert(object);
	char *lines = reply_lines(object);
	wipe_freep(&json);
	reply_text(r, status, "text/plain; charset=utf-8", lines);
}

static int status_index(unsigned status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return (int)i;
	return -1;
}

const char *reply_title(unsigned status)
{
	int i = status_index(status);
	return i < 0 ? "" : statuses[i].title;
}

// The members of `extra` join the problem, except what it has already.
static void add_extra(struct request *r, cJSON *problem, cJSON *extra)
{
	for (cJSON *member = extra ? extra->child : NULL, *next; member; member = next) {
		next = member->next;
		if (strcmp(member->string, "retry_after_s") == 0 && cJSON_IsNumber(member))
			r->reply.retry_after_s = member->valueint;
		if (!cJSON_GetObjectItemCaseSensitive(problem, member->string)) {
			cJSON_DetachItemViaPointer(extra, member);
			cJSON_AddItemToObject(problem, member->string, member);
		}
	}
	cJSON_Delete(extra);
}

void reply_problem(
	struct request *r, unsigned status, const char *code, const char *sentence, cJSON *extra)
{
	int i = status_index(status);
	assert(i >= 0 && statuses[i].code);
	if (!code)
		code = statuses[i].code;
	_cleanup_(json_freep) cJSON *problem = json_new_object();
	_cleanup_(freep) char *type = xasprintf("urn:cloud-cli-proxy:problem:%s", code);
	json_set_text(problem, "type", type);
	json_set_text(problem, "title", statuses[i].title);
	json_set_int(problem, "status", status);
	json_set_text(problem, "detail", sentence);
	json_set_text(problem, "instance", r->head.path);
	json_set_text(problem, "error_code", code);
	json_set_text(problem, "message", sentence);
	json_set_text(problem, "request_id", r->head.id);
	add_extra(r, problem, extra);
	if (r->head.wants_lines)
		reply_text(r, status, "text/plain; charset=utf-8", reply_lines(problem));
	else
		reply_text(r, status, "application/problem+json", json_print(problem));
}

static void reply_later(struct request *r, const char *code, const char *sentence)
{
	r->reply.retry_after_s = 1;
	reply_problem(r, 503, code, sentence, NULL);
}

void reply_busy(struct request *r)
{
	reply_later(r, busy, "The service is busy; try again in a moment.");
}

void reply_stopping(struct request *r)
{
	reply_later(r, stopping, "The service is stopping; try again in a moment.");
}

void reply_not_ready(struct request *r)
{
	reply_later(r, NULL, "The database has not answered yet; try again in a moment.");
}

void reply_too_many(struct request *r, int retry_after_s)
{
	_cleanup_(freep) char *sentence = xasprintf(
		"This login has made as many requests as it may; try again in %d seconds.",
		retry_after_s);
	r->reply.retry_after_s = retry_after_s;
	reply_problem(r, 429, too_many, sentence, NULL);
}

void reply_foreign_page(struct request *r)
{
	reply_problem(r, 403, foreign,
		"The refresh cookie is for pages of this server, by https or on the machine itself; "
		"others log in without it and send the token.",
		NULL);
}

void reply_incomplete(struct request *r, const char *sentence)
{
	reply_problem(r, 503, incomplete, sentence, NULL);
}

void reply_too_many_streams(struct request *r)
{
	r->reply.retry_after_s = 5;
	reply_problem(r, 429, too_many_streams,
		"This account has as many streams open as it may; close one of them.", NULL);
}

static void reply_internal(struct request *r)
{
	reply_problem(r, 500, NULL, "Internal error; the log has the request id.", NULL);
}

void reply_error(struct request *r, int outcome, const struct err *e)
{
	unsigned status = strncmp(e->sqlstate, "CP", 2) == 0 ? (unsigned)atoi(e->sqlstate + 2) : 0;
	if (status >= 400 && status_index(status) >= 0) {
		cJSON *extra = NULL;
		struct err ignored;
		if (json_parse(e->detail, strlen(e->detail), &json_from_client, &extra, &ignored) <
				0 ||
			!cJSON_IsObject(extra)) {
			cJSON_Delete(extra);
			extra = json_new_object();
		}
		_cleanup_(json_freep) cJSON *code =
			cJSON_DetachItemFromObjectCaseSensitive(extra, "error_code");
		reply_problem(r, status, cJSON_GetStringValue(code), e->message, extra);
		return;
	}
	if (outcome > 0 || db_is_away(outcome, e)) {
		log_warning_often(
			"request not served", log_text("request_id", r->head.id), log_err(e));
		reply_later(r, NULL, "The database does not answer; try again in a moment.");
		return;
	}
	log_error("request failed", log_text("request_id", r->head.id),
		log_text("route", r->route->path), log_err(e));
	reply_internal(r);
}

bool reply_locked(struct request *r, struct db *db, const struct err *e)
{
	if (!db || !locked_is(e))
		return false;
	cJSON *holder, *extra = json_new_object();
	_cleanup_(freep) char *text = locked_sentence(db, &holder);
	if (holder)
		json_set(extra, "holder", holder);
	log_warning_often("request not served", log_text("request_id", r->head.id),
		log_text("holder", text), log_err(e));
	r->reply.retry_after_s = 1;
	reply_problem(r, 503, locked, text, extra);
	return true;
}

void reply_verdict(struct request *r, const char *verdict, int retry_after_s, const char *sentence)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (strcmp(verdicts[i].verdict, verdict) != 0)
			continue;
		r->reply.retry_after_s = retry_after_s;
		reply_problem(r, verdicts[i].status, verdict, sentence, NULL);
		return;
	}
	log_error("a verdict is not known", log_text("request_id", r->head.id),
		log_text("route", r->route->path), log_text("verdict", verdict));
	reply_internal(r);
}

void reply_invalid(struct request *r)
{
	if (r->input.bad_path) {
		reply_problem(r, 404, NULL, "Not found.", NULL);
		return;
	}
	const cJSON *first = r->input.errors->child;
	_cleanup_(freep) char *sentence = xasprintf("%s %s.",
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(first, "field")),
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(first, "message")));
	cJSON *extra = json_new_object();
	json_set(extra, "errors", TAKE_PTR(r->input.errors));
	reply_problem(r, 422, NULL, sentence, extra);
}

void reply_set_secret(char **json, const char *member, const char *secret)
{
	// Inside a JSON string a quote is escaped, so this text occurs only as the member itself.
	_cleanup_(freep) char *empty = xasprintf("\"%s\":\"\"", member);
	char *at = strstr(*json, empty);
	if (!at)
		return;
	int before = (int)(at - *json);
	const char *after = at + strlen(empty);
	char *filled =
		!secret ? xasprintf("%.*s\"%s\":null%s", before, *json, member, after)
			: xasprintf("%.*s\"%s\":\"%s\"%s", before, *json, member, secret, after);
	free(*json);
	*json = filled;
}
