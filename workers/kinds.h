// SPDX-License-Identifier: Apache-2.0
// The task kinds of the worker, one file each.
#pragma once

#include "lib/task.h"

// events.retain: calls event.retain() until nothing past its retention is left. Begun again after a
// crash it goes on where it stopped.
extern const struct task_step retain_steps[];

// user.delete: fails, to be tried again, while hosts of the user are left.
extern const struct task_step delete_user_steps[];

// webhook.deliver: sends what waits for a webhook, one after the other, and stops at the first that is
// not taken. webhook.test: sends one message. The program's `data` is its struct sealing.
extern const struct task_step webhook_deliver_steps[], webhook_test_steps[];
int webhook_begin(struct task *task, struct err *e);
void webhook_end(struct task *task);

// system.noop: holds the task for params.hold_ms (0 if absent), and ends at once when asked to
// stop.
extern const struct task_step noop_steps[];
