// SPDX-License-Identifier: Apache-2.0
// Relays one channel between a user and the container.
#include "sshproxy/twin.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <libssh/server.h>

#include "lib/mem.h"

// What a read takes. One connection a process, so one for all; untouched pages cost nothing.
static char held[TWIN_HELD_MAX];

static bool session_is_clogged(ssh_session session)
{
	return (ssh_get_status(session) & SSH_WRITE_PENDING) != 0;
}

static void pipe_forget(struct twin_pipe *pipe)
{
	free(TAKE_PTR(pipe->left));
}

static bool pipe_is_empty(const struct twin_pipe *pipe)
{
	return pipe->waiting[TWIN_PLAIN] == 0 && pipe->waiting[TWIN_STDERR] == 0 && !pipe->left;
}

// Writes what the window and TWIN_WRITE_MAX allow. Returns how much, < 0 when its reader has
// closed.
static int pipe_write(const struct twin_pipe *pipe, ssh_channel to, const char *bytes, uint32_t len)
{
	uint32_t room = ssh_channel_window_size(to);
	if (room > TWIN_WRITE_MAX)
		room = TWIN_WRITE_MAX;
	if (len > room)
		len = room;
	if (len == 0)
		return 0;
	return pipe->stream == TWIN_STDERR ? ssh_channel_write_stderr(to, bytes, len)
					   : ssh_channel_write(to, bytes, len);
}

// Writes what an earlier turn left over.
static bool pipe_flush(struct twin_pipe *pipe, ssh_channel to, uint64_t *bytes)
{
	int n = pipe_write(
		pipe, to, pipe->left + pipe->left_start, pipe->left_end - pipe->left_start);
	if (n < 0) { // nobody wants the rest
		pipe_forget(pipe);
		return true;
	}
	*bytes += (uint64_t)n;
	pipe->left_start += (uint32_t)n;
	if (pipe->left_start == pipe->left_end)
		pipe_forget(pipe);
	return n > 0;
}

static void pipe_keep(struct twin_pipe *pipe, const char *bytes, uint32_t len)
{
	pipe->left = xreallocarray(NULL, 1, len);
	memcpy(pipe->left, bytes, len);
	pipe->left_start = 0;
	pipe->left_end = len;
}

// Reads all that libssh holds of one stream into `held`. The count is taken back before: the read
// may look at the socket and call on_data again.
static int pipe_read(struct twin_pipe *pipe, ssh_channel from)
{
	pipe->stream = pipe->stream == TWIN_PLAIN ? TWIN_STDERR : TWIN_PLAIN;
	if (pipe->waiting[pipe->stream] == 0)
		pipe->stream = pipe->stream == TWIN_PLAIN ? TWIN_STDERR : TWIN_PLAIN;
	pipe->waiting[pipe->stream] = 0;
	return ssh_channel_read_nonblocking(from, held, sizeof(held), pipe->stream == TWIN_STDERR);
}

// Adds to *bytes. Returns true when libssh was asked to read or write: it may have looked at the
// sockets, so whatever waits for what they bring has to be looked at again.
static bool pipe_move(struct twin_pipe *pipe, ssh_channel from, ssh_channel to, uint64_t *bytes)
{
	if (session_is_clogged(ssh_channel_get_session(to)))
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

// `len` is all that libssh holds of the stream. It stays there until the next read.
static int on_data(ssh_session session, ssh_channel from, void *data, uint32_t len, int is_stderr,
	void *userdata)
{
	(void)session, (void)data;
	struct twin *c = userdata;
	struct twin_pipe *pipe = from == c->user ? &c->input : &c->output;
	pipe->waiting[is_stderr ? TWIN_STDERR : TWIN_PLAIN] = len;
	c->overflowed |= len >= TWIN_HELD_MAX;
	return 0;
}

static void on_eof(ssh_session session, ssh_channel from, void *userdata)
{
	(void)session;
	struct twin *c = userdata;
	*(from == c->user ? &c->user_eof : &c->host_eof) = true;
}

static void on_close(ssh_session session, ssh_channel from, void *userdata)
{
	(void)session;
	struct twin *c = userdata;
	if (from == c->user)
		c->user_eof = c->user_closed = true;
	else
		c->host_eof = c->host_closed = true;
}

static void on_exit_status(ssh_session session, ssh_channel from, int status, void *userdata)
{
	(void)session, (void)from;
	struct twin *c = userdata;
	c->exit = TWIN_EXIT_STATUS;
	c->exit_status = status;
}

static void on_exit_signal(ssh_session session, ssh_channel from, const char *signal, int core,
	const char *text, const char *language, void *userdata)
{
	(void)session, (void)from, (void)language;
	struct twin *c = userdata;
	c->exit = TWIN_EXIT_SIGNAL;
	c->exit_core = core != 0;
	if (!text_copy(c->exit_signal, sizeof(c->exit_signal), signal))
		memcpy(c->exit_signal, "KILL", sizeof("KILL"));
	if (!text_copy(c->exit_text, sizeof(c->exit_text), text))
		c->exit_text[0] = '\0';
}

static void on_signal(ssh_session session, ssh_channel from, const char *signal, void *userdata)
{
	(void)session, (void)from;
	struct twin *c = userdata;
	if (c->on_signal)
		c->on_signal(c, signal, c->data);
}

static void exit_pass_on(struct twin *c)
{
	if (c->exit == TWIN_EXIT_STATUS)
		(void)ssh_channel_request_send_exit_status(c->user, c->exit_status);
	else if (c->exit == TWIN_EXIT_SIGNAL)
		(void)ssh_channel_request_send_exit_signal(
			c->user, c->exit_signal, c->exit_core, c->exit_text, "");
	c->exit = TWIN_EXIT_NONE;
}

// An OpenSSH client that has nothing more to say closes the channel as soon as the output ends. The
// container may tell the exit status only after that, so its own CLOSE is what ends a channel.
static bool close_pass_on(struct twin *c)
{
	if (!c->user_closed || c->user_close_told || c->host_closed)
		return false;
	if (ssh_channel_close(c->host) == SSH_AGAIN) // EOF has gone and filled the socket
		(void)ssh_channel_close(c->host);
	c->user_close_told = true;
	return true;
}

// Passes on ends of streams, each after the last byte before it.
static enum twin_outcome ends_pass_on(struct twin *c)
{
	bool moved = false;
	bool output_is_over = c->user_closed || pipe_is_empty(&c->output);
	bool input_is_over = c->host_closed || pipe_is_empty(&c->input);
	if (c->host_eof && output_is_over && !c->output_ended) {
		(void)ssh_channel_send_eof(c->user);
		c->output_ended = moved = true;
	}
	if (c->exit != TWIN_EXIT_NONE && output_is_over) {
		exit_pass_on(c);
		moved = true;
	}
	if (c->user_eof && input_is_over && c->started && !c->input_ended) {
		(void)ssh_channel_send_eof(c->host);
		c->input_ended = moved = true;
	}
	if (input_is_over || !c->started)
		moved |= close_pass_on(c);
	if (c->host_closed && output_is_over && c->exit == TWIN_EXIT_NONE)
		return TWIN_OVER;
	return moved ? TWIN_MOVED : TWIN_IDLE;
}

struct twin *twin_new(ssh_channel host)
{
	struct twin *c = xnew(struct twin);
	c->host = host;
	c->host_events = (struct ssh_channel_callbacks_struct){
		.userdata = c,
		.channel_data_function = on_data,
		.channel_eof_function = on_eof,
		.channel_close_function = on_close,
		.channel_exit_status_function = on_exit_status,
		.channel_exit_signal_function = on_exit_signal,
	};
	ssh_callbacks_init(&c->host_events);
	int r = ssh_set_channel_callbacks(host, &c->host_events);
	assert(r == SSH_OK);
	return c;
}

void twin_attach(struct twin *c, ssh_channel user)
{
	c->user = user;
	c->user_events = (struct ssh_channel_callbacks_struct){
		.userdata = c,
		.channel_data_function = on_data,
		.channel_eof_function = on_eof,
		.channel_close_function = on_close,
		.channel_signal_function = on_signal,
	};
	ssh_callbacks_init(&c->user_events);
	int r = ssh_set_channel_callbacks(user, &c->user_events);
	assert(r == SSH_OK);
}

static void side_free(ssh_channel side, struct ssh_channel_callbacks_struct *events)
{
	if (!side)
		return;
	(void)ssh_remove_channel_callbacks(side, events);
	ssh_channel_free(side); // sends CLOSE unless sent, keeps itself until the peer's CLOSE
}

void twin_free(struct twin *c)
{
	if (!c)
		return;
	side_free(c->user, &c->user_events);
	side_free(c->host, &c->host_events);
	pipe_forget(&c->input);
	pipe_forget(&c->output);
	free(c);
}

bool twin_is_laden(const struct twin *c)
{
	return c->output.waiting[TWIN_PLAIN] + c->output.waiting[TWIN_STDERR] >= TWIN_HELD_SOFT;
}

enum twin_outcome twin_pump(struct twin *c, struct twin_count *count)
{
	bool moved = false;
	if (c->overflowed)
		return TWIN_BROKEN;
	if (c->requests > 0)
		return TWIN_IDLE;
	if (!c->user_closed)
		moved |= pipe_move(&c->output, c->host, c->user, &count->down_bytes);
	if (c->started && !c->host_closed)
		moved |= pipe_move(&c->input, c->user, c->host, &count->up_bytes);
	enum twin_outcome outcome = ends_pass_on(c);
	return outcome == TWIN_IDLE && moved ? TWIN_MOVED : outcome;
}

void twin_end(struct twin *c, const char *sentence)
{
	const char *line = c->pty ? "\r\n" : "\n"; // a terminal in raw mode wants both
	(void)ssh_channel_write_stderr(c->user, line, (uint32_t)strlen(line));
	(void)ssh_channel_write_stderr(c->user, sentence, (uint32_t)strlen(sentence));
	(void)ssh_channel_write_stderr(c->user, line, (uint32_t)strlen(line));
	(void)ssh_channel_request_send_exit_status(c->user, 255);
	(void)ssh_channel_close(c->user);
}
