// SPDX-License-Identifier: Apache-2.0
// Child: one channel of a user and its counterpart in the container: bytes, EOF, exit status, close.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

// The pairs are called `user` (libssh is the server there) and `host` (libssh is the client).
// libssh buffers what arrives and nothing is written inside its callbacks, they only leave flags.
// channel_pair_pump() moves at the top level, and moves nothing into a session that still has unsent bytes.
//
// Memory is bounded by two rules. libssh grows its window with every read, however much it still
// holds, so a read takes all that it holds, and the next one waits until that is written. And it
// grows the window with every packet of a stream of which it holds little, however much it holds of
// the other, so a little stderr lets any amount of stdout come: the container is not read while
// channel_pair_output_is_full().
enum {
	PAIR_HELD_SOFT = 2 << 20, // libssh's window is 1.28 MB: one stream alone stays below
	PAIR_HELD_MAX = 4 << 20, // nobody who keeps to the window comes so far
	PAIR_WRITE_MAX = 64 << 10, // at once: what is written and not sent is memory too
	PAIR_SIGNAL_MAX = 32, // "SEGV@example.org", with its NUL
	PAIR_EXIT_TEXT_MAX = 512,
};

enum pair_stream { PAIR_PLAIN, PAIR_STDERR, PAIR_STREAMS };

// One direction: streams that take turns, and what was read and not yet written, of one of them.
struct pair_pipe {
	uint32_t waiting[PAIR_STREAMS]; // bytes that libssh holds for us
	enum pair_stream stream; // read last
	char *left;
	uint32_t left_start, left_end;
};

struct channel_pair {
	struct channel_pair *next; // for whoever keeps a list of them
	ssh_channel user, host;
	struct ssh_channel_callbacks_struct user_events, host_events;
	unsigned requests; // of this channel that wait for an answer; counted by the owner
	struct pair_pipe input, output;
	bool started; // the container accepted shell, exec or subsystem: input may flow
	bool pty;
	bool user_eof, user_closed, host_eof, host_closed; // seen
	bool overflowed; // somebody sends more than the window allows
	bool input_ended, output_ended, user_close_told; // passed on
	enum { PAIR_EXIT_NONE, PAIR_EXIT_STATUS, PAIR_EXIT_SIGNAL } exit;
	int exit_status;
	bool exit_core;
	char exit_signal[PAIR_SIGNAL_MAX];
	char exit_text[PAIR_EXIT_TEXT_MAX];
	// Called when the user sends a signal ("TERM"); set by the owner with `data`.
	void (*on_signal)(struct channel_pair *pair, const char *signal, void *data);
	void *data;
};

struct relay_count {
	uint64_t up_bytes, down_bytes; // user to container, container to user
};

// Takes over both libssh channels and hangs our callbacks on them. `user` may come later by
// channel_pair_attach (the container is asked first).
struct channel_pair *channel_pair_new(ssh_channel host);
void channel_pair_attach(struct channel_pair *pair, ssh_channel user);

// Closes what is open on either side, then frees. libssh keeps its half until the peer's CLOSE.
void channel_pair_free(struct channel_pair *pair);

// true while libssh holds so much of the container's output that no more should be read. Then the
// container's other channels wait too.
bool channel_pair_output_is_full(const struct channel_pair *pair);

enum pair_outcome {
	PAIR_IDLE = 0, // nothing could be moved
	PAIR_MOVED = 1,
	PAIR_OVER = 2, // both ends are closed: free it
	PAIR_BROKEN = 3, // somebody sends more than the window allows: end the connection
};

// Moves what can be moved now: at most PAIR_WRITE_MAX per direction. Adds to `count`. While
// requests wait nothing moves: a short command's answer, output and end may come at once, and keep
// their order.
enum pair_outcome channel_pair_pump(struct channel_pair *pair, struct relay_count *count);

// Writes a sentence to the user's stderr, then exit status 255 and CLOSE. Nothing moves afterwards.
void channel_pair_end(struct channel_pair *pair, const char *sentence);
