// SPDX-License-Identifier: Apache-2.0
// One channel of a user and its twin in the container: bytes, end of file, exit status, close.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

// The twins are called `user` (libssh is the server there) and `host` (libssh is the client).
// libssh buffers what arrives and nothing is written inside its callbacks, they only leave flags.
// twin_pump() moves at the top level, and moves nothing into a session that still has unsent bytes.
//
// Memory is bounded by two rules. libssh grows its window with every read, however much it still
// holds, so a read takes all that it holds, and the next one waits until that is written. And it
// grows the window with every packet of a stream of which it holds little, however much it holds of
// the other, so a little stderr lets any amount of stdout come: the container is not read while
// twin_is_laden().
enum {
	TWIN_HELD_SOFT = 2 << 20, // libssh's window is 1.28 MB: one stream alone stays below
	TWIN_HELD_MAX = 4 << 20, // nobody who keeps to the window comes so far
	TWIN_WRITE_MAX = 64 << 10, // at once: what is written and not sent is memory too
	TWIN_SIGNAL_MAX = 32, // "SEGV@example.org", with its NUL
	TWIN_EXIT_TEXT_MAX = 512,
};

enum twin_stream { TWIN_PLAIN, TWIN_STDERR, TWIN_STREAMS };

// One direction: streams that take turns, and what was read and not yet written, of one of them.
struct twin_pipe {
	uint32_t waiting[TWIN_STREAMS]; // bytes that libssh holds for us
	enum twin_stream stream; // read last
	char *left;
	uint32_t left_start, left_end;
};

struct twin {
	struct twin *next; // for whoever keeps a list of them
	ssh_channel user, host;
	struct ssh_channel_callbacks_struct user_events, host_events;
	unsigned requests; // of this channel that wait for an answer; counted by the owner
	struct twin_pipe input, output;
	bool started; // the container accepted shell, exec or subsystem: input may flow
	bool pty;
	bool user_eof, user_closed, host_eof, host_closed; // seen
	bool overflowed; // somebody sends more than the window allows
	bool input_ended, output_ended, user_close_told; // passed on
	enum { TWIN_EXIT_NONE, TWIN_EXIT_STATUS, TWIN_EXIT_SIGNAL } exit;
	int exit_status;
	bool exit_core;
	char exit_signal[TWIN_SIGNAL_MAX];
	char exit_text[TWIN_EXIT_TEXT_MAX];
	// Called when the user sends a signal ("TERM"); set by the owner with `data`.
	void (*on_signal)(struct twin *twin, const char *signal, void *data);
	void *data;
};

struct twin_count {
	uint64_t up_bytes, down_bytes; // user to container, container to user
};

// Takes over both libssh channels and hangs our callbacks on them. `user` may come later by
// twin_attach (the container is asked first).
struct twin *twin_new(ssh_channel host);
void twin_attach(struct twin *twin, ssh_channel user);

// Closes what is open on either side, then frees. libssh keeps its half until the peer's CLOSE.
void twin_free(struct twin *twin);

// true while libssh holds so much of the container's output that no more should be read. Then the
// container's other channels wait too.
bool twin_is_laden(const struct twin *twin);

enum twin_outcome {
	TWIN_IDLE = 0, // nothing could be moved
	TWIN_MOVED = 1,
	TWIN_OVER = 2, // both ends are closed: free it
	TWIN_BROKEN = 3, // somebody sends more than the window allows: end the connection
};

// Moves what can be moved now: at most TWIN_WRITE_MAX per direction. Adds to `count`. While
// requests wait nothing moves: a short command's answer, output and end may come at once, and keep
// their order.
enum twin_outcome twin_pump(struct twin *twin, struct twin_count *count);

// Writes a sentence to the user's stderr, then exit status 255 and CLOSE. Nothing moves afterwards.
void twin_end(struct twin *twin, const char *sentence);
