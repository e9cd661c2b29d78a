// SPDX-License-Identifier: Apache-2.0
// The steps of a start, from nothing to a proven, open, answering host.
#pragma once

#include "lib/attr.h"

struct err;
struct task;

// What each does is said in the table of kinds.c.
_must_check_ int start_prepare(struct task *task, struct err *e);
_must_check_ int start_create(struct task *task, struct err *e);
_must_check_ int start_boot(struct task *task, struct err *e);
_must_check_ int start_wall(struct task *task, struct err *e);
_must_check_ int start_tunnel(struct task *task, struct err *e);
_must_check_ int start_examine(struct task *task, struct err *e);
_must_check_ int start_verify(struct task *task, struct err *e);
_must_check_ int start_prove(struct task *task, struct err *e);
_must_check_ int start_gate(struct task *task, struct err *e);
_must_check_ int start_finish(struct task *task, struct err *e);

// The host runs from here on: it is guarded, dialled, renewed. Its evidence is that of this task; NULL: of none.
_must_check_ int start_publish(struct task *task, const char *task_id, struct err *e);
