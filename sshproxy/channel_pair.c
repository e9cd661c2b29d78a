// SPDX-License-Identifier: Apache-2.0
// Child: relays one channel between a user and the container.
#include "sshproxy/channel_pair.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <libssh/server.h>

#include "lib/mem.h"
#include "sshproxy/side.h"

// What a read takes. One connection a process, so one for all; untouched pages cost nothing.
static char held[PAIR_HELD_MAX];

static void pipe_forget(struct pair_pipe *pipe)
{
	free(TAKE_PTR(pipe->left));
}

static bool pipe_is_empty(const struct pair_pipe *pipe)
{
	return pipe->waiting[PAIR_PLAIN] == 0 && pipe->waiting[PAIR_STDERR] == 0 && !pipe->left;
}

// Writes what the window and PAIR_WRITE_MAX allow. Returns how much, < 0 when its reader has
// closed.
static int pipe_write(const struct pair_pipe *pipe, ssh_channel to, const char *bytes, uint32_t len)
{
	uint32_t room = ssh_channel_window_size(to);
	if (room > PAIR_WRITE_MAX)
		room = PAIR_WRITE_MAX;
	if (len > room)
		len = room;
	if (len == 0)
		return 0;
	return pipe->stream == PAIR_STDERR ? ssh_channel_write_stderr(to, bytes, len)
					   : ssh_channel_write(to, bytes, len);
}

// Writes what an earlier turn left over.
static bool pipe_flush(struct pair_pipe *pipe, ssh_channel to, uint64_t *bytes)
{
	int n = pipe_write(
		pipe, to, pipe->left + pipe->left_start, pipe->left_end - pipe->left_start);
	if (n < 0) { // the reader is gone
		pipe_forget(pipe);
		return true;
	}
	*bytes += (uint64_t)n;
	pipe->left_start += (uint32_t)n;
	if (pipe->left_start == pipe->left_end)
		pipe_forget(pipe);
	return n > 0;
}

static void pipe_keep(struct pair_pipe *pipe, const char *bytes, uint32_t len)
{
	pipe->left = xreallocarray(NULL, 1, len);
	memcpy(pipe->left, bytes, len);
	pipe->left_start = 0;
	pipe->left_end = len;
}

// Reads all that libssh holds of one stream into `held`. The count is taken back before: the read
// may look at the socket and call on_data again.
static int pipe_read(struct pair_pipe *pipe, ssh_channel from)
{
	pipe->stream = pipe->stream == PAIR_PLAIN ? PAIR_STDERR : PAIR_PLAIN;
	if (pipe->waiting[pipe->stream] == 0)
		pipe->stream = pipe->stream == PAIR_PLAIN ? PAIR_STDERR : PAIR_PLAIN;
	pipe->waiting[pipe->stream] = 0;
	return ssh_channel_read_nonblocking(from, held, sizeof(held), pipe->stream == PAIR_STDERR);
}

// Adds to *bytes. Returns true when libssh was asked to read or write: it may have looked at the
// sockets, so whatever waits for what they bring has to be looked at again.
static bool pipe_move(struct pair_pipe *pipe, ssh_channel from, ssh_channel to, uint64_t *bytes)
{
	if (session_write_is_pending(ssh_channel_get_session(to)))
		return false;
	if (pipe->left)
		return pipe_flush(pipe, to, bytes);
	if (pipe_is_empty(pipe))
		return false;
	int n = pipe_read(pipe, from);
	if (n <= 0)
		return true;
	int written = pipe_write(pipe, to, held, (uint32_t)n);
	if (written >= 0 && written < n)
		pipe_keep(pipe, held + written, (uint32_t)(n - written));
	if (written > 0)
		*bytes += (uint64_t)written;
	return true;
}

// Drops what the pipe holds: its reader has closed. Returns as pipe_move.
static bool pipe_drop(struct pair_pipe *pipe, ssh_channel from)
{
	pipe_forget(pipe);
	if (pipe_is_empty(pipe))
		return false;
	(void)pipe_read(pipe, from);
	return true;
}

// `len` is all that libssh holds of the stream. It stays there until the next read.
static int on_data(ssh_session session, ssh_channel from, void *data, uint32_t len, int is_stderr,
	void *userdata)
{
	(void)session;
	(void)data;
	struct channel_pair *c = userdata;
	struct pair_pipe *pipe = from == c->user ? &c->input : &c->output;
	pipe->waiting[is_stderr ? PAIR_STDERR : PAIR_PLAIN] = len;
	c->overflowed |= len >= PAIR_HELD_MAX;
	return 0;
}

static void on_eof(ssh_session session, ssh_channel from, void *userdata)
{
	(void)session;
	struct channel_pair *c = userdata;
	*(from == c->user ? &c->user_eof : &c->host_eof) = true;
}

static void on_close(ssh_session session, ssh_channel from, void *userdata)
{
	(void)session;
	struct channel_pair *c = userdata;
	if (from == c->user)
		c->user_eof = c->user_closed = true;
	else
		c->host_eof = c->host_closed = true;
}

static void on_exit_status(ssh_session session, ssh_channel from, int status, void *userdata)
{
	(void)session;
	(void)from;
	struct channel_pair *c = userdata;
	c->exit = PAIR_EXIT_STATUS;
	c->exit_status = status;
}

static void on_exit_signal(ssh_session session, ssh_channel from, const char *signal, int core,
	const char *text, const char *language, void *userdata)
{
	(void)session;
	(void)from;
	(void)language;
	struct channel_pair *c = userdata;
	c->exit = PAIR_EXIT_SIGNAL;
	c->exit_core = core != 0;
	if (!text_copy(c->exit_signal, sizeof(c->exit_signal), signal))
		memcpy(c->exit_signal, "KILL", sizeof("KILL"));
	if (!text_copy(c->exit_text, sizeof(c->exit_text), text))
		c->exit_text[0] = '\0';
}

static void on_signal(ssh_session session, ssh_channel from, const char *signal, void *userdata)
{
	(void)session;
	(void)from;
	struct channel_pair *c = userdata;
	if (c->on_signal)
		c->on_signal(c, signal);
}

static void exit_pass_on(struct channel_pair *c)
{
	if (c->exit == PAIR_EXIT_STATUS)
		(void)ssh_channel_request_send_exit_status(c->user, c->exit_status);
	else if (c->exit == PAIR_EXIT_SIGNAL)
		(void)ssh_channel_request_send_exit_signal(
			c->user, c->exit_signal, c->exit_core, c->exit_text, "");
	c->exit = PAIR_EXIT_NONE;
}

// An OpenSSH client that has nothing more to say closes the channel as soon as the output ends. The
// container may tell the exit status only after that, so its own CLOSE is what ends a channel.
static bool close_pass_on(struct channel_pair *c)
{
	if (!c->user_closed || c->user_close_sent || c->host_closed)
		return false;
	if (ssh_channel_close(c->host) == SSH_AGAIN) // EOF has gone and filled the socket
		(void)ssh_channel_close(c->host);
	c->user_close_sent = true;
	return true;
}

// Passes on ends of streams, each after the last byte before it.
static enum pair_outcome ends_pass_on(struct channel_pair *c)
{
	bool moved = false;
	bool output_is_over = c->user_closed || pipe_is_empty(&c->output);
	bool input_is_over = c->host_closed || pipe_is_empty(&c->input);
	if (c->host_eof && output_is_over && !c->output_ended) {
		(void)ssh_channel_send_eof(c->user);
		c->output_ended = moved = true;
	}
	if (c->exit != PAIR_EXIT_NONE && output_is_over) {
		exit_pass_on(c);
		moved = true;
	}
	if (c->user_eof && input_is_over && c->started && !c->input_ended) {
		(void)ssh_channel_send_eof(c->host);
		c->input_ended = moved = true;
	}
	if (input_is_over || !c->started)
		moved |= close_pass_on(c);
	if (c->host_closed && output_is_over && c->exit == PAIR_EXIT_NONE)
		return PAIR_OVER;
	return moved ? PAIR_MOVED : PAIR_IDLE;
}

static void events_hang(
	ssh_channel channel, struct ssh_channel_callbacks_struct *events, struct channel_pair *c)
{
	events->userdata = c;
	ssh_callbacks_init(events);
	int r = ssh_set_channel_callbacks(channel, events);
	assert(r == SSH_OK);
}

void channel_pair_attach_host(struct channel_pair *c, ssh_channel host)
{
	c->host = host;
	c->host_events = (struct ssh_channel_callbacks_struct){
		.channel_data_function = on_data,
		.channel_eof_function = on_eof,
		.channel_close_function = on_close,
		.channel_exit_status_function = on_exit_status,
		.channel_exit_signal_function = on_exit_signal,
	};
	events_hang(host, &c->host_events, c);
}

void channel_pair_attach_user(struct channel_pair *c, ssh_channel user)
{
	c->user = user;
	c->user_events = (struct ssh_channel_callbacks_struct){
		.channel_data_function = on_data,
		.channel_eof_function = on_eof,
		.channel_close_function = on_close,
		.channel_signal_function = on_signal,
	};
	events_hang(user, &c->user_events, c);
}

static void side_free(ssh_channel side, struct ssh_channel_callbacks_struct *events)
{
	if (!side)
		return;
	(void)ssh_remove_channel_callbacks(side, events);
	ssh_channel_free(side); // sends CLOSE unless sent, keeps itself until the peer's CLOSE
}

void channel_pair_done(struct channel_pair *c)
{
	side_free(c->user, &c->user_events);
	side_free(c->host, &c->host_events);
	pipe_forget(&c->input);
	pipe_forget(&c->output);
}

uint32_t channel_pair_output_held(const struct channel_pair *c)
{
	return c->output.waiting[PAIR_PLAIN] + c->output.waiting[PAIR_STDERR];
}

enum pair_outcome channel_pair_pump_output(struct channel_pair *c, struct pair_count *count)
{
	if (c->overflowed)
		return PAIR_BROKEN;
	bool moved = c->user_closed ? pipe_drop(&c->output, c->host)
				    : pipe_move(&c->output, c->host, c->user, &count->down_bytes);
	return moved ? PAIR_MOVED : PAIR_IDLE;
}

enum pair_outcome channel_pair_pump(struct channel_pair *c, bool may_send, struct pair_count *count)
{
	enum pair_outcome output = channel_pair_pump_output(c, count);
	if (output == PAIR_BROKEN)
		return PAIR_BROKEN;
	bool moved = output == PAIR_MOVED;
	if (c->started && !c->host_closed && may_send)
		moved |= pipe_move(&c->input, c->user, c->host, &count->up_bytes);
	enum pair_outcome outcome = ends_pass_on(c);
	return outcome == PAIR_IDLE && moved ? PAIR_MOVED : outcome;
}
