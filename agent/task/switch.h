// SPDX-License-Identifier: Apache-2.0
// host.switch: a running host leaves through another exit, while its users stay in.
#pragma once

#include "lib/attr.h"
#include "lib/task.h"

struct err;

// Closed, then without a tunnel, then with the other exit's, which is proven by the steps of a start, then open: at no time is
// there a way out that was not proven. What carries the old tunnel ends before the new begins, since both may have the same key.
// Connections through the old exit are ended at once; those over the loopback interface, as ssh sessions are, live on.
//
// What is refused in `prepare` leaves the host as it was. A failure after `close` brings back the exit it had if SQL says so
// (host_spec.switch_back), proven like the other; that failing too, and for a stop or a handing back, the host is ended.
_must_check_ int switch_prepare(struct task *task, struct err *e);
_must_check_ int switch_close(struct task *task, struct err *e);
_must_check_ int switch_leave(struct task *task, struct err *e);
_must_check_ int switch_wall(struct task *task, struct err *e);
void switch_undo(struct task *task, enum task_end why);
