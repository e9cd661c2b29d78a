// SPDX-License-Identifier: Apache-2.0
// Docker's answers: read, and checked before anything is used.
#include "agent/container/docker_answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "agent/container/container.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

// A name and a link's target of PATH_MAX bytes each, escaped.
enum { ID_LENGTH = 64, SEGMENT_MAX = 255, MINOR_MAX = 999, STAT_MAX = 64 * 1024 };

bool docker_id_is_valid(const char *id)
{
	return strlen(id) == ID_LENGTH && strspn(id, "0123456789abcdef") == ID_LENGTH;
}

bool docker_segment_is_valid(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= SEGMENT_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
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
		return err_say(e, EPROTO, "Docker answered something that is not a container id");
	return 0;
}

static int copy_image_id(
	const cJSON *object, const char *name, char ret[static DOCKER_IMAGE_SIZE], struct err *e)
{
	if (copy_text(object, name, ret, DOCKER_IMAGE_SIZE, e) < 0)
		return -1;
	if (strncmp(ret, "sha256:", 7) != 0 || !docker_id_is_valid(ret + 7))
		return err_say(e, EPROTO, "Docker answered something that is not an image id");
	return 0;
}

// The host id of our label, "" when the label is missing or no id.
static void copy_host_id(const cJSON *labels, char *ret, size_t size)
{
	const cJSON *label = cJSON_GetObjectItemCaseSensitive(labels, CONTAINER_LABEL_HOST);

	if (!cJSON_IsString(label) || !docker_segment_is_valid(label->valuestring) ||
		!text_copy(ret, size, label->valuestring))
		ret[0] = '\0';
}

int docker_answer_id(const cJSON *json, char ret[static DOCKER_ID_SIZE], struct err *e)
{
	return copy_id(json, "Id", ret, e);
}

// Docker explains itself in {"message": "..."}.
int docker_answer_refusal(int status, const char *text, size_t len, const char *what, struct err *e)
{
	_cleanup_(json_freep) cJSON *json = NULL;
	struct err ignored;
	const char *reason = NULL;
	bool told = json_parse(text, len, &json_from_peer, &json, &ignored) == 0 &&
		    json_get_text(json, "message", &reason, &ignored) == 0;
	bool later = status == 503 || (status >= 500 && !told);

	return err_say(e, later ? EAGAIN : EIO, "Docker refused to %s (HTTP %d): %.300s", what,
		status, told ? reason : "no reason given");
}

int docker_answer_version(const cJSON *json, int *ret_oldest, struct err *e)
{
	const char *oldest;
	char *end;
	long minor;

	if (json_get_text(json, "MinAPIVersion", &oldest, e) < 0)
		return err_wrap(e, "read Docker's version");
	minor = strncmp(oldest, "1.", 2) == 0 ? strtol(oldest + 2, &end, 10) : -1;
	if (minor < 0 || minor > MINOR_MAX || *end != '\0')
		return err_say(
			e, EPROTO, "Docker speaks no version 1 of its API any more: %.20s", oldest);
	*ret_oldest = (int)minor;
	return 0;
}

// What os.FileMode's bits above the permissions say (go.dev/src/io/fs/fs.go). Set-user-id,
// set-group-id and sticky are permissions too.
static enum docker_file file_type(int64_t mode)
{
	static const int64_t directory = 1LL << 31, link = 1LL << 27;
	static const int64_t permissions = 0777 | 1LL << 23 | 1LL << 22 | 1LL << 20;
	int64_t type = mode & ~permissions;

	return type == 0           ? DOCKER_REGULAR
	       : type == directory ? DOCKER_DIRECTORY
	       : type == link      ? DOCKER_LINK
				   : DOCKER_OTHER;
}

int docker_answer_stat(const char *header, struct docker_path *ret, struct err *e)
{
	_cleanup_(json_freep) cJSON *json = NULL;
	char text[STAT_MAX];
	size_t len;
	int64_t mode, size;

	if (!header ||
		sodium_base642bin((unsigned char *)text, sizeof(text), header, strlen(header), NULL,
			&len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return err_say(e, EPROTO, "Docker does not tell what a file is");
	if (json_parse(text, len, &json_from_peer, &json, e) < 0 ||
		json_get_int(json, "mode", 0, UINT32_MAX, &mode, e) < 0 ||
		json_get_int(json, "size", 0, 1LL << 53, &size, e) < 0)
		return err_wrap(e, "read what Docker tells of a file");
	*ret = (struct docker_path){.type = file_type(mode), .size = size};
	return 0;
}

int docker_answer_engine(const cJSON *json, struct docker_engine *ret, struct err *e)
{
	const cJSON *options = NULL, *runtimes = NULL, *option;
	struct docker_engine engine = {0};

	if (json_opt_array(json, "SecurityOptions", &options, e) < 0 ||
		json_opt_object(json, "Runtimes", &runtimes, e) < 0 ||
		copy_text(json, "Driver", engine.driver, sizeof(engine.driver), e) < 0)
		return err_wrap(e, "read what Docker says of itself");
	cJSON_ArrayForEach (option, options) {
		if (cJSON_IsString(option) && strncmp(option->valuestring, "name=userns", 11) == 0)
			engine.remaps_users = true;
	}
	engine.has_runtime = cJSON_GetObjectItemCaseSensitive(runtimes, CONTAINER_RUNTIME);
	*ret = engine;
	return 0;
}

int docker_answer_image(const cJSON *json, struct docker_image *ret, struct err *e)
{
	const cJSON *config = NULL, *volumes = NULL;
	struct docker_image image = {0};

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

// What CONTAINER_IDS says; none when it is missing or says something else.
static struct container_ids ids_of(const cJSON *env)
{
	const cJSON *entry;
	long long base, owner;
	int end = 0;

	cJSON_ArrayForEach (entry, env) {
		if (cJSON_IsString(entry) &&
			sscanf(entry->valuestring, CONTAINER_IDS "=%10lld:%10lld%n", &base, &owner,
				&end) == 2 &&
			entry->valuestring[end] == '\0')
			return (struct container_ids){.base = base, .owner = owner};
	}
	return (struct container_ids){0};
}

static int container_ids_read(const cJSON *json, struct container_ids *ret, struct err *e)
{
	const cJSON *config, *host, *env = NULL;
	const char *runtime = NULL;

	if (json_get_object(json, "Config", &config, e) < 0 ||
		json_get_object(json, "HostConfig", &host, e) < 0 ||
		json_opt_array(config, "Env", &env, e) < 0 ||
		json_opt_text(host, "Runtime", &runtime, e) < 0)
		return err_wrap(e, "read Docker's answer");
	bool has_own = runtime && strcmp(runtime, CONTAINER_RUNTIME) == 0;
	*ret = has_own ? ids_of(env) : (struct container_ids){0};
	return 0;
}

// The directory that the graph driver overlay2 calls <home>/<id>/diff.
static int upper_read(const cJSON *json, char ret[static DOCKER_PATH_SIZE], struct err *e)
{
	const cJSON *driver = NULL, *data = NULL;
	const char *upper = "";

	if (json_opt_object(json, "GraphDriver", &driver, e) < 0 ||
		(driver && json_opt_object(driver, "Data", &data, e) < 0) ||
		(data && json_opt_text(data, "UpperDir", &upper, e) < 0))
		return err_wrap(e, "read Docker's answer");
	size_t len = strlen(upper);
	if (len != 0 && (upper[0] != '/' || len < 5 || strcmp(upper + len - 5, "/diff") != 0))
		return err_say(e, EPROTO,
			"Docker keeps the container's files in %.128s, not in .../diff", upper);
	if (!text_copy(ret, DOCKER_PATH_SIZE, upper))
		return err_say(e, EPROTO, "Docker answered an UpperDir that is too long");
	return 0;
}

int docker_answer_container(const cJSON *json, struct docker_container *ret, struct err *e)
{
	const cJSON *state, *config, *labels = NULL, *network;
	const char *status = NULL;
	int64_t pid, exit_code;

	if (copy_id(json, "Id", ret->id, e) < 0 ||
		copy_image_id(json, "Image", ret->image_id, e) < 0 ||
		json_get_object(json, "State", &state, e) < 0 ||
		json_get_object(json, "Config", &config, e) < 0 ||
		json_get_object(json, "NetworkSettings", &network, e) < 0 ||
		json_get_bool(state, "Running", &ret->running, e) < 0 ||
		json_get_bool(state, "OOMKilled", &ret->oom_killed, e) < 0 ||
		json_opt_text(state, "Status", &status, e) < 0 ||
		json_get_int(state, "Pid", 0, INT32_MAX, &pid, e) < 0 ||
		json_get_int(state, "ExitCode", INT32_MIN, INT32_MAX, &exit_code, e) < 0 ||
		copy_text(state, "StartedAt", ret->started_at, sizeof(ret->started_at), e) < 0 ||
		copy_text(network, "SandboxKey", ret->sandbox_key, sizeof(ret->sandbox_key), e) <
			0 ||
		json_opt_object(config, "Labels", &labels, e) < 0)
		return err_wrap(e, "read Docker's answer");
	if (container_ids_read(json, &ret->ids, e) < 0 || upper_read(json, ret->upper, e) < 0)
		return -1;
	ret->pid = (pid_t)pid;
	ret->exit_code = (int)exit_code;
	ret->removal_failed = status && strcmp(status, "dead") == 0; // "removing" passes
	if (labels)
		copy_host_id(labels, ret->host_id, sizeof(ret->host_id));
	if (ret->running && (ret->pid < 2 || ret->sandbox_key[0] != '/'))
		return err_say(e, EPROTO, "Docker says the container runs, but not where");
	return 0;
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

int docker_answer_list(
	const cJSON *json, struct docker_listed **ret, size_t *ret_count, struct err *e)
{
	_cleanup_(freep) struct docker_listed *list = NULL;
	const cJSON *item;
	size_t count = 0;

	if (!cJSON_IsArray(json) || cJSON_GetArraySize(json) > DOCKER_LIST_MAX)
		return err_say(e, EPROTO,
			"Docker's list is not a list or has more than %d containers",
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
int docker_answer_file(const char *tar, size_t len, size_t max_bytes, char **ret, struct err *e)
{
	char digits[13] = "";
	unsigned long size;

	if (len < 512)
		return err_say(e, EPROTO, "Docker's archive is too short");
	memcpy(digits, tar + 124, 12);
	size = strtoul(digits, NULL, 8);
	if ((tar[156] != '0' && tar[156] != '\0') || size > max_bytes || size > len - 512)
		return err_say(e, EPROTO,
			"Docker's archive holds no plain file of at most %zu bytes", max_bytes);
	*ret = xstrndup(tar + 512, size);
	return 0;
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
