// SPDX-License-Identifier: Apache-2.0
// The namespace in which tunnels are born, and the cage there that keeps proxies' engines to their
// proxies.
#include "agent/uplink.h"

#include <stdio.h>

#include "agent/agent.h"
#include "agent/net/netns.h"
#include "agent/tunnel/proxy.h"
#include "lib/err.h"
#include "lib/key32.h"
#include "lib/log.h"
#include "lib/mem.h"

int uplink_open(struct agent *a, const char *path, struct err *e)
{
	a->tunnels.uplink_fd = !path ? netns_self(e) : netns_open(path, e);
	return a->tunnels.uplink_fd < 0 ? err_wrap(e, "open the uplink's namespace") : 0;
}

// No other node's, whatever else uses the namespace: nodes of one state directory share the key.
static int cage_open(struct agent *a, struct err *e)
{
	char key[KEY32_TEXT_SIZE], owner[NFT_COMMENT_MAX];
	key32_text(a->sealing.public_key, key);
	snprintf(owner, sizeof(owner), "%s %s", key, a->owner.node);
	return cage_init(&a->cage, a->tunnels.uplink_fd, owner, e);
}

void uplink_load_cage(struct agent *a)
{
	struct err e;
	int r = cage_open(a, &e);
	a->tunnels.cage = &a->cage;
	if (r == 0)
		r = cage_load(&a->cage, &e);
	if (r == 0)
		r = proxy_doors_sweep(&a->tunnels, &e);
	if (r == 0)
		return;
	log_warning("hosts whose exits are proxies cannot run", log_err(&e));
	cage_done(&a->cage);
	a->tunnels.cage = NULL;
	a->tunnels.no_cage = a->no_cage = xstrdup(e.message);
}

int uplink_remove_cage(struct agent *a, struct err *e)
{
	int r = cage_open(a, e);
	if (r == 0)
		r = cage_remove(&a->cage, e);
	cage_done(&a->cage);
	return r;
}

void uplink_close(struct agent *a)
{
	if (a->tunnels.cage)
		cage_done(&a->cage);
	freep(&a->no_cage);
	closep(&a->tunnels.uplink_fd);
}
