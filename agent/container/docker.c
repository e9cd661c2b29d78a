// SPDX-License-Identifier: Apache-2.0
// The Docker client: paths, statuses and shapes of answers in one place.
#include "agent/container/docker.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "agent/container/container.h"
#include "lib/err.h"
#include "lib/http.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { ID_LENGTH = 64, REFERENCE_MAX = 255, MINOR_MAX = 999 };

// The version of the Engine API that everything here is written for, as the second number of 1.x
// (Docker 20.10), and the one that this process speaks: the oldest that its engine takes when that
// is a later one. 0: not asked yet.
enum { MINOR = 41 };
static atomic_int minor_spoken;

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

bool docker_id_is_valid(const char *id)
{
	return strlen(id) == ID_LENGTH && strspn(id, "0123456789abcdef") == ID_LENGTH;
}

bool docker_reference_is_valid(const char *reference)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@-";
	size_t len = strlen(reference);

	return len > 0 && len <= REFERENCE_MAX && strspn(reference, allowed) == len &&
	       !strstr(reference, "..") && reference[0] != '/' && reference[0] != '.';
}

// Names and ids that go into a path.
static bool segment_is_valid(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= REFERENCE_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

// Docker explains itself in {"message": "..."}.
static int refused(const struct http_answer *answer, const char *what, struct err *e)
{
	_cleanup_(json_freep) cJSON *json = NULL;
	struct err unread;
	const char *message = NULL;

	if (json_parse(answer->body, answer->body_len, &json_from_peer, &json, &unread) < 0 ||
		json_get_text(json, "message", &message, &unread) < 0)
		message = "no reason given";
	return err_say(
		e, EIO, "Docker refused to %s (HTTP %d): %.300s", what, answer->status, message);
}

struct docker_call {
	const char *what; // "start the container": ends "Docker refused to ..."
	const char *method;
	const char *path; // below the API version
	const char *body; // JSON or NULL
	size_t answer_max_bytes; // 0: http.h's default
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
	};
	int r = http_do(d->http, &request, w, ret, e);

	if (r < 0)
		return err_wrap(e, "ask Docker to %s", c->what);
	if (r > 0)
		return r;
	if ((ret->status >= 200 && ret->status < 300) || ret->status == 304)
		return 0;
	r = refused(ret, c->what, e);
	return ret->status == 404 ? DOCKER_ABSENT : ret->status == 409 ? DOCKER_CONFLICT : r;
}

static int minor_read(const struct http_answer *answer, int *ret, struct err *e)
{
	_cleanup_(json_freep) cJSON *json = NULL;
	const char *oldest;
	char *end;
	long minor;

	if (json_parse(answer->body, answer->body_len, &json_from_peer, &json, e) < 0 ||
		json_get_text(json, "MinAPIVersion", &oldest, e) < 0)
		return err_wrap(e, "read Docker's version");
	minor = strncmp(oldest, "1.", 2) == 0 ? strtol(oldest + 2, &end, 10) : -1;
	if (minor < 0 || minor > MINOR_MAX || *end != '\0')
		return err_say(
			e, EPROTO, "Docker speaks no version 1 of its API any more: %.20s", oldest);
	*ret = minor > MINOR ? (int)minor : MINOR;
	return 0;
}

static int minor_learn(struct docker *d, const struct wait *w, struct err *e)
{
	const struct docker_call c = {.what = "tell its version", .method = "GET"};
	struct http_answer answer = {0};
	int minor, r;

	if (atomic_load(&minor_spoken) != 0)
		return 0;
	r = ask(d, &c, "/version", w, &answer, e);
	if (r == 0)
		r = minor_read(&answer, &minor, e);
	if (r == 0)
		atomic_store(&minor_spoken, minor);
	http_answer_done(&answer);
	return r == DOCKER_ABSENT || r == DOCKER_CONFLICT ? -1 : r; // of no container
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
	struct http_answer answer = {0};
	int r = call(d, c, w, &answer, e);

	if (r == 0 && json_parse(answer.body, answer.body_len, &json_from_peer, ret, e) < 0)
		r = err_wrap(e, "read Docker's answer to: %s", c->what);
	http_answer_done(&answer);
	return r;
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

// Copies a text member that must fit and, with `check`, be valid.
static int copy_text(const cJSON *object, const char *name, char *ret, size_t size, struct err *e)
{
	const char *text;

	if (json_get_text(object, name, &text, e) < 0)
		return err_wrap(e, "read Docker's answer");
	if (!text_copy(ret, size, text))
		return err_say(e, EPROTO, "Docker answered a %s that is too long", name);
	return 0;
}

static int copy_id(
	const cJSON *object, const char *name, char ret[static DOCKER_ID_SIZE], struct err *e)
{
	if (copy_text(object, name, ret, DOCKER_ID_SIZE, e) < 0)
		return -1;
	if (!docker_id_is_valid(ret))
		return err_say(e, EPROTO, "Docker answered something that is no container id");
	return 0;
}

static int copy_image_id(
	const cJSON *object, const char *name, char ret[static DOCKER_IMAGE_SIZE], struct err *e)
{
	if (copy_text(object, name, ret, DOCKER_IMAGE_SIZE, e) < 0)
		return -1;
	if (strncmp(ret, "sha256:", 7) != 0 || !docker_id_is_valid(ret + 7))
		return err_say(e, EPROTO, "Docker answered something that is no image id");
	return 0;
}

// The host id of our label, "" when the label is missing or no id.
static void copy_host_id(const cJSON *labels, char *ret, size_t size)
{
	const cJSON *label = cJSON_GetObjectItemCaseSensitive(labels, CONTAINER_LABEL_HOST);

	if (!cJSON_IsString(label) || !segment_is_valid(label->valuestring) ||
		!text_copy(ret, size, label->valuestring))
		ret[0] = '\0';
}

int docker_remaps_users(struct docker *d, const struct wait *w, bool *ret, struct err *e)
{
	const struct docker_call c = {.what = "describe itself", .method = "GET", .path = "/info"};
	_cleanup_(json_freep) cJSON *info = NULL;
	const cJSON *options = NULL, *option;
	int r = call_json(d, &c, w, &info, e);

	if (r != 0)
		return r;
	if (json_opt_array(info, "SecurityOptions", &options, e) < 0)
		return err_wrap(e, "read Docker's answer");
	*ret = false;
	cJSON_ArrayForEach (option, options) {
		if (cJSON_IsString(option) && strncmp(option->valuestring, "name=userns", 11) == 0)
			*ret = true;
	}
	return 0;
}

int docker_image_inspect(struct docker *d, const char *reference, const struct wait *w,
	struct docker_image *ret, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("/images/%s/json", reference);
	const struct docker_call c = {.what = "inspect the image", .method = "GET", .path = path};
	_cleanup_(json_freep) cJSON *json = NULL;
	const cJSON *config = NULL, *volumes = NULL;
	struct docker_image image = {0};
	int r;

	if (!docker_reference_is_valid(reference))
		return err_say(
			e, EINVAL, "\"%.80s\" is no image name; write it as name:tag", reference);
	r = call_json(d, &c, w, &json, e);
	if (r != 0)
		return r;
	if (copy_image_id(json, "Id", image.id, e) < 0 ||
		copy_text(json, "Architecture", image.architecture, sizeof(image.architecture), e) <
			0 ||
		json_opt_object(json, "Config", &config, e) < 0 ||
		(config && json_opt_object(config, "Volumes", &volumes, e) < 0))
		return -1;
	image.has_volumes = volumes && volumes->child;
	*ret = image;
	return 0;
}

int docker_create(struct docker *d, const char *name, const char *body, const struct wait *w,
	char ret_id[static DOCKER_ID_SIZE], struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("/containers/create?name=%s", name);
	const struct docker_call c = {
		.what = "create the container", .method = "POST", .path = path, .body = body};
	_cleanup_(json_freep) cJSON *json = NULL;
	int r;

	if (!segment_is_valid(name))
		return err_say(e, EINVAL, "\"%.80s\" is no container name", name);
	r = call_json(d, &c, w, &json, e);
	return r != 0 ? r : copy_id(json, "Id", ret_id, e);
}

static int act(struct docker *d, const struct docker_call *c, const char *id, const struct wait *w,
	struct err *e)
{
	if (!segment_is_valid(id))
		return err_say(e, EINVAL, "\"%.80s\" is no container", id);
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

static int container_read(const cJSON *json, struct docker_container *ret, struct err *e)
{
	const cJSON *state, *config, *labels = NULL, *network;
	int64_t pid, exit_code;

	if (copy_id(json, "Id", ret->id, e) < 0 ||
		copy_image_id(json, "Image", ret->image_id, e) < 0 ||
		json_get_object(json, "State", &state, e) < 0 ||
		json_get_object(json, "Config", &config, e) < 0 ||
		json_get_object(json, "NetworkSettings", &network, e) < 0 ||
		json_get_bool(state, "Running", &ret->running, e) < 0 ||
		json_get_bool(state, "OOMKilled", &ret->oom_killed, e) < 0 ||
		json_get_int(state, "Pid", 0, INT32_MAX, &pid, e) < 0 ||
		json_get_int(state, "ExitCode", INT32_MIN, INT32_MAX, &exit_code, e) < 0 ||
		copy_text(state, "StartedAt", ret->started_at, sizeof(ret->started_at), e) < 0 ||
		copy_text(network, "SandboxKey", ret->sandbox_key, sizeof(ret->sandbox_key), e) <
			0 ||
		json_opt_object(config, "Labels", &labels, e) < 0)
		return err_wrap(e, "read Docker's answer");
	ret->pid = (pid_t)pid;
	ret->exit_code = (int)exit_code;
	if (labels)
		copy_host_id(labels, ret->host_id, sizeof(ret->host_id));
	if (ret->running && (ret->pid < 2 || ret->sandbox_key[0] != '/'))
		return err_say(e, EPROTO, "Docker says the container runs, but not where");
	return 0;
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

	if (!segment_is_valid(id))
		return err_say(e, EINVAL, "\"%.80s\" is no container", id);
	r = call_json(d, &c, w, &json, e);
	if (r == 0)
		r = container_read(json, &container, e);
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

static int listed_read(const cJSON *json, struct docker_listed *ret, struct err *e)
{
	const cJSON *labels;
	const char *state;

	if (copy_id(json, "Id", ret->id, e) < 0 || json_get_text(json, "State", &state, e) < 0 ||
		json_get_object(json, "Labels", &labels, e) < 0)
		return err_wrap(e, "read Docker's list");
	ret->running = strcmp(state, "running") == 0 || strcmp(state, "paused") == 0;
	copy_host_id(labels, ret->host_id, sizeof(ret->host_id));
	return 0;
}

int docker_list(struct docker *d, const char *node, const char *cluster, const struct wait *w,
	struct docker_listed **ret, size_t *ret_count, struct err *e)
{
	_cleanup_(json_freep) cJSON *filters = json_new_object();
	_cleanup_(json_freep) cJSON *json = NULL;
	_cleanup_(freep) struct docker_listed *list = NULL;
	_cleanup_(freep) char *encoded = NULL;
	_cleanup_(freep) char *path = NULL;
	struct docker_call c = {.what = "list containers", .method = "GET"};
	const cJSON *item;
	size_t count = 0;
	int r;

	filter_labels(filters, node, cluster);
	encoded = filters_encode(filters);
	path = xasprintf("/containers/json?all=1&filters=%s", encoded);
	c.path = path;
	r = call_json(d, &c, w, &json, e);
	if (r != 0)
		return r;
	if (!cJSON_IsArray(json) || cJSON_GetArraySize(json) > DOCKER_LIST_MAX)
		return err_say(e, EPROTO, "Docker's list is no list or has more than %d containers",
			DOCKER_LIST_MAX);
	list = xcalloc((size_t)cJSON_GetArraySize(json) + 1, sizeof(*list));
	cJSON_ArrayForEach (item, json) {
		if (listed_read(item, &list[count++], e) < 0)
			return -1;
	}
	*ret = TAKE_PTR(list);
	*ret_count = count;
	return 0;
}

// The archive of a file is a tar with one member. ustar, POSIX.1-1988: size at byte 124 in octal,
// 512-byte header; a link comes as itself, so Docker was asked for the path behind it.
static int tar_first_file(
	const struct http_answer *tar, size_t max_bytes, char **ret, struct err *e)
{
	char digits[13] = "";
	unsigned long size;

	if (tar->body_len < 512)
		return err_say(e, EPROTO, "Docker's archive is too short");
	memcpy(digits, tar->body + 124, 12);
	size = strtoul(digits, NULL, 8);
	if ((tar->body[156] != '0' && tar->body[156] != '\0') || size > max_bytes ||
		size > tar->body_len - 512)
		return err_say(e, EPROTO,
			"Docker's archive holds no plain file of at most %zu bytes", max_bytes);
	*ret = xstrndup(tar->body + 512, size);
	return 0;
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
		return err_say(e, EINVAL, "\"%.80s\" is no container id", id);
	r = call(d, &c, w, &answer, e);
	if (r == 0)
		r = tar_first_file(&answer, max_bytes, ret, e);
	http_answer_done(&answer);
	return r;
}

int docker_has_file(struct docker *d, const char *id, const char *file, const struct wait *w,
	bool *ret, struct err *e)
{
	_cleanup_(freep) char *encoded = url_encode(file);
	_cleanup_(freep) char *path = xasprintf("/containers/%s/archive?path=%s", id, encoded);
	const struct docker_call c = {
		.what = "look for a file of the image", .method = "HEAD", .path = path};
	int r = act(d, &c, id, w, e);

	if (r != 0 && r != DOCKER_ABSENT)
		return r;
	*ret = r == 0;
	return 0;
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

int docker_event_parse(const char *line, size_t len, struct docker_event *ret, struct err *e)
{
	static const char *const actions[] = {
		[DOCKER_START] = "start", [DOCKER_DIE] = "die", [DOCKER_DESTROY] = "destroy"};
	_cleanup_(json_freep) cJSON *json = NULL;
	const cJSON *actor, *attributes;
	struct docker_event event = {0};
	const char *action;

	if (json_parse(line, len, &json_from_peer, &json, e) < 0 ||
		json_get_text(json, "Action", &action, e) < 0 ||
		json_get_object(json, "Actor", &actor, e) < 0 ||
		json_get_object(actor, "Attributes", &attributes, e) < 0 ||
		copy_id(actor, "ID", event.id, e) < 0)
		return err_wrap(e, "read an event of Docker's");
	copy_host_id(attributes, event.host_id, sizeof(event.host_id));
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(action, actions[i]) == 0) {
			event.action = (enum docker_action)i;
			*ret = event;
			return 0;
		}
	}
	return err_say(e, EPROTO, "Docker sent an event that was not asked for: %.40s", action);
}
