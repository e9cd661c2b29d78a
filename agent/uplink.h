// SPDX-License-Identifier: Apache-2.0
// The namespace in which tunnels are born, and the cage there that keeps proxies' engines to their
// proxies.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;

// Opens the namespace (path NULL: our own): a->tunnels.uplink_fd.
_must_check_ int uplink_open(struct agent *a, const char *path, struct err *e);

// Loads the cage of this node, with the doors of the engines that an agent before has left: sets
// a->tunnels.cage. Where there can be none that is said once, kept in a->no_cage, and hosts whose exits
// are proxies neither start nor are found again. The namespace is open and the sealing key known.
void uplink_load_cage(struct agent *a);

// Removes the cage, if there is one: no engine lives any more.
_must_check_ int uplink_remove_cage(struct agent *a, struct err *e);

void uplink_close(struct agent *a); // the cage stays, and so do its engines
