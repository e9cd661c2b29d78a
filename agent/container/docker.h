// SPDX-License-Identifier: Apache-2.0
// Docker over its Unix socket: the few calls the agent needs, each with a deadline.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/outcome.h"
#include "lib/wait.h"

struct err;
struct docker;

// Speaks version 1.41 of the Engine API (Docker 20.10), or the oldest that the engine takes: the
// process asks once, with its first call. A client belongs to one thread and keeps its connection.
// Everything Docker answers is checked before it is used: ids are 64 hex digits, paths absolute.
struct docker *docker_new(const char *socket_path);
void docker_free(struct docker *d);
void docker_freep(struct docker **d);

// Besides 0, WAIT_TIMEOUT, WAIT_CANCELED and -1 (Docker's own sentence is in `e`).
enum docker_outcome {
	DOCKER_ABSENT = OUTCOMES_DOCKER, // no such container or image
	DOCKER_CONFLICT, // the name is taken, or it is being removed
};

enum { DOCKER_ID_SIZE = 65, DOCKER_IMAGE_SIZE = 80, DOCKER_PATH_SIZE = 256 };

struct docker_container {
	char id[DOCKER_ID_SIZE];
	char image_id[DOCKER_IMAGE_SIZE]; // "sha256:..."
	char host_id[40]; // label, "" without it
	bool running;
	pid_t pid; // 0 unless running
	int exit_code;
	bool oom_killed;
	char sandbox_key[DOCKER_PATH_SIZE]; // its network namespace; "" unless running
	char started_at[40]; // Docker's text: another one means another run
};

struct docker_image {
	char id[DOCKER_IMAGE_SIZE];
	bool has_volumes;
	char architecture[16]; // "amd64"
};

// The daemon maps user ids (userns-remap): homes and keys would belong to nobody.
_must_check_ int docker_remaps_users(
	struct docker *d, const struct wait *w, bool *ret, struct err *e);

// `reference` is a name with tag or an id. DOCKER_ABSENT: not present (nothing is pulled).
_must_check_ int docker_image_inspect(struct docker *d, const char *reference, const struct wait *w,
	struct docker_image *ret, struct err *e);

// DOCKER_CONFLICT: a container of that name exists. DOCKER_ABSENT: no such image.
_must_check_ int docker_create(struct docker *d, const char *name, const char *body,
	const struct wait *w, char ret_id[static DOCKER_ID_SIZE], struct err *e);

// 0 also when it runs already: look at started_at before and after to tell.
_must_check_ int docker_start(
	struct docker *d, const char *id, const struct wait *w, struct err *e);

// SIGTERM, SIGKILL after grace_s. 0 also when it does not run.
_must_check_ int docker_stop(
	struct docker *d, const char *id, int grace_s, const struct wait *w, struct err *e);

// Ends and removes it. 0 also when it does not exist.
_must_check_ int docker_remove(
	struct docker *d, const char *id, const struct wait *w, struct err *e);

// By id or name. DOCKER_ABSENT.
_must_check_ int docker_inspect(struct docker *d, const char *id, const struct wait *w,
	struct docker_container *ret, struct err *e);

// New limits of an existing container: `body` as container_limits() makes it. DOCKER_ABSENT.
_must_check_ int docker_update(
	struct docker *d, const char *id, const char *body, const struct wait *w, struct err *e);

// Every container with these labels, running or not. The caller frees *ret (an array).
struct docker_listed {
	char id[DOCKER_ID_SIZE];
	char host_id[40];
	bool running;
};
enum { DOCKER_LIST_MAX = 4096 };
_must_check_ int docker_list(struct docker *d, const char *node, const char *cluster,
	const struct wait *w, struct docker_listed **ret, size_t *ret_count, struct err *e);

// One file out of a container that need not run, following links. DOCKER_ABSENT: no such file. The
// caller frees *ret, which is NUL-terminated.
_must_check_ int docker_read_file(struct docker *d, const char *id, const char *path,
	size_t max_bytes, const struct wait *w, char **ret, struct err *e);
// true when the path exists in the container.
_must_check_ int docker_has_file(struct docker *d, const char *id, const char *path,
	const struct wait *w, bool *ret, struct err *e);

// Docker's event stream: the request to send on a connected socket (HTTP/1.0, so the answer is
// plain JSON lines after the header), and the parser of one line. Only what the agent acts on is
// asked for: exec events carry whole command lines.
enum docker_action { DOCKER_START, DOCKER_DIE, DOCKER_DESTROY };
struct docker_event {
	enum docker_action action;
	char id[DOCKER_ID_SIZE];
	char host_id[40];
};
char *docker_events_request(const char *node, const char *cluster); // heap
_must_check_ int docker_event_parse(
	const char *line, size_t len, struct docker_event *ret, struct err *e);

// 64 lower-case hex digits.
bool docker_id_is_valid(const char *id);
// "name[:tag]", "name@sha256:...", "sha256:...": only characters that mean nothing else in a URL.
bool docker_reference_is_valid(const char *reference);
