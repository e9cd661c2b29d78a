// SPDX-License-Identifier: Apache-2.0
// Inspects hosts by Docker: after an event there, the death of a container's process, a task.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;
struct loop_source;

// Compares a host with what Docker says and corrects what differs (verdict.h): what a dead
// container has left is ended, a container that the agent has not started is stopped. The first
// inspection since the agent's start adopts what runs whole, or ends it. Ends with an observation.
// While the host is taken the inspection waits, and it is repeated until Docker has answered. From
// any thread.
void inspect_host(struct agent *a, const char *host_id);
void inspect_all(struct agent *a); // every host on record

// Starts the timer that tries again what had to wait. Free it with loop_source_free.
_must_check_ int inspect_begin(struct agent *a, struct loop_source **ret, struct err *e);
