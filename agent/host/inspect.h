// SPDX-License-Identifier: Apache-2.0
// Looks at Docker: what became of a host when something happened there or a container's process
// died.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;
struct loop_source;

// Compares a host with what Docker says and puts right what differs: a container that died is
// cleaned up after, one that somebody else started is stopped. The first look at a host adopts what
// runs since before the agent's own start, whole, or ends it. Ends with an observation. While
// somebody works on the host the look waits, and it is repeated until Docker has answered. From any
// thread.
void inspect_host(struct agent *a, const char *host_id);
void inspect_all(struct agent *a); // every host on record

// Starts the timer that tries again what had to wait. Free it with loop_source_free.
_must_check_ int inspect_begin(struct agent *a, struct loop_source **ret, struct err *e);
