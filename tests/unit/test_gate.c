// SPDX-License-Identifier: Apache-2.0
// What goes through the gate, both halves: right words, wrong words, silence. Who may speak is a
// question for a real container (tests/system/test_gate.py).
// uses: agent/container/gate.c agent/net/netns.c agent/init/gate.c
#include "agent/container/gate.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/init/init.h"
#include "lib/err.h"

// agent/init/main.c's.
void init_log(const char *what)
{
	(void)what;
}

static void pair_make(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
}

static void tell(int fd, uint32_t magic, uint32_t word, size_t size)
{
	const struct gate_message message = {.magic = magic, .word = word};

	assert_int_equal(send(fd, &message, size, 0), size);
}

static int ask(int fd, enum gate_state *ret, struct err *e)
{
	struct wait w = wait_for(50, -1);

	return gate_say(fd, GATE_ASK, &w, ret, e);
}

static void an_answer_is_a_state(void **state)
{
	enum gate_state got = GATE_WAITING;
	struct err e;
	int pair[2];

	(void)state;
	pair_make(pair);
	tell(pair[1], GATE_MAGIC, GATE_OPENED, sizeof(struct gate_message));
	assert_int_equal(ask(pair[0], &got, &e), 0);
	assert_int_equal(got, GATE_OPENED);
	close(pair[0]);
	close(pair[1]);
}

static void a_wrong_answer_is_an_error(void **state)
{
	static const struct {
		uint32_t magic, word;
		size_t size;
	} wrong[] = {
		{GATE_MAGIC + 1, GATE_OPENED, sizeof(struct gate_message)},
		{GATE_MAGIC, 0, sizeof(struct gate_message)},
		{GATE_MAGIC, GATE_SSHD_UP + 1, sizeof(struct gate_message)},
		{GATE_MAGIC, GATE_OPENED, sizeof(struct gate_message) - 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		enum gate_state got = GATE_WAITING;
		struct err e;
		int pair[2];

		pair_make(pair);
		tell(pair[1], wrong[i].magic, wrong[i].word, wrong[i].size);
		assert_true(ask(pair[0], &got, &e) < 0);
		assert_int_equal(got, GATE_WAITING);
		close(pair[0]);
		close(pair[1]);
	}
}

static void silence_is_a_timeout_and_a_closed_gate_an_error(void **state)
{
	enum gate_state got;
	struct wait w = wait_for(50, -1);
	struct err e;
	int pair[2];

	(void)state;
	pair_make(pair);
	assert_int_equal(ask(pair[0], &got, &e), WAIT_TIMEOUT);
	tell(pair[1], GATE_MAGIC, GATE_OPENED, sizeof(struct gate_message));
	assert_int_equal(gate_wait_sshd(pair[0], &w, &e), WAIT_TIMEOUT);
	tell(pair[1], GATE_MAGIC, GATE_OPENED, sizeof(struct gate_message));
	tell(pair[1], GATE_MAGIC, GATE_SSHD_UP, sizeof(struct gate_message));
	w = wait_for(50, -1);
	assert_int_equal(gate_wait_sshd(pair[0], &w, &e), 0);
	close(pair[1]);
	assert_true(gate_wait_sshd(pair[0], &w, &e) != 0);
	close(pair[0]);
}

static struct gate gate_of(int fd, enum gate_state now)
{
	struct gate g = {.listener = -1, .state = now};

	for (int i = 0; i < GATE_PEERS_MAX; i++)
		g.peers[i] = -1;
	g.peers[0] = fd;
	return g;
}

static void pid_1_tells_its_state_and_opens_only_once(void **state)
{
	struct gate_message answer;
	struct gate g;
	int pair[2];

	(void)state;
	pair_make(pair);
	g = gate_of(pair[0], GATE_WAITING);
	tell(pair[1], GATE_MAGIC, GATE_ASK, sizeof(answer));
	assert_false(gate_serve(&g, 0));
	assert_int_equal(recv(pair[1], &answer, sizeof(answer), 0), sizeof(answer));
	assert_int_equal(answer.word, GATE_WAITING);
	tell(pair[1], GATE_MAGIC, GATE_OPEN, sizeof(answer));
	assert_true(gate_serve(&g, 0));
	gate_change(&g, GATE_OPENED);
	assert_int_equal(recv(pair[1], &answer, sizeof(answer), 0), sizeof(answer));
	assert_int_equal(answer.word, GATE_OPENED);
	tell(pair[1], GATE_MAGIC, GATE_OPEN, sizeof(answer));
	assert_false(gate_serve(&g, 0));
	assert_int_equal(recv(pair[1], &answer, sizeof(answer), 0), sizeof(answer));
	gate_done(&g);
	assert_int_equal(recv(pair[1], &answer, sizeof(answer), 0), 0);
	close(pair[1]);
}

static void pid_1_hangs_up_on_what_it_does_not_know(void **state)
{
	static const struct {
		uint32_t magic, word;
		size_t size;
	} wrong[] = {
		{GATE_MAGIC + 1, GATE_OPEN, sizeof(struct gate_message)},
		{GATE_MAGIC, 0, sizeof(struct gate_message)},
		{GATE_MAGIC, 3, sizeof(struct gate_message)},
		{GATE_MAGIC, GATE_OPEN, 4},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct gate_message answer;
		struct gate g;
		int pair[2];

		pair_make(pair);
		g = gate_of(pair[0], GATE_WAITING);
		tell(pair[1], wrong[i].magic, wrong[i].word, wrong[i].size);
		assert_false(gate_serve(&g, 0));
		assert_int_equal(g.peers[0], -1);
		assert_int_equal(recv(pair[1], &answer, sizeof(answer), 0), 0);
		close(pair[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_a_state),
		cmocka_unit_test(a_wrong_answer_is_an_error),
		cmocka_unit_test(silence_is_a_timeout_and_a_closed_gate_an_error),
		cmocka_unit_test(pid_1_tells_its_state_and_opens_only_once),
		cmocka_unit_test(pid_1_hangs_up_on_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
