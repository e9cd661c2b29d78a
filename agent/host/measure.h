// SPDX-License-Identifier: Apache-2.0
// Tells SQL how much of the disk is free, and what each host's files take of it.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;
struct measure;

// Each ten seconds; rounds over the hosts are further apart, up to a minute, where they take long,
// and one begins as soon as much less is free than before. Who is busy is counted a little later.
// A tenth of a second of work each second at most, on a thread of the inspection pool.
// `registered` and later.
_must_check_ int measure_new(struct agent *a, struct measure **ret, struct err *e);
void measure_free(struct measure *m); // on the loop, after the pools have ended
