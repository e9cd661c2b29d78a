// SPDX-License-Identifier: Apache-2.0
// Waits until an exit has answered through a tunnel that was just started.
#include "agent/host/reach.h"

#include <poll.h>

#include "agent/evidence.h"
#include "lib/err.h"
#include "lib/wait.h"

enum { PAUSE_MS = 50 }; // what is refused is refused at once

// 0 (see *ret), WAIT_CANCELED, -1.
static int ask(const struct tunnel_place *place, const struct verify_spec *inside,
	const struct wait *w, bool *ret, struct err *e)
{
	_cleanup_(evidence_done) struct evidence ev;
	evidence_init(&ev);
	int r = verify_run(place->ns_fd, inside, w, &ev, e);
	*ret = r == 0 && (ev.outcome != OUTCOME_INCONCLUSIVE || evidence_proves_exit(&ev));
	return r;
}

int reach_wait(const struct tunnel_place *place, struct tunnel *t, const struct verify_spec *inside,
	const struct wait *w, struct err *e)
{
	struct verify_spec light = *inside;
	light.kind = VERIFY_LIGHT;
	if (t->kind->reach)
		return t->kind->reach(place, t, w, e);
	for (;;) {
		bool answered;
		int r = ask(place, &light, w, &answered, e);
		if (r != 0 || answered)
			return r;
		struct wait pause = wait_at_most(w, PAUSE_MS);
		r = wait_fd(&pause, t->pidfd, POLLIN, "the tunnel's engine", e);
		if (r == WAIT_CANCELED || r < 0)
			return r;
		if (r == 0 || wait_left_ms(w) == 0) // it has died, or time is over
			return t->kind->unanswered(place, t, e);
	}
}
