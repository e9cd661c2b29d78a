// SPDX-License-Identifier: Apache-2.0
// Docker over its Unix socket: the few calls the agent needs, each with a deadline.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/container/docker_answer.h"
#include "lib/attr.h"
#include "lib/outcome.h"
#include "lib/wait.h"

struct err;
struct docker;

// Speaks version 1.41 of the Engine API (Docker 20.10), or the oldest that the engine takes: the
// process asks once, with its first call. A client belongs to one thread and keeps its connection.
// What Docker answers is checked before it is used (docker_answer.h).
struct docker *docker_new(const char *socket_path);
void docker_free(struct docker *d);
void docker_freep(struct docker **d);

// Besides 0, WAIT_TIMEOUT, WAIT_CANCELED and -1 (Docker's own sentence is in `e`).
enum docker_outcome {
	DOCKER_ABSENT = OUTCOMES_DOCKER, // no such container or image
	DOCKER_CONFLICT, // the name is taken, or it is being removed
};

// What the engine can.
_must_check_ int docker_describe(
	struct docker *d, const struct wait *w, struct docker_engine *ret, struct err *e);

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

// Every container with these labels, running or not: DOCKER_LIST_MAX at most. The caller frees *ret
// (an array).
_must_check_ int docker_list(struct docker *d, const char *node, const char *cluster,
	const struct wait *w, struct docker_listed **ret, size_t *ret_count, struct err *e);

// One file out of a container that need not run, following links. DOCKER_ABSENT: no such file. The
// caller frees *ret, which is NUL-terminated.
_must_check_ int docker_read_file(struct docker *d, const char *id, const char *path,
	size_t max_bytes, const struct wait *w, char **ret, struct err *e);

// What a path of a container that need not run is. Nothing is opened: Docker tells what lstat(2)
// says of its last part, and links before that stay within the container. DOCKER_ABSENT.
_must_check_ int docker_stat(struct docker *d, const char *id, const char *path,
	const struct wait *w, struct docker_path *ret, struct err *e);

// The request for Docker's event stream, to be sent on a connected socket: HTTP/1.0, so the answer
// is plain lines after the header (event_stream.h), each of which docker_event_parse reads. Only
// what the agent acts on is asked for: exec events carry whole command lines. On the heap.
char *docker_events_request(const char *node, const char *cluster);

// "name[:tag]", "name@sha256:...", "sha256:...": only characters that mean nothing else in a URL.
bool docker_reference_is_valid(const char *reference);
