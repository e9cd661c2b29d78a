// SPDX-License-Identifier: Apache-2.0
// Checks, renews and adopts what runs of a host.
#include "agent/host/run.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "agent/container/gate.h"
#include "agent/evidence.h"
#include "agent/net/netns.h"
#include "agent/net/probe.h"
#include "agent/store/home.h"
#include "lib/err.h"
#include "lib/mem.h"

enum {
	GATE_MS = 1000,
	GLANCE_MS = 1300, // with what verify_run keeps for its child's end
	FLOOD_PACKETS = 1000, // during one verification; fewer make no resolver busy
};

void run_close(struct run *run)
{
	wall_done(&run->wall);
	tunnel_done(&run->tunnel);
	exit_copy_done(&run->exit);
	closep(&run->process_fd);
	closep(&run->ns_fd);
}

struct tunnel_place run_place(const struct run *run)
{
	return (struct tunnel_place){
		.env = run->tunnels, .spec = &run->exit.spec.tunnel, .ns_fd = run->ns_fd};
}

bool run_is_dead(const struct run *run)
{
	struct pollfd p = {.fd = run->process_fd, .events = POLLIN};
	return run->process_fd < 0 || poll(&p, 1, 0) != 0;
}

// The proof may have run out during the verification, so the wall is asked right before.
static int probe_as_is(struct wall *wall, int ns_fd, struct evidence *ev, struct err *e)
{
	struct wall_proof proof;

	if (wall_read_proof(wall, &proof, e) < 0)
		return -1;
	return probe_run(wall, ns_fd, proof.open ? PROBE_OPEN : PROBE_CLOSED, ev, e);
}

// The wall holds back what the host sends while its exit is verified. A proof that lives on opens it
// again, unless the exit is not what it should be.
static int verify_undisturbed(struct run *run, const struct verify_spec *inside,
	const struct wait *w, struct evidence *ev, struct err *e)
{
	int64_t begun = wait_now_ms();
	struct wall_proof before;
	if (wall_read_proof(&run->wall, &before, e) < 0 || wall_close(&run->wall, e) < 0)
		return -1;
	int r = verify_run(run->ns_fd, inside, w, ev, e);
	int64_t left_ms = before.remaining_ms - (wait_now_ms() - begun);
	if (left_ms > 0 && ev->outcome != OUTCOME_FAILED && wall_open(&run->wall, left_ms, e) < 0)
		return -1;
	return r;
}

static uint64_t user_packets(const struct wall_counts *counts)
{
	return counts->packets[WALL_PASS][WALL_USER];
}

// An exit that was just silent while the host sent is either there at once, or asked undisturbed.
static bool is_at_a_glance(const struct run *run, const struct verify_spec *inside)
{
	return run->silent && inside->kind == VERIFY_LIGHT;
}

// What the host itself sends may fill the tunnel, or tire the resolver: then silence shows nothing of
// the exit, and may be meant to hide it. Another address is seen whatever else is sent. A resolver that
// is busy beside few packets is so by others' doing, and to hold these back would help the flooder.
static bool is_drowned(const struct evidence *ev, uint64_t sent)
{
	uint64_t harmless = evidence_proves_exit(ev) ? FLOOD_PACKETS : 0;
	return sent > harmless && strcmp(ev->code, "exit_mismatch") != 0;
}

static int verify_again_if_drowned(struct run *run, const struct verify_spec *inside,
	const struct wall_counts *before, const struct wait *w, struct evidence *ev, struct err *e)
{
	int64_t begun = wait_now_us();
	struct wall_counts after;
	if (ev->outcome == OUTCOME_PASSED)
		return 0;
	if (wall_read_counts(&run->wall, &after, e) < 0)
		return -1;
	uint64_t sent = user_packets(&after) - user_packets(before);
	if (!is_drowned(ev, is_at_a_glance(run, inside) ? UINT64_MAX : sent))
		return 0;
	_cleanup_(freep) char *sentence = xstrdup(ev->sentence);
	evidence_done(ev);
	evidence_init(ev);
	int r = verify_undisturbed(run, inside, w, ev, e);
	if (r == 0)
		evidence_add(ev, "own_traffic", OUTCOME_PASSED, NULL, wait_now_us() - begun,
			"held back while the exit was asked again: beside %llu packets of the host's own, %.120s",
			(unsigned long long)sent, sentence);
	return r;
}

// What is not reached through a tunnel that has ended meanwhile shows that, and nothing of the exit.
static int prove_again_if_silent(
	struct run *run, const struct evidence *found, struct evidence *ev, struct err *e)
{
	if (found->outcome == OUTCOME_PASSED || strcmp(found->code, "exit_mismatch") == 0)
		return 0;
	_cleanup_(evidence_done) struct evidence again;
	evidence_init(&again);
	const struct tunnel_place place = run_place(run);
	int r = run->tunnel.kind->prove(&place, &run->tunnel, &again, e);
	if (r == 0 && again.outcome != OUTCOME_PASSED)
		evidence_take(ev, &again);
	return r;
}

// `before`: what the wall has counted until now.
static int verify(struct run *run, const struct verify_spec *inside,
	const struct wall_counts *before, const struct wait *w, struct evidence *ev, struct err *e)
{
	const struct wait limit =
		wait_at_most(w, is_at_a_glance(run, inside) ? GLANCE_MS : RUN_CHECK_MS);
	_cleanup_(evidence_done) struct evidence found;
	evidence_init(&found);
	int r = verify_run(run->ns_fd, inside, &limit, &found, e);
	if (r == 0)
		r = verify_again_if_drowned(run, inside, before, w, &found, e);
	if (r == 0)
		r = prove_again_if_silent(run, &found, ev, e);
	evidence_take(ev, &found);
	return r;
}

int run_check(struct run *run, const struct host_spec *spec, enum verify_kind kind,
	const struct wait *w, struct evidence *ev, struct err *e)
{
	int64_t begun = wait_now_us();
	if (run_is_dead(run)) { // our own descriptors keep the rest alive
		evidence_add(
			ev, "container", OUTCOME_FAILED, "inventory", 0, "the container has ended");
		return 0;
	}
	struct verify_spec inside;
	struct wall_state wall = {0};
	host_spec_verify(spec, &run->exit.spec, kind, &inside);
	const struct tunnel_place place = run_place(run);
	int r = run->tunnel.kind->prove(&place, &run->tunnel, ev, e);
	if (r == 0)
		r = link_check(run->ns_fd, &place.spec->link, ev, e);
	if (r == 0)
		r = wall_check(&run->wall, &wall, ev, e);
	if (r == 0 && ev->outcome == OUTCOME_PASSED)
		r = verify(run, &inside, &wall.counts, w, ev, e);
	if (r == 0 && kind == VERIFY_FULL && evidence_proves_exit(ev))
		r = probe_as_is(&run->wall, run->ns_fd, ev, e);
	if (r == WAIT_CANCELED || r == 0)
		return r;
	evidence_add(ev, "check", OUTCOME_INCONCLUSIVE, "inconclusive", wait_now_us() - begun, "%s",
		e->message);
	return -1;
}

int run_renew(struct run *run, int64_t life_ms, struct evidence *ev, struct err *e)
{
	struct wall_proof before;
	if (wall_read_proof(&run->wall, &before, e) < 0 || wall_open(&run->wall, life_ms, e) < 0)
		return -1;
	return before.open ? 0 : probe_run(&run->wall, run->ns_fd, PROBE_OPEN, ev, e);
}

// What an MTU that the exit does not name was found to be.
static int adopt_mtu(struct run *run, struct err *e)
{
	struct tunnel_spec *spec = &run->exit.spec.tunnel;
	int mtu = 0;
	if (!spec->mtu_open)
		return 0;
	if (link_mtu(run->ns_fd, spec->link.tunnel, &mtu, e) < 0)
		return -1;
	if (!tunnel_mtu_possible(mtu))
		return err_say(e, EINVAL, "its tunnel has an MTU of %d, which no start gives", mtu);
	spec->link.mtu = mtu;
	return 0;
}

static int adopt_tunnel(struct run *run, struct err *e)
{
	const struct tunnel_place place = run_place(run);
	char name[TUNNEL_NAME_SIZE];
	if (!tunnel_name(run->container_id, name))
		return err_say(e, EINVAL, "\"%s\" is not a container's id", run->container_id);
	int r = tunnel_find(&place, name, &run->tunnel, e);
	return r == TUNNEL_ABSENT ? err_say(e, ENOENT, "its tunnel does not run") : r;
}

static int adopt_gate(const struct pid1 *expected, const struct wait *w, struct err *e)
{
	struct wait short_wait = wait_at_most(w, GATE_MS);
	_cleanup_(closep) int fd = -1;
	struct gate_answer answer;
	int r = gate_connect(expected, &short_wait, &fd, e);

	if (r == 0)
		r = gate_say(fd, GATE_ASK, &short_wait, &answer, e);
	if (r != 0)
		return r == WAIT_CANCELED ? r : -1;
	if (answer.state == GATE_WAITING)
		return err_say(e, EAGAIN, "its gate is closed");
	return 0;
}

static int adopt_pid1(
	const struct run_found *found, const struct run *run, const struct wait *w, struct err *e)
{
	_cleanup_(home_done) struct home home = HOME_INIT;
	_cleanup_(closep) int program_fd = -1;

	if (home_open(found->store, found->spec->host_id, false, &home, e) < 0)
		return -1;
	program_fd = home_init_open(&home, e);
	const struct pid1 expected = {.pid = run->pid,
		.uid = (uid_t)found->container->ids.base,
		.ns_fd = run->ns_fd,
		.program_fd = program_fd};
	return program_fd < 0 ? -1 : adopt_gate(&expected, w, e);
}

int run_adopt(const struct run_found *found, const struct wait *w, struct run *ret, struct err *e)
{
	const struct host_spec *spec = found->spec;
	const struct docker_container *c = found->container;

	if (!spec->has_exit)
		return err_say(e, ENOENT, "the host has no exit");
	struct run run = RUN_INIT;
	struct wall_spec wall;
	strcpy(run.container_id, c->id);
	strcpy(run.started_at, c->started_at);
	run.pid = c->pid;
	run.tunnels = found->tunnels;
	exit_wall_spec(&spec->exit, &wall);
	run.ns_fd = netns_open(c->sandbox_key, e);
	int r = run.ns_fd < 0 ? -1 : wall_init(&run.wall, run.ns_fd, &wall, e);
	if (r == 0)
		r = exit_copy_make(&spec->exit, &run.exit, e);
	if (r == 0)
		r = adopt_tunnel(&run, e);
	if (r == 0)
		r = adopt_mtu(&run, e);
	if (r == 0)
		r = adopt_pid1(found, &run, w, e);
	if (r == 0) {
		*ret = run;
		return 0;
	}
	run_close(&run);
	return r == WAIT_CANCELED ? r : -1;
}
