// SPDX-License-Identifier: Apache-2.0
// Ends what this node holds.
#include "agent/release.h"

#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/container/docker.h"
#include "lib/file.h"
#include "agent/store/home.h"
#include "lib/err.h"
#include "lib/mem.h"

// A container that ignores SIGTERM costs a little more than its grace.
enum { DOCKER_MS = 10000, STOP_MS = 5000, GRACE_S = 1 };

int release_remember(const struct agent *a, struct err *e)
{
	_cleanup_(freep) char *name = xasprintf("%s.cluster", a->owner.node);

	return file_write(a->store.fd, name, a->cluster, strlen(a->cluster), 0600, e);
}

// One that does not end keeps none of the others, here and below. What is left is said at the end.
struct ending {
	const struct tunnel_env *tunnels;
	size_t count, left;
	struct err why;
};

static int tunnel_stop(const char *name, void *arg, struct err *e)
{
	struct ending *ending = arg;

	(void)e;
	ending->count++;
	if (tunnel_end(ending->tunnels, name, &ending->why) < 0)
		ending->left++;
	return 0;
}

static int tunnels_stop(const struct agent *a, struct err *e)
{
	struct ending ending = {.tunnels = &a->tunnels};

	if (tunnel_list(&a->tunnels, tunnel_stop, &ending, e) < 0)
		return -1;
	return ending.left == 0 ? 0
				: err_say(e, EBUSY, "%zu of %zu tunnels could not be ended: %s",
					  ending.left, ending.count, ending.why.message);
}

static int containers_stop(const struct agent *a, const char *cluster, struct err *e)
{
	_cleanup_(docker_freep) struct docker *d = docker_new(a->docker_socket);
	_cleanup_(freep) struct docker_listed *list = NULL;
	struct wait w = wait_for(DOCKER_MS, -1);
	size_t count = 0, left = 0;
	struct err why;

	if (docker_list(d, a->owner.node, cluster, &w, &list, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		w = wait_for(STOP_MS, -1);
		if (list[i].running && docker_stop(d, list[i].id, GRACE_S, &w, &why) != 0)
			left++;
	}
	return left == 0 ? 0
			 : err_say(e, EBUSY, "%zu of %zu containers could not be stopped: %s", left,
				   count, why.message);
}

int release_all(struct agent *a, struct err *e)
{
	_cleanup_(freep) char *name = xasprintf("%s.cluster", a->owner.node);
	_cleanup_(freep) char *cluster = NULL;
	struct err second;

	if (file_read(a->store.fd, name, sizeof(a->cluster) - 1, &cluster, e) < 0)
		return e->code == ENOENT ? 0 : -1;
	int r = containers_stop(a, cluster, e);
	// With Docker away the tunnels can still be ended: what runs then has no way out.
	if (tunnels_stop(a, &second) < 0 && r == 0)
		r = err_say(e, second.code, "%s", second.message);
	if (home_unmount_all(&a->store, &second) < 0 && r == 0)
		r = err_say(e, second.code, "%s", second.message);
	return r;
}
