// SPDX-License-Identifier: Apache-2.0
// Docker's answers: read, and checked before anything is used.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "agent/container/container.h"
#include "lib/attr.h"

struct err;

enum { DOCKER_ID_SIZE = 65, DOCKER_IMAGE_SIZE = 80, DOCKER_PATH_SIZE = 256 };

struct docker_container {
	char id[DOCKER_ID_SIZE];
	char image_id[DOCKER_IMAGE_SIZE]; // "sha256:..."
	struct container_ids ids; // that it was made with
	char host_id[40]; // label, "" without it
	bool running;
	pid_t pid; // 0 unless running
	int exit_code;
	bool oom_killed;
	bool removal_failed; // what is left of a container that could not be removed: it never starts again
	char sandbox_key[DOCKER_PATH_SIZE]; // its network namespace; "" unless running
	char started_at[40]; // Docker's text: another one means another run
	char upper
		[DOCKER_PATH_SIZE]; // where overlay2 keeps what was changed of the image; "" with other drivers
};

struct docker_image {
	char id[DOCKER_IMAGE_SIZE];
	bool has_volumes;
	char architecture[16]; // "amd64"
};

// What an engine says of itself.
struct docker_engine {
	bool remaps_users; // userns-remap: homes and keys would belong to users that do not exist
	bool has_runtime; // CONTAINER_RUNTIME
	char driver[32]; // of images: "overlay2"
};

struct docker_listed {
	char id[DOCKER_ID_SIZE];
	char host_id[40];
	bool running;
};
enum { DOCKER_LIST_MAX = 4096 };

enum docker_file { DOCKER_REGULAR, DOCKER_DIRECTORY, DOCKER_LINK, DOCKER_OTHER };
struct docker_path {
	enum docker_file type;
	int64_t size;
};

enum docker_action { DOCKER_START, DOCKER_DIE, DOCKER_DESTROY };
struct docker_event {
	enum docker_action action;
	char id[DOCKER_ID_SIZE];
	char host_id[40];
};

// Each reads one kind of answer; *ret is set on success only. Ids are 64 hex digits, a container
// that runs has a pid and an absolute path of its namespace, texts fit or are refused.

// Of a created container.
_must_check_ int docker_answer_id(
	const cJSON *json, char ret[static DOCKER_ID_SIZE], struct err *e);
_must_check_ int docker_answer_container(
	const cJSON *json, struct docker_container *ret, struct err *e);
_must_check_ int docker_answer_image(const cJSON *json, struct docker_image *ret, struct err *e);
// The caller frees *ret (an array).
_must_check_ int docker_answer_list(
	const cJSON *json, struct docker_listed **ret, size_t *ret_count, struct err *e);
// The oldest version of its API that the engine takes, as the second number of 1.x.
_must_check_ int docker_answer_version(const cJSON *json, int *ret_oldest, struct err *e);
_must_check_ int docker_answer_engine(const cJSON *json, struct docker_engine *ret, struct err *e);

// Of a path in a container: the header X-Docker-Container-Path-Stat, NULL without one. base64 of
// JSON with the "mode" of Go's os.FileMode and the "size".
_must_check_ int docker_answer_stat(const char *header, struct docker_path *ret, struct err *e);

// The one file in an archive, NUL-terminated, on the heap: of at most max_bytes.
_must_check_ int docker_answer_file(
	const char *tar, size_t len, size_t max_bytes, char **ret, struct err *e);

// One line of the event stream.
_must_check_ int docker_event_parse(
	const char *line, size_t len, struct docker_event *ret, struct err *e);

// Docker has not done `what` ("start the container"): `e` holds why, in its own words. EAGAIN: 503, or
// another 5xx without a reason, as an engine that is coming up or going down answers; a HEAD has none
// ever. EIO: it would answer the same again. Always -1.
_must_check_ int docker_answer_refusal(
	int status, const char *text, size_t len, const char *what, struct err *e);

// 64 lower-case hex digits.
bool docker_id_is_valid(const char *id);
// Lower-case letters, digits and "-": names and ids that go into a path.
bool docker_segment_is_valid(const char *text);
