// SPDX-License-Identifier: Apache-2.0
// egress.test: proves an exit, without a host or through the tunnel of the one that it carries.
#pragma once

#include "lib/attr.h"

struct agent;
struct err;
struct task;

// An exit is tested as a host is started, without the host: a namespace that only we hold, the
// wall, closed, an engine as one of the users that are the tests' own, and the verification from
// inside. Everything has ended before the task has. WireGuard's key is the exit's own or that of
// the host that is bound to it. A host that runs has the key in use: then its own tunnel is
// checked, as it is checked all the time, but nothing is done to the host for what comes of it.
//
// What was found is the result {outcome, error_code, message, exit_ip, checks, duration_ms,
// host_id}: a task that found that the exit does not work has succeeded. A verdict takes 9 s at
// most.
_must_check_ int egress_test_begin(struct task *task, struct err *e);
_must_check_ int egress_test_host(struct task *task, struct err *e);
_must_check_ int egress_test_wall(struct task *task, struct err *e);
_must_check_ int egress_test_tunnel(struct task *task, struct err *e);
_must_check_ int egress_test_examine(struct task *task, struct err *e);
_must_check_ int egress_test_verify(struct task *task, struct err *e);
_must_check_ int egress_test_finish(struct task *task, struct err *e);
void egress_test_end(struct task *task);

// Ends the tunnels of tests that an agent has left which died: at the start, before there are
// tasks.
void egress_test_sweep(struct agent *a);
