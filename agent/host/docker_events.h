// SPDX-License-Identifier: Apache-2.0
// Docker's event stream, on the main loop.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;
struct docker_events;

// Connects, and again after a pause whenever the stream ends (Docker restarts). After each connect
// every host is looked at, since containers that died meanwhile leave no event. An event makes its
// host be looked at, when nobody is at work there any more.
_must_check_ int docker_events_new(struct agent *a, struct docker_events **ret, struct err *e);
void docker_events_start(struct docker_events *watch); // once the hosts are known
void docker_events_free(struct docker_events *watch);
