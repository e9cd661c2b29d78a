// SPDX-License-Identifier: Apache-2.0
// Child: one of its two libssh sessions, with what polls it.
#pragma once

#include <poll.h>
#include <stdbool.h>

#include <libssh/libssh.h>

// Each session has an event set of its own: in one set for both, the end of one connection would
// mark the other as broken.
struct side {
	ssh_session session; // NULL: not there yet; then nothing is polled
	ssh_event event;
	int fd;
	short revents; // what poll() said last
};

// Begins to poll. Called once the session has begun to talk: before, libssh has nothing to poll.
void side_attach(struct side *side);

// What poll() shall wait for. Its answer goes to `revents`. libssh's own poll flags are of no use:
// when a socket can be read and written, libssh forgets to take back that it waits for writing.
// Polling by them lets it read on and on while it must not.
struct pollfd side_poll(const struct side *side, bool may_read);

// Does what `revents` says: reads what has come, up to about SIDE_READ_BYTES, and writes what waits.
// When it may not read, because that would only fill memory, at most 4096 bytes are read, and only
// when something has to be written: libssh has no call that writes and does not read.
enum { SIDE_READ_BYTES = 64 << 10 };
void side_drive(struct side *side, bool may_read);

// Acknowledges at once what comes next. On the way in OpenSSH sends small messages one after the
// other without TCP_NODELAY: each would wait 40 ms for our delayed ACK of the one before. The
// kernel forgets this with the next answer.
void side_ack(const struct side *side);

// true while bytes wait for the socket to take them.
bool session_write_is_pending(ssh_session session); // false for NULL

bool side_is_dead(const struct side *side);
