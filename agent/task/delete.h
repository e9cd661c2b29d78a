// SPDX-License-Identifier: Apache-2.0
// The steps of host.delete that are its own.
#pragma once

#include "lib/attr.h"

struct err;
struct task;

// Removes the host's container and the one through which its image was looked at.
_must_check_ int delete_containers(struct task *task, struct err *e);

// Unmounts the home, empties it if the task says wipe, removes the keys, forgets the host.
_must_check_ int delete_files(struct task *task, struct err *e);
