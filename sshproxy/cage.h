// SPDX-License-Identifier: Apache-2.0
// What a child may still do: talk on descriptors it has. No files, no programs, no new sockets.
#pragma once

#include "lib/attr.h"

struct cage;
struct err;

// Compiles the system call filter once, in the acceptor, so that a connection pays for its loading
// only. The cage lives as long as the program.
_must_check_ int cage_new(struct cage **ret, struct err *e);

// Closes every descriptor but the two, which become CAGE_FD_USER and CAGE_FD_AUTHORITY; 0 to 2
// become /dev/null. Then limits, no_new_privs and the filter: a system call that is not on the list
// ends the process, opening files fails with EACCES. In the sanitizers' flavours there is no
// filter: their run-time needs more than the list.
enum { CAGE_FD_USER = 3, CAGE_FD_AUTHORITY = 4 };
_must_check_ int cage_enter(const struct cage *cage, int user_fd, int authority_fd, struct err *e);
