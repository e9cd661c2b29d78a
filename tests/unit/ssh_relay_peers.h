// SPDX-License-Identifier: Apache-2.0
// A relay between a client and a container, and what a test does with the two.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sshproxy/relay.h"
#include "tests/unit/ssh_peers.h"

// All in one thread, so that a test says who reads and who does not.
//
//     client  ==  user | relay | host  ==  container
struct peers {
	struct side client, user, host, container;
	struct relay relay;
	bool client_reads;
	struct wait limit;
};

static inline void peers_init(struct peers *p)
{
	*p = (struct peers){.client_reads = true, .limit = wait_for(PEERS_LIMIT_MS, -1)};
	connection_make(&p->client, &p->user);
	connection_make(&p->host, &p->container);
	relay_init(&p->relay, p->user.session);
	relay_connect(&p->relay, p->host.session);
}

static inline void peers_done(struct peers *p)
{
	relay_done(&p->relay);
	side_end(&p->client);
	side_end(&p->user);
	side_end(&p->host);
	side_end(&p->container);
}

// One turn of each: what a child does between two sleeps, and the peers as they may.
static inline void peers_turn(struct peers *p)
{
	assert_true(wait_left_ms(&p->limit) > 0);
	side_turn(&p->client, p->client_reads);
	side_turn(&p->container, true);
	side_polled(&p->user, relay_may_read_user(&p->relay));
	side_polled(&p->host, relay_may_read_host(&p->relay));
	side_drive(&p->user, relay_may_read_user(&p->relay));
	side_drive(&p->host, relay_may_read_host(&p->relay));
	do {
		ssh_message m;
		while (!relay_is_full(&p->relay) && (m = ssh_message_get(p->user.session)))
			relay_take(&p->relay, m);
	} while (relay_turn(&p->relay));
}

// Calls a non-blocking libssh function of a peer until it has an answer.
#define FINISH(p, call) \
	({ \
		int finish_; \
		while ((finish_ = (call)) == SSH_AGAIN) \
			peers_turn(p); \
		finish_; \
	})

// The container's next request, or an opening.
static inline ssh_message container_get(struct peers *p)
{
	ssh_message m;
	while (!(m = ssh_message_get(p->container.session)))
		peers_turn(p);
	return m;
}

// A session channel as its two ends see it, and what its client has heard, in order.
struct session {
	ssh_channel client, container;
	struct ssh_channel_callbacks_struct client_events, container_events;
	char heard[256];
};

static inline void hear(struct session *s, const char *word)
{
	assert_true(strlen(s->heard) + strlen(word) + 2 < sizeof(s->heard));
	strcat(strcat(s->heard, s->heard[0] == '\0' ? "" : " "), word);
}

static inline int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
	int is_stderr, void *userdata)
{
	struct session *s = userdata;
	char word[64];
	(void)session;
	(void)channel;
	snprintf(word, sizeof(word), "%s%.*s", is_stderr ? "2:" : "", (int)len, (char *)data);
	hear(s, word);
	return (int)len;
}

static inline void on_status(ssh_session session, ssh_channel channel, int status, void *userdata)
{
	char word[32];
	(void)session;
	(void)channel;
	snprintf(word, sizeof(word), "status=%d", status);
	hear(userdata, word);
}

static inline void on_exit_signal(ssh_session session, ssh_channel channel, const char *name,
	int core, const char *text, const char *language, void *userdata)
{
	char word[64];
	(void)session;
	(void)channel;
	(void)language;
	snprintf(word, sizeof(word), "signal=%s,%d,%s", name, core, text);
	hear(userdata, word);
}

static inline void on_signal(
	ssh_session session, ssh_channel channel, const char *name, void *userdata)
{
	(void)session;
	(void)channel;
	hear(userdata, name);
}

static inline void on_eof(ssh_session session, ssh_channel channel, void *userdata)
{
	(void)session;
	(void)channel;
	hear(userdata, "eof");
}

static inline void on_close(ssh_session session, ssh_channel channel, void *userdata)
{
	(void)session;
	(void)channel;
	hear(userdata, "close");
}

static inline void listen_to(
	ssh_channel channel, struct ssh_channel_callbacks_struct *events, struct session *s)
{
	*events = (struct ssh_channel_callbacks_struct){.userdata = s,
		.channel_data_function = on_data,
		.channel_eof_function = on_eof,
		.channel_close_function = on_close,
		.channel_exit_status_function = on_status,
		.channel_exit_signal_function = on_exit_signal,
		.channel_signal_function = on_signal};
	ssh_callbacks_init(events);
	assert_int_equal(ssh_set_channel_callbacks(channel, events), SSH_OK);
}

static inline void listen_to_container(struct session *s)
{
	listen_to(s->client, &s->client_events, s);
}

static inline void listen_to_client(struct session *s)
{
	listen_to(s->container, &s->container_events, s);
}

static inline void heard_wait(struct peers *p, const struct session *s, const char *wanted)
{
	while (strcmp(s->heard, wanted) != 0 && strncmp(s->heard, wanted, strlen(s->heard)) == 0)
		peers_turn(p);
	assert_string_equal(s->heard, wanted);
}

static inline ssh_message opening_get(struct peers *p)
{
	ssh_message m = container_get(p);
	assert_int_equal(ssh_message_type(m), SSH_REQUEST_CHANNEL_OPEN);
	return m;
}

static inline ssh_message request_get(struct peers *p, int subtype)
{
	ssh_message m = container_get(p);
	assert_int_equal(ssh_message_type(m), SSH_REQUEST_CHANNEL);
	assert_int_equal(ssh_message_subtype(m), subtype);
	return m;
}

static inline void message_accept(ssh_message m)
{
	assert_int_equal(ssh_message_channel_request_reply_success(m), SSH_OK);
	ssh_message_free(m);
}

static inline void message_refuse(ssh_message m)
{
	assert_int_equal(ssh_message_reply_default(m), SSH_OK);
	ssh_message_free(m);
}

static inline struct session session_ask(struct peers *p)
{
	struct session s = {.client = ssh_channel_new(p->client.session)};
	assert_int_equal(ssh_channel_open_session(s.client), SSH_AGAIN);
	return s;
}

static inline struct session session_open(struct peers *p)
{
	struct session s = session_ask(p);
	ssh_message m = opening_get(p);
	s.container = ssh_message_channel_request_open_reply_accept(m);
	ssh_message_free(m);
	assert_int_equal(FINISH(p, ssh_channel_open_session(s.client)), SSH_OK);
	return s;
}

static inline struct session exec_begin(struct peers *p)
{
	struct session s = session_open(p);
	assert_int_equal(ssh_channel_request_exec(s.client, "command"), SSH_AGAIN);
	message_accept(request_get(p, SSH_CHANNEL_REQUEST_EXEC));
	assert_int_equal(FINISH(p, ssh_channel_request_exec(s.client, "command")), SSH_OK);
	return s;
}

static inline int setup(void **state)
{
	struct peers *p = xnew(struct peers);
	peers_init(p);
	*state = p;
	return 0;
}

static inline int teardown(void **state)
{
	struct peers *p = *state;
	peers_done(p);
	free(p);
	return 0;
}
