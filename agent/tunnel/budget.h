// SPDX-License-Identifier: Apache-2.0
// What the process that carries a tunnel may use of the machine: a control group of its own.
#pragma once

#include <stdint.h>

#include "lib/attr.h"

struct err;

// A user's packets cost processor time outside the container, in the process that carries the
// tunnel. It lives in a group of its own, not in the container's: a user who is busy must not take
// the tunnel the time that a handshake needs, and a container that is out of memory must not take
// its tunnel along. Nor is it in the agent's, with which it would die under systemd.
//
//     version 1  CGROUPS/cpu/cloud-cli-proxy/NAME, CGROUPS/memory/cloud-cli-proxy/NAME
//     version 2  CGROUPS/cloud-cli-proxy/NAME
//
// NAME is the tunnel's: an agent that did not make the group finds it by that.
// Sources: Documentation/admin-guide/cgroup-v1/memory.rst, Documentation/scheduler/sched-bwc.rst,
// Documentation/admin-guide/cgroup-v2.rst.
#define BUDGET_CGROUPS "/sys/fs/cgroup"
#define BUDGET_PARENT "cloud-cli-proxy"

struct budget {
	int64_t cpu_milli; // 1000 = one processor
	int64_t memory_mb;
};

// The way into a made group: descriptors of its cgroup.procs, one for each hierarchy.
enum { BUDGET_HIERARCHIES = 2 };
struct budget_door {
	int fds[BUDGET_HIERARCHIES]; // -1: none
};
#define BUDGET_DOOR_INIT ((struct budget_door){.fds = {-1, -1}})
void budget_door_close(struct budget_door *door);

// Makes the group, or sets the limits of one that is there, and opens its door. `cgroups` is
// BUDGET_CGROUPS but for tests. On failure nothing is left.
_must_check_ int budget_make(const char *cgroups, const char *name, const struct budget *budget,
	struct budget_door *ret, struct err *e);

// Moves the calling process in. Between fork and exec: async-signal-safe. -1 with errno.
_must_check_ int budget_enter(const struct budget_door *door);

// Kills what is in the group, if there is one. Who has not died of it, budget_remove says.
void budget_kill(const char *cgroups, const char *name);

// Removes the group, whose last process has just ended: at most a second. 0 also when there is
// none.
_must_check_ int budget_remove(const char *cgroups, const char *name, struct err *e);

// Can groups be made here? Makes an empty one and removes it.
_must_check_ int budget_check(const char *cgroups, struct err *e);
