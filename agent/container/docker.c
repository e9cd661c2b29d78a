// SPDX-License-Identifier: Apache-2.0
// The Docker client: paths and statuses in one place.
#include "agent/container/docker.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "agent/container/container.h"
#include "agent/container/docker_answer.h"
#include "lib/err.h"
#include "lib/http.h"
#include "lib/json.h"
#include "lib/mem.h"

// The version of the Engine API that everything here is written for, as the second number of 1.x
// (Docker 20.10), and the one that this process speaks: the oldest that its engine takes when that
// is a later one. 0: not asked yet.
enum { MINOR = 41 };
static atomic_int minor_spoken;

enum { REFERENCE_MAX = 255 };

struct docker {
	struct http *http;
	char *socket_path;
};

struct docker *docker_new(const char *socket_path)
{
	struct docker *d = xnew(struct docker);

	d->http = http_new();
	d->socket_path = xstrdup(socket_path);
	return d;
}

void docker_free(struct docker *d)
{
	if (!d)
		return;
	http_free(d->http);
	free(d->socket_path);
	free(d);
}

void docker_freep(struct docker **d)
{
	docker_free(*d);
}

bool docker_reference_is_valid(const char *reference)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@-";
	size_t len = strlen(reference);

	return len > 0 && len <= REFERENCE_MAX && strspn(reference, allowed) == len &&
	       !strstr(reference, "..") && reference[0] != '/' && reference[0] != '.';
}

struct docker_call {
	const char *what; // "start the container": ends "Docker refused to ..."
	const char *method;
	const char *path; // below the API version
	const char *body; // JSON or NULL
	size_t answer_max_bytes; // 0: http.h's default
	const char *answer_header; // the one that is wanted, or NULL
};

// Asks with the whole path. 0 for 2xx and 304, DOCKER_ABSENT, DOCKER_CONFLICT, WAIT_*, -1.
static int ask(struct docker *d, const struct docker_call *c, const char *path,
	const struct wait *w, struct http_answer *ret, struct err *e)
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	_cleanup_(freep) char *url = xasprintf("http://docker%s", path);
	struct http_request request = {
		.method = c->method,
		.url = url,
		.unix_path = d->socket_path,
		.headers = c->body ? headers : NULL,
		.body = c->body,
		.body_len = c->body ? strlen(c->body) : 0,
		.answer_max_bytes = c->answer_max_bytes,
		.answer_header = c->answer_header,
	};
	int r = http_do(d->http, &request, w, ret, e);

	if (r < 0)
		return err_wrap(e, "ask Docker to %s", c->what);
	if (r == WAIT_TIMEOUT)
		err_note(e, ETIMEDOUT,
			"Docker did not %s in time: if it answers for other hosts, it is stuck with this "
			"one; a restart of the Docker engine ends that and leaves running hosts alone",
			c->what);
	if (r > 0)
		return r;
	if ((ret->status >= 200 && ret->status < 300) || ret->status == 304)
		return 0;
	r = docker_answer_refusal(ret->status, ret->body, ret->body_len, c->what, e);
	return ret->status == 404 ? DOCKER_ABSENT : ret->status == 409 ? DOCKER_CONFLICT : r;
}

static int answer_parse(
	const struct docker_call *c, const struct http_answer *answer, cJSON **ret, struct err *e)
{
	if (json_parse(answer->body, answer->body_len, &json_from_peer, ret, e) < 0)
		return err_wrap(e, "read Docker's answer to: %s", c->what);
	return 0;
}

static int minor_learn(struct docker *d, const struct wait *w, struct err *e)
{
	const struct docker_call c = {.what = "tell its version", .method = "GET"};
	_cleanup_(http_answer_done) struct http_answer answer = {0};
	_cleanup_(json_freep) cJSON *json = NULL;
	int oldest, r;

	if (atomic_load(&minor_spoken) != 0)
		return 0;
	r = ask(d, &c, "/version", w, &answer, e);
	if (r == DOCKER_ABSENT || r == DOCKER_CONFLICT)
		return -1; // these are about a container
	if (r == 0)
		r = answer_parse(&c, &answer, &json, e);
	if (r == 0)
		r = docker_answer_version(json, &oldest, e);
	if (r == 0)
		atomic_store(&minor_spoken, oldest > MINOR ? oldest : MINOR);
	return r;
}

// The path of a call or a stream with the version in front.
static char *path_of(const char *path)
{
	int minor = atomic_load(&minor_spoken);

	return xasprintf("/v1.%d%s", minor == 0 ? MINOR : minor, path);
}

// Like ask, in the version that is spoken. *ret is all zero before.
static int call(struct docker *d, const struct docker_call *c, const struct wait *w,
	struct http_answer *ret, struct err *e)
{
	_cleanup_(freep) char *path = NULL;
	int r = minor_learn(d, w, e);

	if (r != 0)
		return r;
	path = path_of(c->path);
	return ask(d, c, path, w, ret, e);
}

static int call_json(struct docker *d, const struct docker_call *c, const struct wait *w,
	cJSON **ret, struct err *e)
{
	_cleanup_(http_answer_done) struct http_answer answer = {0};
	int r = call(d, c, w, &answer, e);

	return r == 0 ? answer_parse(c, &answer, ret, e) : r;
}

// For calls whose answer has no body that matters.
static int call_plain(
	struct docker *d, const struct docker_call *c, const struct wait *w, struct err *e)
{
	struct http_answer answer = {0};
	int r = call(d, c, w, &answer, e);

	http_answer_done(&answer);
	return r;
}

int docker_describe(
	struct docker *d, const struct wait *w, struct docker_engine *ret, struct err *e)
{
	const struct docker_call c = {.what = "describe itself", .method = "GET", .path = "/info"};
	_cleanup_(json_freep) cJSON *info = NULL;
	int r = call_json(d, &c, w, &info, e);

	return r == 0 ? docker_answer_engine(info, ret, e) : r;
}

int docker_image_inspect(struct docker *d, const char *reference, const struct wait *w,
	struct docker_image *ret, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("/images/%s/json", reference);
	const struct docker_call c = {.what = "inspect the image", .method = "GET", .path = path};
	_cleanup_(json_freep) cJSON *json = NULL;
	int r;

	if (!docker_reference_is_valid(reference))
		return err_say(e, EINVAL, "\"%.80s\" is not an image name; write it as name:tag",
			reference);
	r = call_json(d, &c, w, &json, e);
	return r == 0 ? docker_answer_image(json, ret, e) : r;
}

int docker_create(struct docker *d, const char *name, const char *body, const struct wait *w,
	char ret_id[static DOCKER_ID_SIZE], struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("/containers/create?name=%s", name);
	const struct docker_call c = {
		.what = "create the container", .method = "POST", .path = path, .body = body};
	_cleanup_(json_freep) cJSON *json = NULL;
	int r;

	if (!docker_segment_is_valid(name))
		return err_say(e, EINVAL, "\"%.80s\" is not a container name", name);
	r = call_json(d, &c, w, &json, e);
	return r == 0 ? docker_answer_id(json, ret_id, e) : r;
}

static int act(struct docker *d, const struct docker_call *c, const char *id, const struct wait *w,
	struct err *e)
{
	if (!docker_segment_is_valid(id))
		return err_say(e, EINVAL, "\"%.80s\" is not a container", id);
	return call_plain(d, c, w, e);
}

int docker_start(struct docker *d, const char *id, const struct wait *w, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("/containers/%s/start", id);
	const struct docker_call c = {
		.what = "start the container", .method = "POST", .path = path};

	return act(d, &c, id, w, e);
}

int docker_stop(struct docker *d, const char *id, int grace_s, const struct wait *w, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("/containers/%s/stop?t=%d", id, grace_s);
	const struct docker_call c = {.what = "stop the container", .method = "POST", .path = path};
	int r = act(d, &c, id, w, e);

	return r == DOCKER_ABSENT ? 0 : r;
}

int docker_remove(struct docker *d, const char *id, const struct wait *w, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("/containers/%s?force=1&v=1", id);
	const struct docker_call c = {
		.what = "remove the container", .method = "DELETE", .path = path};
	int r = act(d, &c, id, w, e);

	return r == DOCKER_ABSENT ? 0 : r;
}

int docker_inspect(struct docker *d, const char *id, const struct wait *w,
	struct docker_container *ret, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("/containers/%s/json", id);
	const struct docker_call c = {
		.what = "inspect the container", .method = "GET", .path = path};
	_cleanup_(json_freep) cJSON *json = NULL;
	struct docker_container container = {0};
	int r;

	if (!docker_segment_is_valid(id))
		return err_say(e, EINVAL, "\"%.80s\" is not a container", id);
	r = call_json(d, &c, w, &json, e);
	if (r == 0)
		r = docker_answer_container(json, &container, e);
	if (r == 0)
		*ret = container;
	return r;
}

int docker_update(
	struct docker *d, const char *id, const char *body, const struct wait *w, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("/containers/%s/update", id);
	const struct docker_call c = {.what = "change the container's limits",
		.method = "POST",
		.path = path,
		.body = body};

	return act(d, &c, id, w, e);
}

// On the heap, from our own allocator.
static char *url_encode(const char *text)
{
	char *encoded = curl_easy_escape(NULL, text, 0);
	if (!encoded)
		abort(); // out of memory
	char *copy = xstrdup(encoded);
	curl_free(encoded);
	return copy;
}

static void filter_labels(cJSON *filters, const char *node, const char *cluster)
{
	cJSON *labels = json_set_array(filters, "label");
	_cleanup_(freep) char *by_node = xasprintf("%s=%s", CONTAINER_LABEL_NODE, node);
	_cleanup_(freep) char *by_cluster = xasprintf("%s=%s", CONTAINER_LABEL_CLUSTER, cluster);

	json_add_text(labels, by_node);
	json_add_text(labels, by_cluster);
}

static char *filters_encode(const cJSON *filters)
{
	_cleanup_(freep) char *text = json_print(filters);

	return url_encode(text);
}

int docker_list(struct docker *d, const char *node, const char *cluster, const struct wait *w,
	struct docker_listed **ret, size_t *ret_count, struct err *e)
{
	_cleanup_(json_freep) cJSON *filters = json_new_object();
	_cleanup_(json_freep) cJSON *json = NULL;
	_cleanup_(freep) char *encoded = NULL;
	_cleanup_(freep) char *path = NULL;
	struct docker_call c = {.what = "list containers", .method = "GET"};
	int r;

	filter_labels(filters, node, cluster);
	encoded = filters_encode(filters);
	path = xasprintf("/containers/json?all=1&filters=%s", encoded);
	c.path = path;
	r = call_json(d, &c, w, &json, e);
	return r == 0 ? docker_answer_list(json, ret, ret_count, e) : r;
}

int docker_read_file(struct docker *d, const char *id, const char *file, size_t max_bytes,
	const struct wait *w, char **ret, struct err *e)
{
	_cleanup_(freep) char *encoded = url_encode(file);
	_cleanup_(freep) char *path = xasprintf("/containers/%s/archive?path=%s", id, encoded);
	const struct docker_call c = {.what = "read a file of the image",
		.method = "GET",
		.path = path,
		.answer_max_bytes = max_bytes + 4096};
	struct http_answer answer = {0};
	int r;

	if (!docker_id_is_valid(id))
		return err_say(e, EINVAL, "\"%.80s\" is not a container id", id);
	r = call(d, &c, w, &answer, e);
	if (r == 0)
		r = docker_answer_file(answer.body, answer.body_len, max_bytes, ret, e);
	http_answer_done(&answer);
	return r;
}

int docker_stat(struct docker *d, const char *id, const char *file, const struct wait *w,
	struct docker_path *ret, struct err *e)
{
	_cleanup_(freep) char *encoded = url_encode(file);
	_cleanup_(freep) char *path = xasprintf("/containers/%s/archive?path=%s", id, encoded);
	const struct docker_call c = {.what = "look at a file of the container",
		.method = "HEAD",
		.path = path,
		.answer_header = "X-Docker-Container-Path-Stat"};
	_cleanup_(http_answer_done) struct http_answer answer = {0};
	int r;

	if (!docker_id_is_valid(id))
		return err_say(e, EINVAL, "\"%.80s\" is not a container id", id);
	r = call(d, &c, w, &answer, e);
	return r == 0 ? docker_answer_stat(answer.header, ret, e) : r;
}

char *docker_events_request(const char *node, const char *cluster)
{
	_cleanup_(json_freep) cJSON *filters = json_new_object();
	_cleanup_(freep) char *encoded = NULL, *path = NULL;
	cJSON *events;

	json_add_text(json_set_array(filters, "type"), "container");
	events = json_set_array(filters, "event");
	json_add_text(events, "start");
	json_add_text(events, "die");
	json_add_text(events, "destroy");
	filter_labels(filters, node, cluster);
	encoded = filters_encode(filters);
	path = path_of("/events");
	return xasprintf("GET %s?filters=%s HTTP/1.0\r\nHost: docker\r\n\r\n", path, encoded);
}
