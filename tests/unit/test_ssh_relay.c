// SPDX-License-Identifier: Apache-2.0
// A user's connection and a container's, relayed: order, ends, slow readers, and channels that hold up no other.
// uses: sshproxy/relay.c sshproxy/request.c sshproxy/channel_kind.c sshproxy/channel_pair.c sshproxy/side.c
#include "sshproxy/relay.h"

#include "tests/unit/ssh_peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// All in one thread, so that a test says who reads and who does not.
//
//     client  ==  user | relay | host  ==  container
struct peers {
	struct side client, user, host, container;
	struct relay relay;
	bool client_reads;
	struct wait limit;
};

static void peers_init(struct peers *p)
{
	*p = (struct peers){.client_reads = true, .limit = wait_for(PEERS_LIMIT_MS, -1)};
	connection_make(&p->client, &p->user);
	connection_make(&p->host, &p->container);
	relay_init(&p->relay, p->user.session);
	relay_connect(&p->relay, p->host.session);
}

static void peers_done(struct peers *p)
{
	relay_done(&p->relay);
	side_end(&p->client);
	side_end(&p->user);
	side_end(&p->host);
	side_end(&p->container);
}

// One turn of each: what a child does between two sleeps, and the peers as they may.
static void peers_turn(struct peers *p)
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
static ssh_message container_get(struct peers *p)
{
	ssh_message m;
	while (!(m = ssh_message_get(p->container.session)))
		peers_turn(p);
	return m;
}

enum { SESSIONS_MAX = 256 }; // channel_kind.c

// A session channel as its two ends see it, and what its client has heard, in order.
struct session {
	ssh_channel client, container;
	struct ssh_channel_callbacks_struct client_events, container_events;
	char heard[256];
};

static void hear(struct session *s, const char *word)
{
	assert_true(strlen(s->heard) + strlen(word) + 2 < sizeof(s->heard));
	strcat(strcat(s->heard, s->heard[0] == '\0' ? "" : " "), word);
}

static int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
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

static void on_status(ssh_session session, ssh_channel channel, int status, void *userdata)
{
	char word[32];
	(void)session;
	(void)channel;
	snprintf(word, sizeof(word), "status=%d", status);
	hear(userdata, word);
}

static void on_exit_signal(ssh_session session, ssh_channel channel, const char *name, int core,
	const char *text, const char *language, void *userdata)
{
	char word[64];
	(void)session;
	(void)channel;
	(void)language;
	snprintf(word, sizeof(word), "signal=%s,%d,%s", name, core, text);
	hear(userdata, word);
}

static void on_signal(ssh_session session, ssh_channel channel, const char *name, void *userdata)
{
	(void)session;
	(void)channel;
	hear(userdata, name);
}

static void on_eof(ssh_session session, ssh_channel channel, void *userdata)
{
	(void)session;
	(void)channel;
	hear(userdata, "eof");
}

static void on_close(ssh_session session, ssh_channel channel, void *userdata)
{
	(void)session;
	(void)channel;
	hear(userdata, "close");
}

static void listen_to(
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

static void listen_to_container(struct session *s)
{
	listen_to(s->client, &s->client_events, s);
}

static void listen_to_client(struct session *s)
{
	listen_to(s->container, &s->container_events, s);
}

static void heard_wait(struct peers *p, const struct session *s, const char *wanted)
{
	while (strcmp(s->heard, wanted) != 0 && strncmp(s->heard, wanted, strlen(s->heard)) == 0)
		peers_turn(p);
	assert_string_equal(s->heard, wanted);
}

static ssh_message opening_get(struct peers *p)
{
	ssh_message m = container_get(p);
	assert_int_equal(ssh_message_type(m), SSH_REQUEST_CHANNEL_OPEN);
	return m;
}

static ssh_message request_get(struct peers *p, int subtype)
{
	ssh_message m = container_get(p);
	assert_int_equal(ssh_message_type(m), SSH_REQUEST_CHANNEL);
	assert_int_equal(ssh_message_subtype(m), subtype);
	return m;
}

static void message_accept(ssh_message m)
{
	assert_int_equal(ssh_message_channel_request_reply_success(m), SSH_OK);
	ssh_message_free(m);
}

static void message_refuse(ssh_message m)
{
	assert_int_equal(ssh_message_reply_default(m), SSH_OK);
	ssh_message_free(m);
}

static struct session session_ask(struct peers *p)
{
	struct session s = {.client = ssh_channel_new(p->client.session)};
	assert_int_equal(ssh_channel_open_session(s.client), SSH_AGAIN);
	return s;
}

static struct session session_open(struct peers *p)
{
	struct session s = session_ask(p);
	ssh_message m = opening_get(p);
	s.container = ssh_message_channel_request_open_reply_accept(m);
	ssh_message_free(m);
	assert_int_equal(FINISH(p, ssh_channel_open_session(s.client)), SSH_OK);
	return s;
}

static struct session exec_begin(struct peers *p)
{
	struct session s = session_open(p);
	assert_int_equal(ssh_channel_request_exec(s.client, "command"), SSH_AGAIN);
	message_accept(request_get(p, SSH_CHANNEL_REQUEST_EXEC));
	assert_int_equal(FINISH(p, ssh_channel_request_exec(s.client, "command")), SSH_OK);
	return s;
}

static int setup(void **state)
{
	struct peers *p = xnew(struct peers);
	peers_init(p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct peers *p = *state;
	peers_done(p);
	free(p);
	return 0;
}

// --- order and ends

static void what_comes_at_once_keeps_its_order(void **state)
{
	struct peers *p = *state;
	struct session s = session_open(p);
	listen_to_container(&s);
	assert_int_equal(ssh_channel_request_exec(s.client, "command"), SSH_AGAIN);
	message_accept(request_get(p, SSH_CHANNEL_REQUEST_EXEC));
	assert_int_equal(ssh_channel_write(s.container, "out", 3), 3);
	assert_int_equal(ssh_channel_request_send_exit_status(s.container, 7), SSH_OK);
	assert_int_equal(ssh_channel_close(s.container), SSH_OK);
	heard_wait(p, &s, "out eof status=7 close");
	while (p->relay.channels)
		peers_turn(p);
	assert_int_equal(p->relay.count.down_bytes, 3);
}

static void a_signal_that_ends_a_command_is_passed_on(void **state)
{
	struct peers *p = *state;
	struct session s = exec_begin(p);
	listen_to_container(&s);
	assert_int_equal(
		ssh_channel_request_send_exit_signal(s.container, "SEGV", 1, "dumped", ""), SSH_OK);
	assert_int_equal(ssh_channel_close(s.container), SSH_OK);
	heard_wait(p, &s, "eof signal=SEGV,1,dumped close");
}

static void a_signal_whose_name_does_not_fit_is_kill(void **state)
{
	struct peers *p = *state;
	struct session s = exec_begin(p);
	listen_to_container(&s);
	_cleanup_(freep) char *text = xcalloc(PAIR_EXIT_TEXT_MAX + 1, 1);
	memset(text, 'x', PAIR_EXIT_TEXT_MAX);
	assert_int_equal(ssh_channel_request_send_exit_signal(
				 s.container, "a-name-that-no-signal-has-ever-had", 0, text, ""),
		SSH_OK);
	assert_int_equal(ssh_channel_close(s.container), SSH_OK);
	heard_wait(p, &s, "eof signal=KILL,0, close");
}

static void a_channel_that_the_container_closes_without_a_status_has_none(void **state)
{
	struct peers *p = *state;
	struct session s = exec_begin(p);
	listen_to_container(&s);
	assert_int_equal(ssh_channel_close(s.container), SSH_OK);
	heard_wait(p, &s, "eof close");
}

static void a_channel_that_the_user_closes_ends_after_its_input(void **state)
{
	struct peers *p = *state;
	struct session s = exec_begin(p);
	listen_to_client(&s);
	assert_int_equal(ssh_channel_write(s.client, "in", 2), 2);
	assert_int_equal(ssh_channel_close(s.client), SSH_OK);
	heard_wait(p, &s, "in eof close");
	assert_non_null(p->relay.channels); // until the container closes too
	assert_int_equal(ssh_channel_close(s.container), SSH_OK);
	while (p->relay.channels)
		peers_turn(p);
	assert_int_equal(p->relay.count.up_bytes, 2);
}

static void input_waits_until_a_command_runs(void **state)
{
	struct peers *p = *state;
	struct session s = session_open(p);
	listen_to_client(&s);
	assert_int_equal(ssh_channel_write(s.client, "early", 5), 5);
	assert_int_equal(ssh_channel_send_eof(s.client), SSH_OK);
	assert_int_equal(ssh_channel_request_exec(s.client, "command"), SSH_AGAIN);
	ssh_message m = request_get(p, SSH_CHANNEL_REQUEST_EXEC);
	assert_string_equal(s.heard, "");
	message_accept(m);
	heard_wait(p, &s, "early eof");
}

static void a_users_signal_reaches_the_command(void **state)
{
	struct peers *p = *state;
	struct session s = exec_begin(p);
	listen_to_client(&s);
	assert_int_equal(ssh_channel_request_send_signal(s.client, "TERM"), SSH_OK);
	assert_int_equal(
		ssh_channel_request_send_signal(s.client, "a-name-that-no-signal-has-ever-had"),
		SSH_OK);
	assert_int_equal(ssh_channel_request_send_signal(s.client, "INT"), SSH_OK);
	heard_wait(p, &s, "TERM INT");
}

static void what_waits_for_an_answer_when_the_container_closes_is_refused(void **state)
{
	struct peers *p = *state;
	struct session s = session_open(p);
	assert_int_equal(ssh_channel_request_exec(s.client, "command"), SSH_AGAIN);
	ssh_message_free(request_get(p, SSH_CHANNEL_REQUEST_EXEC));
	assert_int_equal(ssh_channel_close(s.container), SSH_OK);
	assert_int_equal(FINISH(p, ssh_channel_request_exec(s.client, "command")), SSH_ERROR);
	while (p->relay.channels)
		peers_turn(p);
}

// --- what is refused

static void the_containers_refusals_are_the_users(void **state)
{
	struct peers *p = *state;
	struct session s = session_open(p);
	assert_int_equal(ssh_channel_request_subsystem(s.client, "none"), SSH_AGAIN);
	message_refuse(request_get(p, SSH_CHANNEL_REQUEST_SUBSYSTEM));
	assert_int_equal(FINISH(p, ssh_channel_request_subsystem(s.client, "none")), SSH_ERROR);
	struct session refused = session_ask(p);
	message_refuse(opening_get(p));
	assert_int_equal(FINISH(p, ssh_channel_open_session(refused.client)), SSH_ERROR);
	assert_int_equal(ssh_channel_request_shell(s.client), SSH_AGAIN);
	message_accept(request_get(p, SSH_CHANNEL_REQUEST_SHELL));
	assert_int_equal(FINISH(p, ssh_channel_request_shell(s.client)), SSH_OK);
}

static void what_is_not_offered_is_refused_without_a_container(void **state)
{
	struct peers *p = *state;
	p->relay.host = NULL;
	ssh_channel forward = ssh_channel_new(p->client.session);
	assert_int_equal(
		FINISH(p, ssh_channel_open_forward(forward, "127.0.0.1", 22, "", 0)), SSH_ERROR);
	assert_int_equal(
		FINISH(p, ssh_channel_listen_forward(p->client.session, "", 9, NULL)), SSH_ERROR);
	assert_false(relay_wants_host(&p->relay));
	struct session s = session_ask(p);
	while (!relay_wants_host(&p->relay))
		peers_turn(p);
	relay_connect(&p->relay, p->host.session);
	assert_false(relay_wants_host(&p->relay));
	message_refuse(opening_get(p));
	assert_int_equal(FINISH(p, ssh_channel_open_session(s.client)), SSH_ERROR);
}

static void an_unknown_request_is_refused_and_the_channel_goes_on(void **state)
{
	struct peers *p = *state;
	struct session s = session_open(p);
	assert_int_equal(FINISH(p, ssh_channel_request_x11(s.client, 0, NULL, NULL, 0)), SSH_ERROR);
	assert_int_equal(ssh_channel_request_shell(s.client), SSH_AGAIN);
	message_accept(request_get(p, SSH_CHANNEL_REQUEST_SHELL));
	assert_int_equal(FINISH(p, ssh_channel_request_shell(s.client)), SSH_OK);
}

static void channels_of_a_kind_are_limited(void **state)
{
	struct peers *p = *state;
	for (int i = 0; i < SESSIONS_MAX; i++)
		assert_non_null(session_open(p).container);
	ssh_channel one_more = session_ask(p).client;
	assert_int_equal(FINISH(p, ssh_channel_open_session(one_more)), SSH_ERROR);
}

// --- channels that hold up no other

static void a_request_without_an_answer_holds_up_its_own_channel_only(void **state)
{
	struct peers *p = *state;
	struct session stuck = session_open(p), fine = session_open(p);
	assert_int_equal(ssh_channel_request_exec(stuck.client, "stuck"), SSH_AGAIN);
	ssh_message held = request_get(p, SSH_CHANNEL_REQUEST_EXEC);
	struct session opening = session_ask(p);
	ssh_message held_opening = opening_get(p);

	assert_int_equal(ssh_channel_request_pty(fine.client), SSH_AGAIN);
	message_accept(request_get(p, SSH_CHANNEL_REQUEST_PTY));
	assert_int_equal(FINISH(p, ssh_channel_request_pty(fine.client)), SSH_OK);
	assert_int_equal(ssh_channel_request_exec(fine.client, "fine"), SSH_AGAIN);
	ssh_message m = request_get(p, SSH_CHANNEL_REQUEST_EXEC);
	assert_string_equal(ssh_message_channel_request_command(m), "fine");
	message_accept(m);
	assert_int_equal(FINISH(p, ssh_channel_request_exec(fine.client, "fine")), SSH_OK);
	assert_int_equal(ssh_channel_change_pty_size(fine.client, 100, 40), SSH_OK);
	m = request_get(p, SSH_CHANNEL_REQUEST_WINDOW_CHANGE);
	assert_int_equal(ssh_message_channel_request_pty_width(m), 100);
	ssh_message_free(m);
	listen_to_container(&fine);
	assert_int_equal(ssh_channel_write(fine.container, "out", 3), 3);
	heard_wait(p, &fine, "out");
	struct session another = exec_begin(p);
	assert_non_null(another.client);

	message_accept(held);
	assert_int_equal(FINISH(p, ssh_channel_request_exec(stuck.client, "stuck")), SSH_OK);
	opening.container = ssh_message_channel_request_open_reply_accept(held_opening);
	ssh_message_free(held_opening);
	assert_int_equal(FINISH(p, ssh_channel_open_session(opening.client)), SSH_OK);
}

static void too_many_requests_without_an_answer_hold_up_the_user(void **state)
{
	struct peers *p = *state;
	struct session last = {0};
	p->relay.host = NULL; // there is none yet to answer
	for (int i = 0; i < RELAY_REQUESTS_MAX; i++) {
		assert_true(relay_may_read_user(&p->relay));
		last = session_ask(p);
		peers_turn(p);
	}
	while (!relay_is_full(&p->relay))
		peers_turn(p);
	assert_false(relay_may_read_user(&p->relay));
	relay_connect(&p->relay, p->host.session);
	for (int i = 0; i < RELAY_REQUESTS_MAX; i++)
		message_refuse(opening_get(p));
	assert_int_equal(FINISH(p, ssh_channel_open_session(last.client)), SSH_ERROR);
	assert_true(relay_may_read_user(&p->relay));
}

// --- readers that are slow

// Writes as much as the window allows, a byte of the other stream after each packet.
static uint64_t window_fill(ssh_channel container)
{
	static const char bytes[16 << 10];
	uint64_t sum = 0;
	for (; ssh_channel_window_size(container) > sizeof(bytes); sum += sizeof(bytes) + 1) {
		assert_int_equal(ssh_channel_write(container, bytes, sizeof(bytes)), sizeof(bytes));
		assert_int_equal(ssh_channel_write_stderr(container, bytes, 1), 1);
	}
	return sum;
}

static uint64_t stream_read(ssh_channel channel, bool is_stderr)
{
	static char bytes[256 << 10];
	int n = ssh_channel_read_nonblocking(channel, bytes, sizeof(bytes), is_stderr);
	return n > 0 ? (uint64_t)n : 0;
}

static void a_reader_of_both_streams_that_is_stuck_holds_back_the_container(void **state)
{
	struct peers *p = *state;
	struct session s = exec_begin(p);
	uint64_t written = 0, read = 0;
	p->client_reads = false;
	for (int i = 0; i < 500; i++) {
		written += window_fill(s.container);
		peers_turn(p);
		assert_false(p->relay.is_broken);
	}
	assert_true(p->relay.host_counter.in_bytes < PAIR_HELD_SOFT + 2 * SIDE_READ_BYTES);
	p->client_reads = true;
	while (read < written) {
		peers_turn(p);
		read += stream_read(s.client, false) + stream_read(s.client, true);
	}
	assert_int_equal(read, written);
}

static void input_to_a_container_whose_output_is_stuck_does_not_let_more_output_come(void **state)
{
	static const char bytes[1 << 10];
	struct peers *p = *state;
	struct session s = exec_begin(p);
	p->client_reads = false;
	for (int i = 0; i < 3000; i++) {
		(void)window_fill(s.container);
		if (ssh_channel_window_size(s.client) > sizeof(bytes))
			assert_int_equal(
				ssh_channel_write(s.client, bytes, sizeof(bytes)), sizeof(bytes));
		peers_turn(p);
		(void)stream_read(s.container, false);
		assert_false(p->relay.is_broken);
	}
}

static void a_peer_that_does_not_keep_to_the_window_breaks_the_pair(void **state)
{
	struct peers *p = *state;
	struct session s = exec_begin(p);
	struct channel_pair pair = {0};
	struct pair_count count = {0};
	channel_pair_attach_host(&pair, ssh_channel_new(p->host.session));
	const struct ssh_channel_callbacks_struct *events = &pair.host_events;
	events->channel_data_function(
		p->host.session, pair.host, NULL, PAIR_HELD_MAX - 1, 1, &pair);
	assert_false(pair.overflowed);
	assert_int_equal(channel_pair_output_held(&pair), PAIR_HELD_MAX - 1);
	events->channel_data_function(p->host.session, pair.host, NULL, PAIR_HELD_MAX, 0, &pair);
	assert_int_equal(channel_pair_pump(&pair, true, &count), PAIR_BROKEN);
	channel_pair_done(&pair);
	assert_non_null(s.client);
}

// --- the end of a connection

static void open_channels_are_told_why_the_proxy_ends_them(void **state)
{
	struct peers *p = *state;
	assert_false(relay_end(&p->relay, "The end."));
	struct session opening = session_ask(p);
	ssh_message held = opening_get(p);
	assert_false(relay_end(&p->relay, "The end."));
	ssh_message_free(held);
	struct session s = exec_begin(p);
	listen_to_container(&s);
	assert_true(relay_end(&p->relay, "The end."));
	heard_wait(p, &s, "2:\n 2:The end. 2:\n status=255 eof close");
	assert_non_null(opening.client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_comes_at_once_keeps_its_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_signal_that_ends_a_command_is_passed_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_signal_whose_name_does_not_fit_is_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_channel_that_the_container_closes_without_a_status_has_none, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_channel_that_the_user_closes_ends_after_its_input, setup, teardown),
		cmocka_unit_test_setup_teardown(input_waits_until_a_command_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_users_signal_reaches_the_command, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_waits_for_an_answer_when_the_container_closes_is_refused, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_containers_refusals_are_the_users, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_not_offered_is_refused_without_a_container, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_unknown_request_is_refused_and_the_channel_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(channels_of_a_kind_are_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_request_without_an_answer_holds_up_its_own_channel_only, setup, teardown),
		cmocka_unit_test_setup_teardown(
			too_many_requests_without_an_answer_hold_up_the_user, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_reader_of_both_streams_that_is_stuck_holds_back_the_container, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			input_to_a_container_whose_output_is_stuck_does_not_let_more_output_come,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_peer_that_does_not_keep_to_the_window_breaks_the_pair, setup, teardown),
		cmocka_unit_test_setup_teardown(
			open_channels_are_told_why_the_proxy_ends_them, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
