// SPDX-License-Identifier: Apache-2.0
// Reads a request: head, body, values.
#include "api/request.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/app.h"
#include "api/caller.h"
#include "api/form.h"
#include "api/head.h"
#include "api/reply.h"
#include "api/type.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { CURSOR_MAX = 8 * 1024 }; // of a live stream

// Ids of requests that bring none: unlike in every process, then counting.
static void make_id(char ret[static REQUEST_ID_MAX + 1])
{
	static _Atomic uint64_t start;
	static atomic_uint count;
	uint64_t s = atomic_load(&start);
	if (s == 0) {
		uint64_t fresh;
		hash_random(&fresh, sizeof(fresh));
		fresh |= 1;
		if (atomic_compare_exchange_strong(&start, &s, fresh))
			s = fresh;
	}
	snprintf(ret, REQUEST_ID_MAX + 1, "%012" PRIx64 "-%08x", s & 0xffffffffffff,
		atomic_fetch_add(&count, 1));
}

struct request *request_new(struct app *app, struct connection *connection, const char *target)
{
	struct request *r = xnew(struct request);
	r->app = app;
	r->connection = connection;
	r->began_us = wait_now_us();
	r->body.text = STR_INIT(REQUEST_BODY_MAX);
	const char *mark = strchrnul(target, '?');
	r->head.method = "-";
	r->head.path = xstrndup(target, (size_t)(mark - target));
	r->head.query = xstrdup(*mark == '?' ? mark + 1 : "");
	make_id(r->head.id);
	return r;
}

void request_free(struct request *r)
{
	if (r->input.route)
		input_done(&r->input);
	if (r->body.text.data)
		mem_wipe(r->body.text.data, r->body.text.len);
	str_done(&r->body.text);
	mem_wipe(r->made.secret, sizeof(r->made.secret));
	mem_wipe(r->made.cookie, sizeof(r->made.cookie));
	wipe_freep(&r->made.stored_hash);
	free(r->made.sealed);
	free(r->made.import);
	free(r->made.secret_members);
	free(r->made.secret_keys);
	free(r->head.path);
	free(r->head.query);
	reply_done(&r->reply);
	free(r);
}

static bool is_token(const char *text, size_t max)
{
	size_t len =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-");
	return len > 0 && len <= max && text[len] == '\0';
}

static bool is_cursor(const char *text)
{
	size_t len =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
	return len > 0 && len <= CURSOR_MAX && text[len] == '\0';
}

static bool bad(struct request *r, const char *sentence)
{
	reply_problem(r, 400, NULL, sentence, NULL);
	return false;
}

static bool check_path(struct request *r)
{
	if (!strchr(r->head.path, '%'))
		return true;
	struct form form;
	struct err e;
	_cleanup_(freep) char *escaped = xstrdup(r->head.path);
	for (char *p = escaped; *p != '\0'; p++)
		if (*p == '&' || *p == '=')
			*p = '_';
	int parsed = form_parse(escaped, strlen(escaped), &form, &e);
	form_done(&form);
	if (parsed < 0)
		return bad(r, "The path is not well-formed.");
	reply_problem(r, 404, NULL, "Not found.", NULL); // no route of ours needs an escape
	return false;
}

static bool find_route(struct request *r, struct route_part parts[static ROUTE_PARTS_MAX])
{
	_cleanup_(str_done) struct str allow = STR_INIT(sizeof(r->reply.allow) - 1);
	const struct route_query query = {r->head.method, r->head.path, r->head.is_monitor};
	switch (route_find(&query, &r->route, parts, &allow)) {
	case 0:
		return true;
	case ROUTE_NO_METHOD:
		snprintf(r->reply.allow, sizeof(r->reply.allow), "%s", str_text(&allow));
		reply_problem(r, 405, NULL, "This path does not take this method.", NULL);
		return false;
	default:
		reply_problem(r, 404, NULL, "Not found.", NULL);
		return false;
	}
}

// A list of ETags as a list of versions: 1,2. Weak ones never match here (RFC 9110 section 13.1.1),
// nor do those that are not ours, so both are left out. false: malformed, or too long.
static bool read_etags(const char *p, char *ret, size_t size)
{
	for (size_t used = 0;;) {
		p += strspn(p, " ");
		bool weak = strncmp(p, "W/", 2) == 0;
		p += weak ? 2 : 0;
		if (*p++ != '"')
			return false;
		size_t len = strcspn(p, "\"");
		if (p[len] != '"')
			return false;
		if (!weak && strspn(p, "0123456789") == len) {
			int more = snprintf(ret + used, size - used, "%s%.*s", used > 0 ? "," : "",
				(int)len, p);
			used += (size_t)more;
			if (used >= size)
				return false;
		}
		p += len + 1;
		p += strspn(p, " ");
		if (*p == '\0')
			return true;
		if (*p++ != ',')
			return false;
	}
}

// "*" matches whatever there is, like no header.
static bool check_if_match(struct request *r, const char *value)
{
	if (!value || !(route_flags(r->route) & ROUTE_IF_MATCH) || strcmp(value, "*") == 0)
		return true;
	r->head.has_if_match = true;
	return read_etags(value, r->head.if_match, sizeof(r->head.if_match)) ||
	       bad(r, "If-Match must be ETags as they were given, like \"3\", or *.");
}

static bool check_key(struct request *r, const char *value)
{
	if (!value || !(route_flags(r->route) & ROUTE_IDEMPOTENT))
		return true;
	for (const char *p = value; *p != '\0'; p++)
		if (*p < 0x21 || *p > 0x7e)
			return bad(r, "Idempotency-Key must be printable ASCII without spaces.");
	_cleanup_(freep) char *ignored = NULL;
	_cleanup_(str_done) struct str why = STR_INIT(200);
	r->head.idempotency_key = value;
	if (type_check("ccp.request_key", value, strlen(value), &ignored, &why))
		return true;
	_cleanup_(freep) char *sentence = xasprintf("Idempotency-Key %s.", str_text(&why));
	return bad(r, sentence);
}

static bool check_last_event(struct request *r, const char *value)
{
	if (!value || !(route_flags(r->route) & ROUTE_RESUMES))
		return true;
	r->head.last_event_id = value;
	return is_cursor(value) || bad(r, "Last-Event-ID must be an id as it came.");
}

static bool has_body_fields(const struct route *route)
{
	return strcmp(route->method, "GET") != 0;
}

static bool media_is(const char *value, const char *type)
{
	size_t len = strlen(type);
	return strncasecmp(value, type, len) == 0 &&
	       (value[len] == '\0' || value[len] == ';' || value[len] == ' ');
}

static bool check_body_headers(struct request *r, const struct head *head)
{
	if (!head->is_chunked && head->body_bytes == 0)
		return true;
	if (!has_body_fields(r->route))
		return bad(r, "This request takes no body.");
	if (head->body_bytes > REQUEST_BODY_MAX) {
		reply_problem(r, 413, NULL, "The body is longer than 64 KiB.", NULL);
		return false;
	}
	const char *type = head->values[HEAD_CONTENT_TYPE];
	bool form = route_flags(r->route) & ROUTE_FORM;
	if (type && media_is(type, "application/json"))
		return true;
	if (form && type && media_is(type, "application/x-www-form-urlencoded")) {
		r->body.is_form = true;
		return true;
	}
	reply_problem(r, 415, NULL,
		form ? "Content-Type must be application/json or application/x-www-form-urlencoded."
		     : "Content-Type must be application/json.",
		NULL);
	return false;
}

static bool read_query(struct request *r)
{
	struct form form;
	struct err e;
	if (*r->head.query == '\0')
		return true;
	if (form_parse(r->head.query, strlen(r->head.query), &form, &e) < 0) {
		form_done(&form);
		return bad(r, "The query is not well-formed.");
	}
	for (size_t i = 0; i < form.count; i++)
		input_text(&r->input, FIELD_IN_QUERY, form.pairs[i].name, form.pairs[i].value,
			form.pairs[i].value_len);
	form_done(&form);
	return true;
}

// What needs the database's rules and keys: who asks, the path's and the query's values.
static bool check_values(struct request *r, const struct head *head,
	const struct route_part parts[static ROUTE_PARTS_MAX])
{
	if (!r->route->inline_handler && !atomic_load(&r->app->ready)) {
		reply_not_ready(r);
		return false;
	}
	if (!caller_check(r, head) || !check_if_match(r, head->values[HEAD_IF_MATCH]) ||
		!check_key(r, head->values[HEAD_IDEMPOTENCY_KEY]) ||
		!check_last_event(r, head->values[HEAD_LAST_EVENT_ID]) ||
		!check_body_headers(r, head))
		return false;
	input_init(&r->input, r->route);
	input_path(&r->input, parts);
	if (r->input.bad_path) {
		reply_invalid(r);
		return false;
	}
	return read_query(r);
}

static bool check_head(struct request *r, const struct head *head)
{
	struct route_part parts[ROUTE_PARTS_MAX];
	if (!check_path(r) || !find_route(r, parts))
		return false;
	const char *accept = head->values[HEAD_ACCEPT];
	r->head.wants_csv = accept && media_is(accept, "text/csv");
	r->head.wants_lines =
		(route_flags(r->route) & ROUTE_FORM) && accept && media_is(accept, "text/plain");
	return check_values(r, head, parts);
}

void request_head(struct request *r, const struct head *head)
{
	const char *id = head->values[HEAD_REQUEST_ID];
	r->head.method = head->method;
	if (id && is_token(id, REQUEST_ID_MAX))
		(void)!text_copy(r->head.id, sizeof(r->head.id), id);
	if (check_head(r, head))
		r->state = REQUEST_BODY;
}

void request_body(struct request *r, const char *data, size_t len)
{
	if (!r->body.text.overflow)
		str_add_bytes(&r->body.text, data, len);
}

static bool read_form_body(struct request *r)
{
	struct form form;
	struct err e;
	bool parsed = form_parse(r->body.text.data, r->body.text.len, &form, &e) == 0;
	for (size_t i = 0; parsed && i < form.count; i++)
		input_text(&r->input, FIELD_IN_BODY, form.pairs[i].name, form.pairs[i].value,
			form.pairs[i].value_len);
	form_done(&form);
	return parsed || bad(r, "The form is not well-formed.");
}

static bool read_json_body(struct request *r)
{
	struct err e;
	_cleanup_(json_freep) cJSON *body = NULL;
	if (json_parse(r->body.text.data, r->body.text.len, &json_from_client, &body, &e) < 0) {
		_cleanup_(freep) char *sentence =
			xasprintf("The body is not acceptable JSON: %s.", e.message);
		return bad(r, sentence);
	}
	if (!cJSON_IsObject(body))
		return bad(r, "The body must be a JSON object.");
	input_json(&r->input, body);
	return true;
}

// What tells whether a repeated Idempotency-Key comes with the same request: the values as they
// were checked, without those that are secret. It is stored, and a fast hash of a password must not
// be.
static void digest(struct request *r)
{
	_cleanup_(str_done) struct str text = STR_INIT(REQUEST_BODY_MAX * 2);
	str_addf(&text, "%s %s\n", r->head.method, r->route->path);
	FIELDS_EACH (field, r->route) {
		const struct value *value = &r->input.values[field - r->route->fields];
		if (!value->present)
			continue;
		bool secret = (field->flags & FIELD_SEALED) || type_is_secret(field->type);
		str_addf(&text, "%s%s%s\n", field->name, value->text ? "=" : "",
			secret || !value->text ? "" : value->text);
	}
	assert(!text.overflow);
	hash_sha256_hex(str_text(&text), text.len, r->body.sha256);
}

void request_complete(struct request *r)
{
	if (r->body.text.overflow) {
		reply_problem(r, 413, NULL, "The body is longer than 64 KiB.", NULL);
		return;
	}
	if (r->body.text.len > 0 && !(r->body.is_form ? read_form_body(r) : read_json_body(r)))
		return;
	input_finish(&r->input);
	if (r->input.errors) {
		reply_invalid(r);
		return;
	}
	r->route = route_of_values(r->route, &r->input);
	if (!caller_check_new_cookie(r))
		return;
	if (r->head.idempotency_key)
		digest(r);
	if (r->route->inline_handler)
		r->route->inline_handler(r);
}
