// SPDX-License-Identifier: Apache-2.0
// What a start and a test of an exit have in common: a tunnel behind a closed wall, until its exit
// has answered.
#include "agent/host/bring_up.h"

#include <errno.h>
#include <string.h>

#include "agent/evidence.h"
#include "agent/host/reach.h"
#include "agent/net/netns.h"
#include "agent/net/probe.h"
#include "lib/err.h"
#include "lib/wait.h"

enum { START_MS = BRING_UP_MS - REACH_MS };

int bring_up_wall(struct run *run, const struct exit_spec *exit, struct err *e)
{
	struct wall_spec spec;

	// A container may have been made for an exit of the other sort.
	if (netns_set_ipv6(run->ns_fd, exit->ipv6, e) < 0)
		return -1;
	exit_wall_spec(exit, &spec);
	return wall_init(&run->wall, run->ns_fd, &spec, e) < 0 ? -1 : wall_load(&run->wall, e);
}

int bring_up_tunnel(struct run *run, const struct exit_spec *exit, const struct tunnel_start *start,
	const struct verify_spec *inside, const struct wait *w, struct evidence *ev, struct err *e)
{
	int64_t begun = wait_now_us();
	struct wait limit = wait_at_most(w, START_MS);
	if (exit_copy_make(exit, &run->exit, e) < 0)
		return TUNNEL_UNUSABLE;
	if (tunnel_mtu_choose(run->tunnels, &run->exit.spec.tunnel, e) < 0)
		return -1;
	const struct tunnel_place place = run_place(run);
	int r = place.spec->kind->start(&place, start, &limit, &run->tunnel, e);
	if (r != 0)
		return r;
	limit = wait_at_most(w, REACH_MS);
	r = reach_wait(&place, &run->tunnel, inside, &limit, e);
	if (r == 0)
		evidence_add(ev, run->tunnel.kind->reach ? "handshake" : "reach", OUTCOME_PASSED,
			NULL, wait_now_us() - begun, "the exit answered");
	return r;
}

// Whether smaller packets may pass where those of this tunnel do not.
static bool can_shrink(const struct run *run, const struct evidence *found)
{
	const struct tunnel_spec *spec = &run->exit.spec.tunnel;
	return spec->mtu_open && strcmp(found->code, "mtu") == 0 && found->fits >= LINK_MTU_LEAST &&
	       found->fits < spec->link.mtu;
}

static int shrink(struct run *run, int mtu, struct evidence *ev, struct err *e)
{
	struct link_spec *link = &run->exit.spec.tunnel.link;
	int64_t begun = wait_now_us();
	int before = link->mtu;
	link->mtu = mtu;
	if (link_configure(run->ns_fd, link, e) < 0)
		return -1;
	evidence_add(ev, "mtu", OUTCOME_PASSED, NULL, wait_now_us() - begun,
		"%d instead of %d, which the way to the exit does not carry", mtu, before);
	return 0;
}

// Each MTU is less than the one before.
int bring_up_verify(struct run *run, const struct verify_spec *spec, const struct wait *w,
	struct evidence *ev, struct err *e)
{
	for (;;) {
		_cleanup_(evidence_done) struct evidence found;
		evidence_init(&found);
		int r = verify_run(run->ns_fd, spec, w, &found, e);
		if (r != 0 || !can_shrink(run, &found)) {
			evidence_take(ev, &found);
			return r;
		}
		if (shrink(run, found.fits, ev, e) < 0)
			return -1;
	}
}

void bring_up_explain(const struct exit_spec *exit, const char *key, struct err *e)
{
	char address[ADDR_TEXT_MAX];
	struct err why = *e;
	if (!key)
		err_note(e, ETIMEDOUT, "the exit %s did not answer within %d s: %s", exit->label,
			REACH_MS / 1000, why.message);
	else
		err_note(e, ETIMEDOUT,
			"the exit %s did not answer within %d s: register the key %s with it for %s (%s)",
			exit->label, REACH_MS / 1000, key,
			addr_cidr(&exit->tunnel.link.address, address), why.message);
}

int bring_up_examine(struct run *run, struct evidence *ev, struct err *e)
{
	const struct tunnel_place place = run_place(run);
	int r = run->tunnel.kind->prove(&place, &run->tunnel, ev, e);

	if (r == 0)
		r = link_check(run->ns_fd, &place.spec->link, ev, e);
	if (r == 0)
		r = wall_check(&run->wall, NULL, ev, e);
	if (r == 0)
		r = probe_run(&run->wall, run->ns_fd, PROBE_CLOSED, ev, e);
	return r;
}
