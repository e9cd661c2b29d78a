// SPDX-License-Identifier: Apache-2.0
// Child: the queues of a user's requests and the list of channels.
#include "sshproxy/relay.h"

#include <stdlib.h>

#include <libssh/server.h>

#include "lib/mem.h"
#include "sshproxy/channel_kind.h"
#include "sshproxy/side.h"

// See request.c: the container answers, so requests are taken as messages.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

struct relay_channel {
	struct relay_channel *next;
	const struct channel_kind *kind;
	struct request_queue requests; // the first one opens the channel
	struct channel_pair pair; // pair.user is NULL until the container has opened its half
	bool is_refused; // it never opened
};

static struct relay_channel *channel_find(const struct relay *r, ssh_channel user)
{
	struct relay_channel *c = r->channels;
	while (c && c->pair.user != user)
		c = c->next;
	return c;
}

static unsigned channels_count(const struct relay *r, const struct channel_kind *kind)
{
	unsigned count = 0;
	for (const struct relay_channel *c = r->channels; c; c = c->next)
		count += c->kind == kind;
	return count;
}

static void relay_channel_free(struct relay_channel *c)
{
	request_queue_clear(&c->requests);
	channel_pair_done(&c->pair);
	free(c);
}

static void on_signal(struct channel_pair *pair, const char *signal)
{
	struct relay_channel *c = container_of(pair, struct relay_channel, pair);
	request_queue_add_signal(&c->requests, signal);
}

static void relay_channel_new(struct relay *r, const struct channel_kind *kind, ssh_message opening)
{
	struct relay_channel *c = xnew(struct relay_channel);
	c->kind = kind;
	c->pair.on_signal = on_signal;
	request_queue_init(&c->requests);
	request_queue_add(&c->requests, opening);
	c->next = r->channels;
	r->channels = c;
}

// Puts the opening of a channel to the container. The user's half exists once the container agreed.
static int open_ask(struct relay *r, struct relay_channel *c, ssh_message opening)
{
	if (!c->pair.host) {
		ssh_channel host = ssh_channel_new(r->host);
		if (!host)
			return SSH_ERROR;
		channel_pair_attach_host(&c->pair, host);
	}
	int answer = c->kind->open(&c->pair, opening);
	if (answer != SSH_OK)
		return answer;
	ssh_channel user = ssh_message_channel_request_open_reply_accept(opening);
	if (!user)
		return SSH_ERROR;
	channel_pair_attach_user(&c->pair, user);
	return SSH_OK;
}

// SSH_AGAIN: the container has not answered.
static int channel_ask(struct relay *r, struct relay_channel *c)
{
	struct request *request = c->requests.first;
	if (c->pair.user)
		return request_ask(request, &c->pair);
	int answer = open_ask(r, c, request->message);
	request->asked = true;
	if (answer == SSH_ERROR) {
		request_refuse(request);
		c->is_refused = true;
	}
	return answer;
}

// The most that waits on one channel: what has to stop the reading of all of them.
static uint32_t output_held(const struct relay *r)
{
	uint32_t most = 0;
	for (const struct relay_channel *c = r->channels; c; c = c->next) {
		uint32_t held = channel_pair_output_held(&c->pair);
		if (held > most)
			most = held;
	}
	return most;
}

static bool may_send_host(const struct relay *r)
{
	return r->host && output_held(r) < PAIR_HELD_FIRM;
}

// To ask again is to look for the answer, and that reads: not while the container may not be read.
static bool requests_turn(struct relay *r, struct relay_channel *c)
{
	bool moved = false;
	while (c->requests.first && may_send_host(r)) {
		if (c->requests.first->asked && !relay_may_read_host(r))
			break;
		if (channel_ask(r, c) == SSH_AGAIN)
			break;
		request_queue_pop(&c->requests);
		moved = true;
	}
	return moved;
}

// Input and ends wait behind a request, and before the command runs its output does too: a short
// command's answer, output and end may come at once, and keep their order. Later the output goes
// on: held, it would keep the container from being read, and with it the answer.
static enum pair_outcome channel_turn(struct relay *r, struct relay_channel *c)
{
	bool moved = requests_turn(r, c);
	if (c->is_refused)
		return PAIR_OVER;
	if (c->requests.first && !c->pair.started)
		return moved ? PAIR_MOVED : PAIR_IDLE;
	enum pair_outcome outcome =
		c->requests.first ? channel_pair_pump_output(&c->pair, &r->count)
				  : channel_pair_pump(&c->pair, may_send_host(r), &r->count);
	return outcome == PAIR_IDLE && moved ? PAIR_MOVED : outcome;
}

// None is offered. Each is refused in its turn.
static bool globals_turn(struct relay *r)
{
	bool moved = r->globals.first;
	while (r->globals.first) {
		request_refuse(r->globals.first);
		request_queue_pop(&r->globals);
	}
	return moved;
}

void relay_init(struct relay *r, ssh_session user)
{
	*r = (struct relay){.user = user};
	request_queue_init(&r->globals);
	ssh_set_counters(user, NULL, &r->user_counter);
}

void relay_done(struct relay *r)
{
	request_queue_clear(&r->globals);
	while (r->channels) {
		struct relay_channel *c = r->channels;
		r->channels = c->next;
		relay_channel_free(c);
	}
	ssh_set_counters(r->user, NULL, NULL);
	ssh_set_counters(r->host, NULL, NULL);
}

void relay_connect(struct relay *r, ssh_session host)
{
	r->host = host;
	ssh_set_counters(host, NULL, &r->host_counter);
}

static void take_open(struct relay *r, ssh_message m)
{
	const struct channel_kind *kind = channel_kind_find(m);
	if (kind && channels_count(r, kind) < kind->most) {
		relay_channel_new(r, kind, m);
		return;
	}
	(void)ssh_message_reply_default(m);
	ssh_message_free(m);
}

void relay_take(struct relay *r, ssh_message m)
{
	struct relay_channel *c;
	switch (ssh_message_type(m)) {
	case SSH_REQUEST_CHANNEL_OPEN:
		take_open(r, m);
		break;
	case SSH_REQUEST_CHANNEL:
		c = channel_find(r, ssh_message_channel_request_channel(m));
		if (c)
			request_queue_add(&c->requests, m);
		else // a channel that we have closed
			ssh_message_free(m);
		break;
	default:
		request_queue_add(&r->globals, m);
	}
}

bool relay_is_full(const struct relay *r)
{
	size_t count = r->globals.count;
	for (const struct relay_channel *c = r->channels; c; c = c->next)
		count += c->requests.count;
	return count >= RELAY_REQUESTS_MAX;
}

bool relay_may_read_user(const struct relay *r)
{
	return !session_write_is_pending(r->host) && !relay_is_full(r);
}

bool relay_may_read_host(const struct relay *r)
{
	return !session_write_is_pending(r->user) && output_held(r) < PAIR_HELD_SOFT;
}

bool relay_wants_host(const struct relay *r)
{
	return r->channels && !r->host;
}

// Each turn begins with another channel: the first one writes, the others may find that the session
// still has unsent bytes.
static void channels_rotate(struct relay *r)
{
	struct relay_channel *first = r->channels;
	if (!first || !first->next)
		return;
	struct relay_channel *last = first;
	while (last->next)
		last = last->next;
	last->next = first;
	r->channels = first->next;
	first->next = NULL;
}

static uint64_t packets_came(const struct relay *r)
{
	return r->user_counter.in_packets + r->host_counter.in_packets;
}

// Whatever libssh is asked to do may look at the sockets, and bring what a channel waits for that
// had its turn already. The counters tell.
bool relay_turn(struct relay *r)
{
	uint64_t came = packets_came(r);
	bool moved = globals_turn(r);
	channels_rotate(r);
	for (struct relay_channel **at = &r->channels; *at;) {
		struct relay_channel *c = *at;
		enum pair_outcome outcome = channel_turn(r, c);
		moved |= outcome != PAIR_IDLE;
		if (outcome == PAIR_BROKEN) {
			r->is_broken = true;
			return false;
		}
		if (outcome == PAIR_OVER) {
			*at = c->next;
			relay_channel_free(c);
		} else {
			at = &c->next;
		}
	}
	return moved || packets_came(r) != came;
}

void relay_say(struct relay *r, const char *sentence)
{
	for (struct relay_channel *c = r->channels; c; c = c->next)
		if (c->pair.pty && c->pair.started && !session_write_is_pending(r->user))
			c->kind->say(&c->pair, sentence);
}

bool relay_end(struct relay *r, const char *sentence)
{
	bool was_open = false;
	request_queue_clear(&r->globals);
	for (struct relay_channel *c = r->channels; c; c = c->next) {
		request_queue_clear(&c->requests);
		if (!c->pair.user)
			continue;
		c->kind->close(&c->pair, sentence);
		was_open = true;
	}
	return was_open;
}
