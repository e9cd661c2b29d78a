// SPDX-License-Identifier: Apache-2.0
// What is not as it should be on this machine: looked at when the agent begins and each minute.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;
struct troubles;

// Tells SQL everything that is wrong (node.set_troubles, through the outbox), and doctor shows it:
// nothing here ends or refuses anything. Looks on a thread of the check pool. `registered` and later.
_must_check_ int troubles_new(struct agent *a, struct troubles **ret, struct err *e);
void troubles_free(struct troubles *t); // on the loop, after the pools have ended

// Can tunnels have limits here? To be asked before the first one starts; sets a->tunnels.cgroups.
void troubles_find_cgroups(struct agent *a);
