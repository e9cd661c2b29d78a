// SPDX-License-Identifier: Apache-2.0
// Ends, checks and adopts what runs of a host.
#include "agent/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/check.h"
#include "agent/evidence.h"
#include "agent/gate.h"
#include "agent/netns.h"
#include "agent/probe.h"
#include "agent/sockdiag.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"

enum { END_MS = 20000, STOP_GRACE_S = 3, GATE_MS = 1000 };

void live_name(const struct agent *a, const char *host_id, char ret[static CONTAINER_NAME_SIZE])
{
	const struct container_wish wish = {
		.node = a->node, .cluster = a->cluster, .host_id = host_id};

	container_name(&wish, ret);
}

void live_link_spec(const struct host_spec *spec, struct link_spec *ret)
{
	*ret = (struct link_spec){.address = spec->exit.address, .mtu = spec->exit.mtu};
	strcpy(ret->tunnel, LINK_TUNNEL);
}

void live_wall_spec(const struct host_spec *spec, struct wall_spec *ret)
{
	*ret = (struct wall_spec){.resolver = spec->exit.resolver,
		.own = spec->exit.address,
		.ipv6 = spec->exit.ipv6};
	strcpy(ret->tunnel, LINK_TUNNEL);
}

// A namespace of which we know nothing but where it is: closed if it has a wall at all.
static int stranger_open(const struct docker_container *c, struct live *live, struct err *e)
{
	static const struct wall_spec any = {.tunnel = LINK_TUNNEL};

	live->ns_fd = netns_open(c->sandbox_key, e);
	if (live->ns_fd < 0)
		return -1;
	return wall_init(&live->wall, live->ns_fd, &any, e);
}

static void live_close(struct live *live)
{
	wall_done(&live->wall);
	engine_done(&live->engine);
	closep(&live->process_fd);
	closep(&live->ns_fd);
}

static int container_end(
	struct docker *d, const struct docker_container *c, const struct wait *w, struct err *e)
{
	int r = 0;

	if (c->running)
		r = docker_stop(d, c->id, STOP_GRACE_S, w, e);
	return r < 0 || r == 0 ? r : -1;
}

int live_end(
	const struct agent *a, struct host *host, struct docker *d, bool *ret_exists, struct err *e)
{
	struct wait w = wait_for(END_MS, -1);
	struct docker_container c = {0};
	char name[CONTAINER_NAME_SIZE];
	struct live live;
	struct err unheard;
	int r;

	checks_end(a->guards, host->live.run);
	live = host_take_live(a->hosts, host);
	// First of all the wall, before anything that may take time. That it cannot be closed is no
	// reason to go on less.
	if (live.run != 0)
		(void)!wall_close(&live.wall, &unheard);
	live_name(a, host->id, name);
	r = docker_inspect(d, name, &w, &c, e);
	if (ret_exists)
		*ret_exists = r == 0;
	if (r == 0 && c.running && live.run == 0 && stranger_open(&c, &live, &unheard) == 0)
		(void)!wall_close(&live.wall, &unheard);
	if (r == 0)
		r = container_end(d, &c, &w, e);
	else if (r == DOCKER_ABSENT)
		r = 0;
	if (live.ns_fd >= 0)
		(void)!sockdiag_end_all(live.ns_fd, NULL, &unheard);
	if (c.id[0] != '\0' && engine_end(&a->engines, c.id, &unheard) < 0 && r == 0)
		r = err_say(e, unheard.code, "%s", unheard.message);
	else if (live.run != 0 && strcmp(live.container_id, c.id) != 0)
		(void)!engine_end(&a->engines, live.container_id, &unheard);
	live_close(&live);
	if (r == 0)
		host->seen = true;
	return r == 0 ? 0 : r < 0 ? -1 : err_wrap(e, "end the host");
}

static int verify_inside(const struct host *host, enum verify_kind kind, const struct wait *w,
	struct evidence *ev, struct err *e)
{
	struct verify_spec spec;

	host_spec_verify(host->spec, kind, &spec);
	return verify_run(host->live.ns_fd, &spec, w, ev, e);
}

// The proof may have run out during the verification, so the wall is asked right before.
static int probe_as_is(struct wall *wall, int ns_fd, struct evidence *ev, struct err *e)
{
	struct wall_state state;

	if (wall_read(wall, &state, e) < 0)
		return -1;
	return probe_run(wall, ns_fd, state.open ? PROBE_OPEN : PROBE_CLOSED, ev, e);
}

int live_check(struct host *host, struct wall *wall, enum verify_kind kind, const struct wait *w,
	struct evidence *ev, struct err *e)
{
	struct live *live = &host->live;
	int64_t begun = wait_now_us();
	int r;

	if (live_is_dead(live)) { // our own descriptors keep the rest alive
		evidence_add(
			ev, "container", OUTCOME_FAILED, "inventory", 0, "the container has ended");
		return 0;
	}
	r = engine_check(&live->engine, live->ns_fd, live->link.tunnel, ev, e);
	if (r == 0)
		r = link_check(live->ns_fd, &live->link, ev, e);
	if (r == 0)
		r = wall_check(wall, NULL, ev, e);
	if (r == 0 && ev->outcome == OUTCOME_PASSED)
		r = verify_inside(host, kind, w, ev, e);
	if (r == 0 && kind == VERIFY_FULL && ev->outcome == OUTCOME_PASSED)
		r = probe_as_is(wall, live->ns_fd, ev, e);
	if (r == WAIT_CANCELED)
		return r;
	if (r != 0) {
		evidence_add(ev, "check", OUTCOME_INCONCLUSIVE, "inconclusive",
			wait_now_us() - begun, "%s", e->message);
		return -1;
	}
	return 0;
}

int live_renew(struct host *host, struct evidence *ev, struct err *e)
{
	struct wall *wall = &host->live.wall;
	struct wall_state before;

	if (wall_read(wall, &before, e) < 0 ||
		wall_open(wall, host->spec->proof_life_s * 1000, e) < 0)
		return -1;
	return before.open ? 0 : probe_run(wall, host->live.ns_fd, PROBE_OPEN, ev, e);
}

static int adopt_engine(struct live *live, struct err *e)
{
	int r = engine_find(live->container_id, &live->engine, e);

	if (r == 0)
		r = engine_prove(&live->engine, live->ns_fd, live->link.tunnel, e);
	if (r == ENGINE_ABSENT || r == ENGINE_FOREIGN)
		return err_say(e, ENOENT, "its tunnel's engine is gone");
	return r;
}

static int adopt_gate(const struct live *live, const struct wait *w, struct err *e)
{
	struct wait short_wait = wait_at_most(w, GATE_MS);
	_cleanup_(closep) int fd = -1;
	enum gate_state state = GATE_WAITING;
	int r = gate_connect(live->ns_fd, live->pid, &short_wait, &fd, e);

	if (r == 0)
		r = gate_say(fd, GATE_ASK, &short_wait, &state, e);
	if (r != 0)
		return r == WAIT_CANCELED ? r : -1;
	if (state == GATE_WAITING)
		return err_say(e, EAGAIN, "its gate is closed");
	return 0;
}

int live_adopt(const struct agent *a, struct host *host, const struct docker_container *c,
	const struct wait *w, struct err *e)
{
	struct live live = LIVE_INIT;
	struct wall_spec wall;
	int r;

	(void)!text_copy(live.container_id, sizeof(live.container_id), c->id);
	(void)!text_copy(live.started_at, sizeof(live.started_at), c->started_at);
	live.pid = c->pid;
	live_link_spec(host->spec, &live.link);
	live_wall_spec(host->spec, &wall);
	live.ns_fd = netns_open(c->sandbox_key, e);
	r = live.ns_fd < 0 ? -1 : wall_init(&live.wall, live.ns_fd, &wall, e);
	if (r == 0)
		r = adopt_engine(&live, e);
	if (r == 0)
		r = adopt_gate(&live, w, e);
	if (r != 0) {
		live_close(&live);
		return r == WAIT_CANCELED ? r : -1;
	}
	host_set_live(a->hosts, host, &live);
	return 0;
}
