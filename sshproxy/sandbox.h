// SPDX-License-Identifier: Apache-2.0
// Child: what it may do. It talks on the descriptors it has: no files, programs or new sockets.
#pragma once

#include "lib/attr.h"

struct sandbox;
struct err;

// Compiles the system call filter once, in the listener, so that a connection pays for its loading
// only. The sandbox lives as long as the program.
_must_check_ int sandbox_new(struct sandbox **ret, struct err *e);

// Closes every descriptor but the two, which become SANDBOX_FD_USER and SANDBOX_FD_MONITOR; 0 to 2
// become /dev/null. Then limits, no_new_privs and the filter: a system call that is not on the list
// ends the process, opening files fails with EACCES. In the sanitizers' flavours there is no
// filter: their run-time needs more than the list.
enum { SANDBOX_FD_USER = 3, SANDBOX_FD_MONITOR = 4 };
_must_check_ int sandbox_enter(
	const struct sandbox *sandbox, int user_fd, int monitor_fd, struct err *e);
