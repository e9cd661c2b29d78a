// SPDX-License-Identifier: Apache-2.0
// Is an image fit to be a host: present, without volumes, with sshd and the user dev.
#pragma once

#include "agent/container/docker.h"
#include "lib/attr.h"
#include "lib/outcome.h"
#include "lib/wait.h"

struct container_owner;
struct err;

// Looks into the image with a container that is never started and removed at once. Returns 0 with
// the image's id, IMAGE_UNFIT with a sentence that says what is missing and what to do,
// WAIT_TIMEOUT, WAIT_CANCELED, -1.
enum image_outcome { IMAGE_UNFIT = OUTCOMES_IMAGE };
struct image_request {
	const struct container_owner *owner; // of the container that is looked through
	const char *host_id;
	const char *image; // name:tag
};
_must_check_ int image_check(const struct image_request *request, struct docker *d,
	const struct wait *w, char ret_id[static DOCKER_IMAGE_SIZE], struct err *e);

// Removes that container if an agent that was killed there has left it. 0 also when there is none.
_must_check_ int image_probe_remove(const struct container_owner *owner, const char *host_id,
	struct docker *d, const struct wait *w, struct err *e);

// Does a passwd(5) text have the user dev with uid and gid 1000 and home /home/dev?
bool image_passwd_has_dev(const char *passwd);
