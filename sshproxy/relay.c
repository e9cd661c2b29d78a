// SPDX-License-Identifier: Apache-2.0
// Child: the queues of a user's requests and the list of channels.
#include "sshproxy/relay.h"

#include <stdlib.h>
#include <string.h>

#include <libssh/server.h>

#include "lib/mem.h"

// libssh's callbacks answer a request on the spot; here the container answers. So requests are
// taken as messages, whose accessors carry a deprecation mark in favour of the callbacks.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

struct relay_request {
	struct relay_request *next;
	ssh_message message; // NULL for a signal
	struct channel_pair *channel; // NULL for the opening of a channel that has not begun
	bool asked; // the container has it and has not answered
	char signal[PAIR_SIGNAL_MAX];
};

static int ask_pty(struct channel_pair *c, ssh_message m)
{
	c->pty = true;
	return ssh_channel_request_pty_size(c->host, ssh_message_channel_request_pty_term(m),
		ssh_message_channel_request_pty_width(m),
		ssh_message_channel_request_pty_height(m));
}

static int ask_window(struct channel_pair *c, ssh_message m)
{
	return ssh_channel_change_pty_size(c->host, ssh_message_channel_request_pty_width(m),
		ssh_message_channel_request_pty_height(m));
}

static int ask_env(struct channel_pair *c, ssh_message m)
{
	return ssh_channel_request_env(c->host, ssh_message_channel_request_env_name(m),
		ssh_message_channel_request_env_value(m));
}

static int ask_shell(struct channel_pair *c, ssh_message m)
{
	(void)m;
	return ssh_channel_request_shell(c->host);
}

static int ask_exec(struct channel_pair *c, ssh_message m)
{
	return ssh_channel_request_exec(c->host, ssh_message_channel_request_command(m));
}

static int ask_subsystem(struct channel_pair *c, ssh_message m)
{
	return ssh_channel_request_subsystem(c->host, ssh_message_channel_request_subsystem(m));
}

// How a channel request is put to the container. Each is called again while it returns SSH_AGAIN.
static const struct {
	int (*ask)(struct channel_pair *c, ssh_message m);
	bool starts; // once accepted, the channel carries bytes
} asks[] = {
	[SSH_CHANNEL_REQUEST_PTY] = {ask_pty, false},
	[SSH_CHANNEL_REQUEST_WINDOW_CHANGE] = {ask_window, false},
	[SSH_CHANNEL_REQUEST_ENV] = {ask_env, false},
	[SSH_CHANNEL_REQUEST_SHELL] = {ask_shell, true},
	[SSH_CHANNEL_REQUEST_EXEC] = {ask_exec, true},
	[SSH_CHANNEL_REQUEST_SUBSYSTEM] = {ask_subsystem, true},
};

static bool is_ours(ssh_message m)
{
	int type = ssh_message_type(m);
	int subtype = ssh_message_subtype(m);
	if (type == SSH_REQUEST_CHANNEL_OPEN)
		return subtype == SSH_CHANNEL_SESSION;
	return type == SSH_REQUEST_CHANNEL && subtype >= 0 && subtype < (int)ARRAY_SIZE(asks) &&
	       asks[subtype].ask;
}

static struct channel_pair *channel_pair_find(const struct relay *r, ssh_channel user)
{
	struct channel_pair *c = r->channels;
	while (c && c->user != user)
		c = c->next;
	return c;
}

static void request_add(struct relay *r, struct relay_request *request)
{
	*r->last = request;
	r->last = &request->next;
	r->requests_count++;
	if (request->channel)
		request->channel->requests++;
}

static void request_free(struct relay_request *request)
{
	struct channel_pair *c = request->channel;
	if (c && !c->user)
		channel_pair_free(c); // still opening: nobody else knows it
	else if (c)
		c->requests--;
	if (request->message)
		ssh_message_free(request->message);
	free(request);
}

static void request_pop(struct relay *r)
{
	struct relay_request *request = r->first;
	r->first = request->next;
	if (!r->first)
		r->last = &r->first;
	r->requests_count--;
	request_free(request);
}

static void on_signal(struct channel_pair *c, const char *signal, void *data)
{
	struct relay_request *request = xnew(struct relay_request);
	request->channel = c;
	if (text_copy(request->signal, sizeof(request->signal), signal))
		request_add(data, request);
	else
		free(request);
}

// Puts the opening of a channel to the container. The user's half exists once the container agreed.
static int open_ask(struct relay *r, struct relay_request *request)
{
	if (!request->channel) {
		ssh_channel host = ssh_channel_new(r->host);
		if (!host)
			return SSH_ERROR;
		request->channel = channel_pair_new(host);
		request->channel->requests++;
	}
	struct channel_pair *c = request->channel;
	int answer = ssh_channel_open_session(c->host);
	if (answer != SSH_OK)
		return answer;
	ssh_channel user = ssh_message_channel_request_open_reply_accept(request->message);
	if (!user)
		return SSH_ERROR;
	channel_pair_attach(c, user);
	c->on_signal = on_signal;
	c->data = r;
	c->next = r->channels;
	r->channels = c;
	r->channels_count++;
	return SSH_OK;
}

static int signal_ask(struct relay_request *request)
{
	struct channel_pair *c = request->channel;
	return c->host_closed ? SSH_OK : ssh_channel_request_send_signal(c->host, request->signal);
}

// Once the container's CLOSE was seen, what it has not answered it never will, and nothing more may
// be sent to it.
static int channel_ask(struct relay_request *request)
{
	struct channel_pair *c = request->channel;
	int subtype = ssh_message_subtype(request->message);
	bool was_closed = c->host_closed;
	int answer = SSH_ERROR;
	if (!was_closed || request->asked)
		answer = asks[subtype].ask(c, request->message);
	request->asked = true;
	if (answer == SSH_AGAIN && !was_closed)
		return SSH_AGAIN;
	if (answer == SSH_OK) {
		(void)ssh_message_channel_request_reply_success(request->message);
		c->started |= asks[subtype].starts;
	} else {
		(void)ssh_message_reply_default(request->message);
	}
	return SSH_OK;
}

// Puts the first request to the container. SSH_AGAIN: its answer has not come.
static int request_ask(struct relay *r, struct relay_request *request)
{
	if (!request->message)
		return signal_ask(request);
	if (ssh_message_type(request->message) == SSH_REQUEST_CHANNEL)
		return channel_ask(request);
	int answer = open_ask(r, request);
	if (answer == SSH_ERROR) // libssh has one code only: administratively prohibited
		(void)ssh_message_reply_default(request->message);
	return answer;
}

static bool requests_turn(struct relay *r)
{
	bool moved = false;
	while (r->first && r->host) {
		if (request_ask(r, r->first) == SSH_AGAIN)
			break;
		request_pop(r);
		moved = true;
	}
	return moved;
}

void relay_init(struct relay *r, ssh_session user)
{
	*r = (struct relay){.user = user};
	r->last = &r->first;
}

void relay_done(struct relay *r)
{
	while (r->first)
		request_pop(r);
	while (r->channels) {
		struct channel_pair *c = r->channels;
		r->channels = c->next;
		channel_pair_free(c);
	}
	r->channels_count = 0;
}

void relay_connect(struct relay *r, ssh_session host)
{
	r->host = host;
}

void relay_take(struct relay *r, ssh_message m)
{
	struct channel_pair *c = NULL;
	if (ssh_message_type(m) == SSH_REQUEST_CHANNEL) {
		c = channel_pair_find(r, ssh_message_channel_request_channel(m));
		if (!c) { // a channel that we have closed
			ssh_message_free(m);
			return;
		}
	}
	if (!is_ours(m) || (!c && r->channels_count >= RELAY_CHANNELS_MAX)) {
		(void)ssh_message_reply_default(m);
		ssh_message_free(m);
		return;
	}
	struct relay_request *request = xnew(struct relay_request);
	request->message = m;
	request->channel = c;
	request_add(r, request);
}

bool relay_is_full(const struct relay *r)
{
	return r->requests_count >= RELAY_REQUESTS_MAX;
}

bool relay_output_is_full(const struct relay *r)
{
	const struct channel_pair *c = r->channels;
	while (c && !channel_pair_output_is_full(c))
		c = c->next;
	return c;
}

bool relay_wants_host(const struct relay *r)
{
	return r->first && !r->host;
}

// Each turn begins with another channel: the first one writes, the others may find the session
// clogged.
static void channels_rotate(struct relay *r)
{
	struct channel_pair *first = r->channels;
	if (!first || !first->next)
		return;
	struct channel_pair *last = first;
	while (last->next)
		last = last->next;
	last->next = first;
	r->channels = first->next;
	first->next = NULL;
}

bool relay_turn(struct relay *r)
{
	bool moved = requests_turn(r);
	channels_rotate(r);
	for (struct channel_pair **at = &r->channels; *at;) {
		struct channel_pair *c = *at;
		enum pair_outcome outcome = channel_pair_pump(c, &r->count);
		moved |= outcome != PAIR_IDLE;
		if (outcome == PAIR_BROKEN) {
			r->is_broken = true;
			return false;
		}
		if (outcome == PAIR_OVER) {
			*at = c->next;
			r->channels_count--;
			channel_pair_free(c);
		} else {
			at = &c->next;
		}
	}
	return moved;
}

void relay_end(struct relay *r, const char *sentence)
{
	while (r->first)
		request_pop(r);
	for (struct channel_pair *c = r->channels; c; c = c->next)
		channel_pair_end(c, sentence);
}
