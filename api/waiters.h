// SPDX-License-Identifier: Apache-2.0
// Long polls: suspended requests that wait for their task to change.
#pragma once

#include <stdbool.h>

struct app;
struct request;

// Whether a request wants to wait (?wait=), its client knows `version` already, and there is room.
// true reserves its place: it must join. Called in a step, which still owns the request.
bool waiters_accept(struct request *r, const char *version);

// Gives the request to the waiters: they continue it with its step when the task changes, the wait
// is over or the program stops. The caller must not touch it afterwards.
void waiters_join(struct request *r);

// The doorbell ccp_event rang: one call for all who wait asks whose task changed. On the loop.
void waiters_ring(struct app *app);

// Continues those whose wait is over; each second, on the loop. `all`: all of them, because the
// program stops.
void waiters_expire(struct app *app, bool all);
