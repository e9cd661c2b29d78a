// SPDX-License-Identifier: Apache-2.0
// Tells SQL what this machine can: its engine, ids that are taken, limits.
#pragma once

#include "lib/attr.h"

struct agent;
struct db;
struct err;
struct wait;

// Finds out and calls node.report. Returns 0, WAIT_TIMEOUT, WAIT_CANCELED, -1.
_must_check_ int machine_report(
	const struct agent *a, struct db *db, const struct wait *w, struct err *e);
