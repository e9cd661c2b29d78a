// SPDX-License-Identifier: Apache-2.0
// A user's connection and a container's, relayed: order, ends, and channels that hold up no other.
// uses: sshproxy/relay.c sshproxy/request.c sshproxy/channel_kind.c sshproxy/channel_pair.c sshproxy/side.c
#include "sshproxy/relay.h"

#include "tests/unit/ssh_relay_peers.h"

#include <stdlib.h>
#include <string.h>

enum { SESSIONS_MAX = 256 }; // channel_kind.c

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

static void terminals_are_told_something_and_go_on(void **state)
{
	struct peers *p = *state;
	struct session plain = exec_begin(p), terminal = session_open(p);
	assert_int_equal(ssh_channel_request_pty(terminal.client), SSH_AGAIN);
	message_accept(request_get(p, SSH_CHANNEL_REQUEST_PTY));
	assert_int_equal(FINISH(p, ssh_channel_request_pty(terminal.client)), SSH_OK);
	relay_say(&p->relay, "too early");
	assert_int_equal(ssh_channel_request_shell(terminal.client), SSH_AGAIN);
	message_accept(request_get(p, SSH_CHANNEL_REQUEST_SHELL));
	assert_int_equal(FINISH(p, ssh_channel_request_shell(terminal.client)), SSH_OK);
	listen_to_container(&terminal);
	listen_to_container(&plain);
	relay_say(&p->relay, "A word.");
	heard_wait(p, &terminal, "2:\r\n 2:A word. 2:\r\n");
	assert_int_equal(ssh_channel_write(terminal.container, "out", 3), 3);
	heard_wait(p, &terminal, "2:\r\n 2:A word. 2:\r\n out");
	assert_string_equal(plain.heard, "");
	assert_int_equal(p->relay.count.down_bytes, 3); // what the proxy says is no traffic
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
			open_channels_are_told_why_the_proxy_ends_them, setup, teardown),
		cmocka_unit_test_setup_teardown(
			terminals_are_told_something_and_go_on, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
