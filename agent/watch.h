// SPDX-License-Identifier: Apache-2.0
// Docker's event stream, on the main loop.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;
struct watch;

// Connects, and again after a pause whenever the stream ends (Docker restarts). After each connect
// every host is looked at, since containers that died meanwhile leave no event. An event makes its
// host be looked at, when nobody is at work there any more.
_must_check_ int watch_new(struct agent *a, struct watch **ret, struct err *e);
void watch_start(struct watch *watch); // once the hosts are known
void watch_free(struct watch *watch);
