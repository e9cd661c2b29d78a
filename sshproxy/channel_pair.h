// SPDX-License-Identifier: Apache-2.0
// Child: one channel of a user and its counterpart in the container.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

// The two channels are called `user` (libssh is the server there) and `host` (libssh is the
// client). libssh buffers what arrives. Nothing is written inside its callbacks, they only leave
// flags: channel_pair_pump() moves at the top level, and moves nothing into a session that still
// has unsent bytes.
//
// A reader that is slow holds back its own channel by the channel's window, which libssh 0.10 keeps
// to 1.28 MB by two rules of its own:
//
// 1. It grows the window with every read, however much it still holds. So a read takes all that
//    it holds, and the next one waits until that is written.
// 2. It grows the window with every packet of a stream of which it holds little, however much it
//    holds of the channel's other stream. So a little stderr lets any amount of stdout come.
//
// Against the second there is no window. From PAIR_HELD_SOFT on the container is not read at all,
// and its other channels wait too. Since a libssh session that is written to may read some bytes as
// well, neither input nor a request is sent to the container from PAIR_HELD_FIRM on. A channel that
// its user has closed holds nothing: its output is dropped.
enum {
	PAIR_HELD_SOFT = 2 << 20, // one stream alone stays below
	PAIR_HELD_FIRM = 3 << 20,
	PAIR_HELD_MAX = 4 << 20, // only a peer that does not keep to the window comes so far
	PAIR_WRITE_MAX = 64 << 10, // at once: what is written and not sent is memory too
	PAIR_EXIT_SIGNAL_MAX = 32, // "SEGV@example.org", with its NUL
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
	ssh_channel user, host; // NULL until attached
	struct ssh_channel_callbacks_struct user_events, host_events;
	struct pair_pipe input, output;
	bool started; // the container accepted shell, exec or subsystem: input may flow
	bool pty;
	bool user_eof, user_closed, host_eof, host_closed; // seen
	bool overflowed; // a peer sends more than the window allows
	bool input_ended, output_ended, user_close_sent; // passed on
	enum { PAIR_EXIT_NONE, PAIR_EXIT_STATUS, PAIR_EXIT_SIGNAL } exit;
	int exit_status;
	bool exit_core;
	char exit_signal[PAIR_EXIT_SIGNAL_MAX];
	char exit_text[PAIR_EXIT_TEXT_MAX];
	// Called when the user sends a signal ("TERM"); set by the owner.
	void (*on_signal)(struct channel_pair *pair, const char *signal);
};

struct pair_count {
	uint64_t up_bytes, down_bytes; // user to container, container to user
};

// Each takes over a libssh channel and hangs our callbacks on it. The container is asked first, the
// user's half comes when it has agreed. The pair stays where it is until channel_pair_done.
void channel_pair_attach_host(struct channel_pair *pair, ssh_channel host);
void channel_pair_attach_user(struct channel_pair *pair, ssh_channel user);

// Closes what is open on either side and frees it. libssh keeps its half until the peer's CLOSE.
void channel_pair_done(struct channel_pair *pair);

// Bytes of the container's output that libssh holds.
uint32_t channel_pair_output_held(const struct channel_pair *pair);

enum pair_outcome {
	PAIR_IDLE = 0, // nothing could be moved
	PAIR_MOVED = 1,
	PAIR_OVER = 2, // both ends are closed: channel_pair_done
	PAIR_BROKEN = 3, // a peer sends more than the window allows: end the connection
};

// Moves the container's output only, and no end: all that is called while a request of the channel
// waits for its answer. Output that the user has closed is dropped. Never PAIR_OVER.
enum pair_outcome channel_pair_pump_output(struct channel_pair *pair, struct pair_count *count);

// Moves what can be moved now, ends too: at most PAIR_WRITE_MAX per direction, and no input unless
// `may_send`. Adds to `count`.
enum pair_outcome channel_pair_pump(
	struct channel_pair *pair, bool may_send, struct pair_count *count);
