// SPDX-License-Identifier: Apache-2.0
// Ends what runs of a host, whether the agent knows of it or Docker alone.
#include "agent/host/end.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/container/container.h"
#include "agent/container/docker.h"
#include "agent/host/host.h"
#include "agent/net/netns.h"
#include "agent/net/sockdiag.h"
#include "lib/err.h"
#include "lib/proc.h"

enum { END_MS = 20000, STOP_GRACE_S = 3, PROCESS_GRACE_MS = 3000 };

// A namespace of which only the place is known: its wall, if it has one, is of the usual kind.
static int unknown_open(const struct docker_container *c, struct run *run, struct err *e)
{
	static const struct wall_spec any = {.tunnel = LINK_TUNNEL};

	run->ns_fd = netns_open(c->sandbox_key, e);
	if (run->ns_fd < 0)
		return -1;
	return wall_init(&run->wall, run->ns_fd, &any, e);
}

static int container_end(
	struct docker *d, const struct docker_container *c, const struct wait *w, struct err *e)
{
	return c->running ? docker_stop(d, c->id, STOP_GRACE_S, w, e) : 0;
}

// Without Docker, which is stuck: ccp-init ends at SIGTERM, and everything in the container with it.
static void process_end(const struct run *run)
{
	struct wait w = wait_for(PROCESS_GRACE_MS, -1);
	struct err ignored;

	if (run->process_fd < 0 || proc_pidfd_signal(run->process_fd, SIGTERM, &ignored) < 0)
		return;
	if (wait_fd(&w, run->process_fd, POLLIN, "the container's end", &ignored) != 0)
		(void)!proc_pidfd_signal(run->process_fd, SIGKILL, &ignored);
}

int host_end(
	const struct agent *a, struct host *host, struct docker *d, bool *ret_exists, struct err *e)
{
	struct run run = host_take_run(a->hosts, host);
	struct err second, ignored;
	// First of all the wall, before anything that may take time. That it cannot be closed is no
	// reason to go on less.
	if (run.number != 0)
		(void)!wall_close(&run.wall, &ignored);
	struct wait w = wait_for(END_MS, -1);
	struct docker_container c = {0};
	char name[CONTAINER_NAME_SIZE];
	container_name(&a->owner, host->id, name);
	int r = docker_inspect(d, name, &w, &c, e);
	if (ret_exists)
		*ret_exists = r == 0;
	if (c.running && run.number == 0 && unknown_open(&c, &run, &ignored) == 0)
		(void)!wall_close(&run.wall, &ignored);
	if (r == 0)
		r = container_end(d, &c, &w, e);
	else if (r == DOCKER_ABSENT)
		r = 0;
	if (r == WAIT_TIMEOUT)
		process_end(&run);
	if (run.ns_fd >= 0)
		(void)!sockdiag_end_all(run.ns_fd, NULL, &ignored);
	if (tunnel_name(c.id, name) && tunnel_end(&a->tunnels, name, &second) < 0 && r == 0)
		r = err_say(e, second.code, "%s", second.message);
	else if (run.number != 0 && strcmp(run.container_id, c.id) != 0)
		(void)!tunnel_end(&a->tunnels, run.tunnel.name, &ignored);
	run_close(&run);
	if (r == 0)
		host->seen = true;
	return r == 0 ? 0 : r < 0 ? -1 : err_wrap(e, "end the host");
}
