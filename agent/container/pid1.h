// SPDX-License-Identifier: Apache-2.0
// Proves that a container's PID 1 is our ccp-init: by what the kernel says of the process, not by
// what is said at the gate.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "lib/attr.h"

struct err;

// Whom the agent expects to be PID 1.
struct pid1 {
	pid_t pid; // the container's State.Pid
	uid_t uid; // of the container's root on the machine
	int ns_fd; // its network namespace
	int program_fd; // the file of the ccp-init that is mounted at /.ccp; O_PATH is enough
	bool alone; // its gate has never been opened: no other process may be there
};

// 0: process `pid` is process 1 of its pid namespace, lives in that network namespace, was executed
// from that very file (device and inode of /proc/PID/exe: a path inside the container means
// nothing), is not traced and has one thread. With `alone` it is also the only process of the
// container, so that nothing that ran before it and executed it is left. Everything is read through
// one descriptor of /proc/PID, which the kernel ties to the process: another one that gets its
// number afterwards is not taken for it. -1: EPERM says what is wrong, ESRCH that it has ended.
// Needs CAP_SYS_PTRACE (proc(5): exe, root and ns of another user namespace's or a process that is
// not dumpable).
_must_check_ int pid1_prove(const struct pid1 *p, struct err *e);
