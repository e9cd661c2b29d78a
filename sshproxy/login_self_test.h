// SPDX-License-Identifier: Apache-2.0
// Listener: refuses to serve with a libssh that login.c does not know.
#pragma once

#include <libssh/server.h>

#include "lib/attr.h"

struct err;

// login.c counts attempts that libssh drops by a line of libssh's log, which no version promises.
// So before the first connection a client of our own makes such an attempt on a socketpair: it has
// to be counted, and answered by login_poll(). Takes some milliseconds. -1: it was not, and the
// program must not start.
_must_check_ int login_self_test(ssh_bind bind, struct err *e);
