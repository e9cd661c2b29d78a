// SPDX-License-Identifier: Apache-2.0
// What goes through the gate, both halves: right words, wrong words, silence. Who may speak is a
// question for a real container (tests/system/test_gate.py).
// uses: agent/container/gate.c agent/net/netns.c agent/init/gate.c agent/init/words.c
// uses: agent/container/pid1.c
#include "agent/container/gate.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

static void answer(int fd, uint32_t magic, uint32_t gate_state, size_t size)
{
	const struct gate_answer message = {
		.magic = magic, .state = gate_state, .words = "one\r\ntwo\033[2J\n"};

	assert_int_equal(send(fd, &message, size, 0), size);
}

static int ask(int fd, struct gate_answer *ret, struct err *e)
{
	struct wait w = wait_for(50, -1);

	return gate_say(fd, GATE_ASK, &w, ret, e);
}

static void an_answer_is_a_state_and_words_for_one_line(void **state)
{
	struct gate_answer got;
	struct err e;
	int pair[2];

	(void)state;
	pair_make(pair);
	answer(pair[1], GATE_MAGIC, GATE_OPENED, sizeof(struct gate_answer));
	assert_int_equal(ask(pair[0], &got, &e), 0);
	assert_int_equal(got.state, GATE_OPENED);
	assert_string_equal(got.words, "one |two?[2J");
	close(pair[0]);
	close(pair[1]);
}

static void a_wrong_answer_is_an_error(void **state)
{
	static const struct {
		uint32_t magic, word;
		size_t size;
	} wrong[] = {
		{GATE_MAGIC + 1, GATE_OPENED, sizeof(struct gate_answer)},
		{GATE_MAGIC, 0, sizeof(struct gate_answer)},
		{GATE_MAGIC, GATE_SSHD_UP + 1, sizeof(struct gate_answer)},
		{GATE_MAGIC, GATE_OPENED, sizeof(struct gate_answer) - 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct gate_answer got = {.state = GATE_WAITING};
		struct err e;
		int pair[2];

		pair_make(pair);
		answer(pair[1], wrong[i].magic, wrong[i].word, wrong[i].size);
		assert_true(ask(pair[0], &got, &e) < 0);
		assert_int_equal(got.state, GATE_WAITING);
		close(pair[0]);
		close(pair[1]);
	}
}

static void silence_is_a_timeout_and_a_closed_gate_an_error(void **state)
{
	struct gate_answer got;
	struct wait w = wait_for(50, -1);
	struct err e;
	int pair[2];

	(void)state;
	pair_make(pair);
	assert_int_equal(ask(pair[0], &got, &e), WAIT_TIMEOUT);
	answer(pair[1], GATE_MAGIC, GATE_OPENED, sizeof(struct gate_answer));
	assert_int_equal(gate_wait_sshd(pair[0], &w, &got, &e), WAIT_TIMEOUT);
	answer(pair[1], GATE_MAGIC, GATE_OPENED, sizeof(struct gate_answer));
	answer(pair[1], GATE_MAGIC, GATE_SSHD_UP, sizeof(struct gate_answer));
	w = wait_for(50, -1);
	assert_int_equal(gate_wait_sshd(pair[0], &w, &got, &e), 0);
	close(pair[1]);
	assert_true(gate_wait_sshd(pair[0], &w, &got, &e) != 0);
	close(pair[0]);
}

static struct gate gate_of(int fd, enum gate_state now)
{
	static const char words[GATE_WORDS_SIZE] = "sshd listens";
	struct gate g = {.listener = -1, .state = now, .words = words};

	for (int i = 0; i < GATE_PEERS_MAX; i++)
		g.peers[i] = -1;
	g.peers[0] = fd;
	return g;
}

static void pid_1_tells_its_state_and_opens_only_once(void **state)
{
	struct gate_answer told;
	struct gate g;
	int pair[2];

	(void)state;
	pair_make(pair);
	g = gate_of(pair[0], GATE_WAITING);
	tell(pair[1], GATE_MAGIC, GATE_ASK, sizeof(struct gate_message));
	assert_false(gate_serve(&g, 0));
	assert_int_equal(recv(pair[1], &told, sizeof(told), 0), sizeof(told));
	assert_int_equal(told.state, GATE_WAITING);
	assert_string_equal(told.words, "sshd listens");
	tell(pair[1], GATE_MAGIC, GATE_OPEN, sizeof(struct gate_message));
	assert_true(gate_serve(&g, 0));
	gate_change(&g, GATE_OPENED);
	assert_int_equal(recv(pair[1], &told, sizeof(told), 0), sizeof(told));
	assert_int_equal(told.state, GATE_OPENED);
	tell(pair[1], GATE_MAGIC, GATE_OPEN, sizeof(struct gate_message));
	assert_false(gate_serve(&g, 0));
	assert_int_equal(recv(pair[1], &told, sizeof(told), 0), sizeof(told));
	gate_done(&g);
	assert_int_equal(recv(pair[1], &told, sizeof(told), 0), 0);
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

static void say_text(const char *text, size_t size)
{
	assert_int_equal(write(STDERR_FILENO, text, size), size);
}

// The words replace stdout and stderr, so they are looked at by a process of their own.
static void words_of_child(void)
{
	char line[4096];
	struct words w;

	assert_int_equal(words_init(&w, 0), 0);
	words_read(&w, 0);
	assert_string_equal(w.text, "");
	say_text("one\ntwo\n", 8);
	words_read(&w, 1);
	assert_string_equal(w.text, "one\ntwo\n");
	memset(line, 'x', 239);
	line[239] = '\n';
	say_text(line, 240);
	words_read(&w, 2);
	assert_int_equal(w.size, 240 + 4);
	assert_memory_equal(w.text, "two\nxxx", 7);
	memset(line, 'y', sizeof(line));
	say_text(line, sizeof(line)); // a line without an end: what fits of it
	words_read(&w, 3);
	assert_int_equal(w.size, GATE_WORDS_SIZE - 1);
	assert_int_equal(strspn(w.text, "y"), GATE_WORDS_SIZE - 1);
	for (int i = 2; i < 16; i++) {
		assert_int_equal(words_pause_ms(&w, 4), 0);
		say_text(line, sizeof(line));
		words_read(&w, 4);
	}
	say_text(line, sizeof(line));
	words_read(&w, 5);
	assert_int_equal(words_pause_ms(&w, 5), 995);
	assert_int_equal(words_pause_ms(&w, 999), 1);
	assert_int_equal(words_pause_ms(&w, 1000), 0);
	say_text(line, 1);
	words_read(&w, 1000);
	assert_int_equal(words_pause_ms(&w, 1000), 0);
	while (write(STDERR_FILENO, line, sizeof(line)) > 0) // a full pipe does not block
		;
	assert_int_equal(errno, EAGAIN);
}

static void words_are_kept_to_the_last_lines_at_a_bounded_rate(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		words_of_child();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_a_state_and_words_for_one_line),
		cmocka_unit_test(a_wrong_answer_is_an_error),
		cmocka_unit_test(silence_is_a_timeout_and_a_closed_gate_an_error),
		cmocka_unit_test(pid_1_tells_its_state_and_opens_only_once),
		cmocka_unit_test(pid_1_hangs_up_on_what_it_does_not_know),
		cmocka_unit_test(words_are_kept_to_the_last_lines_at_a_bounded_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
