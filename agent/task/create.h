// SPDX-License-Identifier: Apache-2.0
// The step of host.create that is its own.
#pragma once

#include "lib/attr.h"

struct err;
struct task;

// Makes the host's keys and its home. The public halves are what the database gets.
_must_check_ int create_keys(struct task *task, struct err *e);
