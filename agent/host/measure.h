// SPDX-License-Identifier: Apache-2.0
// Tells SQL how much of the disk is free, and what each host's files take of it.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;
struct measure;

// Each minute, and as soon as much less is free than before. A tenth of a second of work each
// second at most, on a thread of the inspection pool. `registered` and later.
_must_check_ int measure_new(struct agent *a, struct measure **ret, struct err *e);
void measure_free(struct measure *m); // on the loop, after the pools have ended
