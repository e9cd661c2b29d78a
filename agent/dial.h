// SPDX-License-Identifier: Apache-2.0
// The dial socket: hands connected sockets out of containers to programs that may have them.
#pragma once

#include <stdint.h>

#include "lib/attr.h"
#include "lib/wait.h"

struct agent;
struct dial;
struct err;

// Listens on STATE_DIR/run/dial/dial.sock (lib/dial.h tells the format). Who may ask is decided by
// SO_PEERCRED: ccp-sshproxy, ccp-api and root. What may be dialled is decided by session.open in
// PostgreSQL.
_must_check_ int dial_new(struct agent *a, struct dial **ret, struct err *e);

// Begins to accept: once the loop and the pool are there.
_must_check_ int dial_start(struct dial *dial, struct err *e);

// Accepts no more. Calls that the pool has are answered all the same.
void dial_free(struct dial *dial);
