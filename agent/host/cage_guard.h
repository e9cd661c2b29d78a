// SPDX-License-Identifier: Apache-2.0
// Guards the cage: what another program did to it is undone, and the hosts behind it are looked at.
#pragma once

#include "lib/attr.h"

struct agent;
struct cage_guard;
struct err;

// On the main loop. A program that flushes the uplink's nftables, as Debian's nftables.service does when it
// begins, also flushes the cage: it is put back at once, from a thread of the check pool, and every host whose exit
// is a proxy is checked fully. Where it cannot be put back those checks say that it is gone, and close
// the hosts. *ret NULL: there is no cage (uplink.h).
_must_check_ int cage_guard_new(struct agent *a, struct cage_guard **ret, struct err *e);
void cage_guard_free(struct cage_guard *g); // on the loop, after the pools have ended
