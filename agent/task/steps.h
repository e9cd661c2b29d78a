// SPDX-License-Identifier: Apache-2.0
// The steps that several kinds have in common.
#pragma once

#include "lib/attr.h"

struct err;
struct task;

_must_check_ int step_end(struct task *task, struct err *e); // ends what runs
_must_check_ int step_remove(struct task *task, struct err *e); // removes the container
_must_check_ int step_image(struct task *task, struct err *e); // chooses the image's present id

// Tells SQL that id once the former container is removed: whatever becomes of the task after that,
// the next container is made of this image.
_must_check_ int step_pin_image(struct task *task, struct err *e);
