// SPDX-License-Identifier: Apache-2.0
// A user's connection and a container's, relayed: readers that are slow, and the output held for them.
// uses: sshproxy/relay.c sshproxy/request.c sshproxy/channel_kind.c sshproxy/channel_pair.c sshproxy/side.c
#include "sshproxy/relay.h"

#include "tests/unit/ssh_relay_peers.h"

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

// The client stops to read, and the container writes until the relay does not read it any more.
static void output_stick(struct peers *p, const struct session *s)
{
	p->client_reads = false;
	while (relay_may_read_host(&p->relay)) {
		(void)window_fill(s->container);
		peers_turn(p);
	}
}

static void a_request_behind_output_that_was_stuck_is_answered(void **state)
{
	struct peers *p = *state;
	struct session s = exec_begin(p);
	output_stick(p, &s);
	assert_int_equal(ssh_channel_request_env(s.client, "NAME", "value"), SSH_AGAIN);
	message_accept(request_get(p, SSH_CHANNEL_REQUEST_ENV));
	p->client_reads = true;
	int answer;
	while ((answer = ssh_channel_request_env(s.client, "NAME", "value")) == SSH_AGAIN) {
		(void)stream_read(s.client, false);
		(void)stream_read(s.client, true);
		peers_turn(p);
	}
	assert_int_equal(answer, SSH_OK);
}

static void a_close_behind_a_request_and_output_that_was_stuck_comes_last(void **state)
{
	struct peers *p = *state;
	struct session s = exec_begin(p);
	listen_to_client(&s);
	output_stick(p, &s);
	assert_int_equal(ssh_channel_request_env(s.client, "NAME", "value"), SSH_AGAIN);
	ssh_message m = request_get(p, SSH_CHANNEL_REQUEST_ENV);
	assert_int_equal(ssh_channel_write(s.client, "in", 2), 2);
	assert_int_equal(ssh_channel_close(s.client), SSH_OK);
	while (!relay_may_read_host(&p->relay))
		peers_turn(p);
	assert_string_equal(s.heard, "");
	message_accept(m);
	heard_wait(p, &s, "in eof close");
}

static void output_that_its_user_has_closed_holds_up_no_other_channel(void **state)
{
	struct peers *p = *state;
	struct session closed = exec_begin(p), fine = exec_begin(p);
	listen_to_container(&fine);
	output_stick(p, &closed);
	assert_int_equal(ssh_channel_close(closed.client), SSH_OK);
	p->client_reads = true;
	assert_int_equal(ssh_channel_write(fine.container, "out", 3), 3);
	heard_wait(p, &fine, "out");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_reader_of_both_streams_that_is_stuck_holds_back_the_container, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			input_to_a_container_whose_output_is_stuck_does_not_let_more_output_come,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_request_behind_output_that_was_stuck_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_close_behind_a_request_and_output_that_was_stuck_comes_last, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			output_that_its_user_has_closed_holds_up_no_other_channel, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_peer_that_does_not_keep_to_the_window_breaks_the_pair, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
