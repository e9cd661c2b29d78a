// SPDX-License-Identifier: Apache-2.0
// Does a host's sshd answer? Asked beside each check; SQL learns each change.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/wait.h"

struct agent;
struct err;
struct host;
struct run;

// Reads the begin of the banner on the container's port 22. 0: an SSH server answers there;
// WAIT_TIMEOUT, WAIT_CANCELED, SOCK_CLOSED, or -1. What answers may be anything that root inside
// has put there: the proxy pins its key.
_must_check_ int ssh_banner(int ns_fd, const struct wait *w, struct err *e);

// Does sshd of a host that runs answer? Its banner is read if `again`, or if what listens on its port is not the socket
// that gave one before, or has connections waiting. PID 1 is asked for its words when it does not answer. Its exit is as
// proven as before: nothing is ended. true: it answers, or a task wants the host. Only the holder.
bool ssh_check(struct agent *a, struct host *host, bool again, const struct wait *w);

// It answered, or did not and this is why (NULL: it did). SQL learns it if that is news. From any
// thread.
void ssh_note(struct agent *a, const char *host_id, const char *why_not);
