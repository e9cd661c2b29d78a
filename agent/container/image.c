// SPDX-License-Identifier: Apache-2.0
// Looks into an image before a host is made of it.
#include "agent/container/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/container/container.h"
#include "agent/container/rootfs.h"
#include "lib/err.h"
#include "lib/mem.h"

enum {
	PASSWD_MAX = 256 * 1024,
	REMOVE_MS = 10000,
	PROBE_NAME_SIZE = CONTAINER_NAME_SIZE + 8,
};

bool image_passwd_has_dev(const char *passwd)
{
	for (const char *line = passwd; line; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		if (strncmp(line, "dev:", 4) != 0)
			continue;
		const char *field = strchr(line + 4, ':'); // the password
		if (!field || strncmp(field, ":1000:1000:", 11) != 0)
			return false;
		field = strchr(field + 11, ':'); // the comment
		return field && strncmp(field, ":/home/dev:", 11) == 0;
	}
	return false;
}

static int look_inside(
	struct docker *d, const char *id, const char *image, const struct wait *w, struct err *e)
{
	_cleanup_(freep) char *passwd = NULL;
	struct docker_path sshd;
	int r = rootfs_check(d, id, ROOTFS_IMAGE, w, e);

	if (r == ROOTFS_UNFIT) {
		struct err why = *e;
		return err_outcome(e, IMAGE_UNFIT, EINVAL, "the image %.100s cannot be a host: %s",
			image, why.message);
	}
	if (r == 0)
		r = docker_stat(d, id, "/usr/sbin/sshd", w, &sshd, e);
	if (r == DOCKER_ABSENT)
		return err_outcome(e, IMAGE_UNFIT, EINVAL,
			"the image %.100s has no /usr/sbin/sshd: install openssh-server in it",
			image);
	if (r == 0)
		r = docker_read_file(d, id, "/etc/passwd", PASSWD_MAX, w, &passwd, e);
	if (r != 0)
		return r;
	if (!image_passwd_has_dev(passwd)) {
		err_note(e, EINVAL,
			"the image %.100s has no user dev with uid and gid 1000 and home /home/dev: add it",
			image);
		return IMAGE_UNFIT;
	}
	return 0;
}

// The container through which the host's image is looked at.
static void probe_name(
	const struct container_owner *owner, const char *host_id, char ret[static PROBE_NAME_SIZE])
{
	char own[CONTAINER_NAME_SIZE];

	container_name(owner, host_id, own);
	snprintf(ret, PROBE_NAME_SIZE, "%s-probe", own);
}

int image_probe_remove(const struct container_owner *owner, const char *host_id, struct docker *d,
	const struct wait *w, struct err *e)
{
	char name[PROBE_NAME_SIZE];

	probe_name(owner, host_id, name);
	return docker_remove(d, name, w, e);
}

static int probe(const struct image_request *request, struct docker *d, const char *image_id,
	const struct wait *w, struct err *e)
{
	const struct container_config config = {
		.owner = *request->owner, .host_id = request->host_id, .image_id = image_id};
	struct wait removal = wait_for(REMOVE_MS, -1);
	_cleanup_(freep) char *body = container_probe_body(&config);
	char name[PROBE_NAME_SIZE], id[DOCKER_ID_SIZE];
	struct err second;

	probe_name(request->owner, request->host_id, name);
	int r = docker_remove(d, name, &removal, e); // of an agent that was killed here
	if (r == 0)
		r = docker_create(d, name, body, w, id, e);
	if (r != 0)
		return r == WAIT_TIMEOUT || r == WAIT_CANCELED ? r : -1;
	r = look_inside(d, id, request->image, w, e);
	if (docker_remove(d, id, &removal, &second) != 0 && r == 0)
		return err_say(e, second.code, "%s", second.message);
	return r;
}

int image_check(const struct image_request *request, struct docker *d, const struct wait *w,
	char ret_id[static DOCKER_IMAGE_SIZE], struct err *e)
{
	struct docker_image image;
	struct docker_engine engine = {0};
	int r = docker_describe(d, w, &engine, e);

	if (r == 0 && engine.remaps_users) {
		err_note(e, EINVAL,
			"the Docker daemon maps user ids (userns-remap): turn that off for this product");
		return IMAGE_UNFIT;
	}
	if (r == 0)
		r = docker_image_inspect(d, request->image, w, &image, e);
	if (r == DOCKER_ABSENT) {
		err_note(e, ENOENT,
			"the image %.100s is not on this machine: build or load it first",
			request->image);
		return IMAGE_UNFIT;
	}
	if (r != 0)
		return r;
	if (image.has_volumes) {
		err_note(e, EINVAL,
			"the image %.100s declares volumes, which would outlive its hosts: remove VOLUME",
			request->image);
		return IMAGE_UNFIT;
	}
	r = probe(request, d, image.id, w, e);
	if (r == 0)
		strcpy(ret_id, image.id);
	return r;
}
