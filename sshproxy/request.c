// SPDX-License-Identifier: Apache-2.0
// Child: how each kind of a channel's requests is put to the container.
#include "sshproxy/request.h"

#include <stdlib.h>

#include <libssh/server.h>

#include "lib/mem.h"
#include "sshproxy/channel_pair.h"

// libssh's callbacks answer a request on the spot; here the container answers. So requests are
// taken as messages, whose accessors carry a deprecation mark in favour of the callbacks.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int ask_pty(struct channel_pair *pair, ssh_message m)
{
	pair->pty = true;
	return ssh_channel_request_pty_size(pair->host, ssh_message_channel_request_pty_term(m),
		ssh_message_channel_request_pty_width(m),
		ssh_message_channel_request_pty_height(m));
}

static int ask_window(struct channel_pair *pair, ssh_message m)
{
	return ssh_channel_change_pty_size(pair->host, ssh_message_channel_request_pty_width(m),
		ssh_message_channel_request_pty_height(m));
}

static int ask_env(struct channel_pair *pair, ssh_message m)
{
	return ssh_channel_request_env(pair->host, ssh_message_channel_request_env_name(m),
		ssh_message_channel_request_env_value(m));
}

static int ask_shell(struct channel_pair *pair, ssh_message m)
{
	(void)m;
	return ssh_channel_request_shell(pair->host);
}

static int ask_exec(struct channel_pair *pair, ssh_message m)
{
	return ssh_channel_request_exec(pair->host, ssh_message_channel_request_command(m));
}

static int ask_subsystem(struct channel_pair *pair, ssh_message m)
{
	return ssh_channel_request_subsystem(pair->host, ssh_message_channel_request_subsystem(m));
}

// Each is called again while it returns SSH_AGAIN. What has no row is refused.
static const struct ask {
	int (*ask)(struct channel_pair *pair, ssh_message m);
	bool starts; // once accepted, the channel carries bytes
} asks[] = {
	// clang-format off
	[SSH_CHANNEL_REQUEST_PTY]           = {ask_pty,       false},
	[SSH_CHANNEL_REQUEST_WINDOW_CHANGE] = {ask_window,    false},
	[SSH_CHANNEL_REQUEST_ENV]           = {ask_env,       false},
	[SSH_CHANNEL_REQUEST_SHELL]         = {ask_shell,     true},
	[SSH_CHANNEL_REQUEST_EXEC]          = {ask_exec,      true},
	[SSH_CHANNEL_REQUEST_SUBSYSTEM]     = {ask_subsystem, true},
	// clang-format on
};

static const struct ask *ask_find(ssh_message m)
{
	int subtype = ssh_message_subtype(m);
	bool is_offered = subtype >= 0 && subtype < (int)ARRAY_SIZE(asks) && asks[subtype].ask;
	return is_offered ? &asks[subtype] : NULL;
}

void request_queue_init(struct request_queue *queue)
{
	*queue = (struct request_queue){.last = &queue->first};
}

static void queue_add(struct request_queue *queue, struct request *request)
{
	*queue->last = request;
	queue->last = &request->next;
	queue->count++;
}

void request_queue_add(struct request_queue *queue, ssh_message message)
{
	struct request *request = xnew(struct request);
	request->message = message;
	queue_add(queue, request);
}

void request_queue_add_signal(struct request_queue *queue, const char *signal)
{
	struct request *request = xnew(struct request);
	if (text_copy(request->signal, sizeof(request->signal), signal))
		queue_add(queue, request);
	else
		free(request); // longer than any signal's name
}

void request_queue_pop(struct request_queue *queue)
{
	struct request *request = queue->first;
	queue->first = request->next;
	if (!queue->first)
		queue->last = &queue->first;
	queue->count--;
	if (request->message)
		ssh_message_free(request->message);
	free(request);
}

void request_queue_clear(struct request_queue *queue)
{
	while (queue->first)
		request_queue_pop(queue);
}

// Once the container's CLOSE was seen, what it has not answered it never will, and nothing more may
// be sent to it.
int request_ask(struct request *request, struct channel_pair *pair)
{
	bool was_closed = pair->host_closed;
	if (!request->message)
		return was_closed ? SSH_OK
				  : ssh_channel_request_send_signal(pair->host, request->signal);
	const struct ask *ask = ask_find(request->message);
	int answer = SSH_ERROR;
	if (ask && (!was_closed || request->asked))
		answer = ask->ask(pair, request->message);
	request->asked = true;
	if (answer == SSH_AGAIN && !was_closed)
		return SSH_AGAIN;
	if (answer == SSH_OK) {
		(void)ssh_message_channel_request_reply_success(request->message);
		pair->started |= ask->starts;
	} else {
		request_refuse(request);
	}
	return SSH_OK;
}

void request_refuse(struct request *request)
{
	(void)ssh_message_reply_default(request->message);
}
