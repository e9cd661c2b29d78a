// SPDX-License-Identifier: Apache-2.0
// Docker's event stream, on the main loop: each event has its host inspected.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;
struct docker_events;

// Connects, and again after a pause whenever the stream ends (Docker restarts). Every host is
// inspected as soon as a stream has begun, since containers that died meanwhile leave no event.
// From then on an event has its host inspected (inspect.h). A lost connection shows at once.
_must_check_ int docker_events_new(struct agent *a, struct docker_events **ret, struct err *e);
void docker_events_start(struct docker_events *events); // once the hosts are known
void docker_events_free(struct docker_events *events);
