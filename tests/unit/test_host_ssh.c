// SPDX-License-Identifier: Apache-2.0
// What a host's sshd answers to the agent's question, and what SQL hears of it.
// uses: agent/host/ssh.c agent/evidence.c
#include "tests/unit/agent_fakes.h"

#include "agent/agent.h"
#include "agent/container/gate.h"
#include "agent/host/ssh.h"
#include "agent/net/netns.h"
#include "agent/net/sockdiag.h"
#include "agent/store/home.h"
#include "lib/sock.h"

static struct {
	int port, read, home, program, connect, say;
	const char *banner, *words;
	bool is_known; // SQL has been told
	struct sockdiag_listener listener; // cookie 0: none is found
} answers;

static struct agent agent;
static struct host_spec spec = {.ids = {.base = 4000}};
static struct host host = {.id = "h", .spec = &spec, .run = {.pid = 77, .ns_fd = 5}};

int sockdiag_find_listener(int ns_fd, uint16_t port, struct sockdiag_listener *ret, struct err *e)
{
	assert_int_equal(ns_fd, 5);
	assert_int_equal(port, 22);
	if (answers.listener.cookie == 0)
		return err_say(e, ENOENT, "no listener");
	*ret = answers.listener;
	return 0;
}

int netns_connect(int ns_fd, uint16_t port, const struct wait *w, int *ret_fd, struct err *e)
{
	(void)ret_fd;
	assert_int_equal(ns_fd, 5);
	assert_int_equal(port, 22);
	assert_in_range(wait_left_ms(w), 1, 1000);
	return result(answers.port, "connection refused", e);
}

int sock_read_all(int fd, void *buffer, size_t len, const struct wait *w, struct err *e)
{
	(void)fd;
	(void)w;
	memcpy(buffer, answers.banner, len);
	return result(answers.read, "no banner in time", e);
}

int home_open(
	const struct store *store, const char *host_id, bool make, struct home *ret, struct err *e)
{
	(void)ret;
	assert_ptr_equal(store, &agent.store);
	assert_string_equal(host_id, "h");
	assert_false(make);
	return result(answers.home, "no home", e);
}

void home_done(struct home *h)
{
	*h = HOME_INIT;
}

int home_init_open(const struct home *h, struct err *e)
{
	(void)h;
	return answers.program < 0 ? err_say(e, ENOENT, "no program") : dup(STDIN_FILENO);
}

int gate_connect(const struct pid1 *p, const struct wait *w, int *ret_fd, struct err *e)
{
	(void)w;
	(void)ret_fd;
	assert_int_equal(p->ns_fd, 5);
	assert_int_equal(p->pid, 77);
	assert_int_equal(p->uid, 4000);
	assert_true(p->program_fd >= 0);
	assert_false(p->alone);
	return result(answers.connect, "no gate", e);
}

int gate_say(
	int fd, enum gate_word word, const struct wait *w, struct gate_answer *ret, struct err *e)
{
	(void)fd;
	(void)w;
	assert_int_equal(word, GATE_ASK);
	if (answers.say == 0)
		strcpy(ret->words, answers.words);
	return result(answers.say, "no answer", e);
}

bool hosts_note_ssh(struct hosts *hosts, const char *id, bool answers_now)
{
	(void)hosts;
	did("%s %s", id, answers_now ? "answers" : "is silent");
	return !answers.is_known;
}

void outbox_ssh(struct outbox *box, const char *host_id, const char *why_not)
{
	(void)box;
	did("tell of %s: %s", host_id, why_not ? why_not : "well");
}

static int start(void **state)
{
	(void)state;
	memset(&answers, 0, sizeof(answers));
	answers.banner = "SSH-2.0";
	answers.words = "";
	host.run.ssh_cookie = 0;
	trace[0] = '\0';
	return 0;
}

static bool check_as(bool again)
{
	struct wait w = wait_for(10000, -1);
	return ssh_check(&agent, &host, again, &w);
}

static bool check(void)
{
	return check_as(false);
}

static void an_answer_is_told_when_it_is_news(void **state)
{
	(void)state;
	assert_true(check());
	assert_did("h answers; tell of h: well; ");
	answers.is_known = true;
	assert_true(check());
	assert_did("h answers; ");
}

#define SILENT "h is silent; tell of h: connection refused; "

static void what_listens_is_asked_for_its_banner_once_unless_a_connection_waits_there(void **state)
{
	const struct sockdiag_listener listener = {.cookie = 7};
	(void)state;
	answers.is_known = true;
	answers.listener = listener;
	assert_true(check());
	answers.port = -1; // would be told
	assert_true(check());
	assert_did("h answers; h answers; ");
	answers.listener.waiting = 1;
	assert_false(check());
	answers.listener = listener;
	assert_false(check()); // it was silent
	answers.port = 0;
	assert_true(check());
	assert_did(SILENT SILENT "h answers; ");
	answers.port = -1;
	assert_false(check_as(true));
	answers.port = 0;
	assert_true(check());
	answers.port = -1;
	answers.listener.cookie = 8;
	assert_false(check());
	assert_did(SILENT "h answers; " SILENT);
}

static void silence_is_told_with_the_last_words_said_inside(void **state)
{
	(void)state;
	answers.port = -1;
	answers.is_known = true; // the reason may be another one all the same
	assert_false(check());
	assert_did("h is silent; tell of h: connection refused; ");
	answers.words = "bad configuration option";
	assert_false(check());
	assert_did(
		"h is silent; tell of h: connection refused; last said inside: bad configuration option; ");
	answers.say = -1;
	assert_false(check());
	assert_did("h is silent; tell of h: connection refused; ");
	int *const ways[] = {&answers.connect, &answers.program, &answers.home};
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		answers.say = 0;
		*ways[i] = -1;
		assert_false(check());
		assert_did("h is silent; tell of h: connection refused; ");
		*ways[i] = 0;
	}
}

static void whatever_is_not_an_ssh_banner_is_silence(void **state)
{
	(void)state;
	answers.read = WAIT_TIMEOUT;
	assert_false(check());
	assert_did("h is silent; tell of h: no banner in time; ");
	answers.read = 0;
	answers.banner = "HTTP/1.1";
	assert_false(check());
	assert_did("h is silent; tell of h: what answers on port 22 is not an SSH server; ");
}

static void a_task_that_wants_the_host_leaves_it_open(void **state)
{
	(void)state;
	answers.port = WAIT_CANCELED;
	assert_true(check());
	assert_did("");
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_told_when_it_is_news),
		TEST(what_listens_is_asked_for_its_banner_once_unless_a_connection_waits_there),
		TEST(silence_is_told_with_the_last_words_said_inside),
		TEST(whatever_is_not_an_ssh_banner_is_silence),
		TEST(a_task_that_wants_the_host_leaves_it_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
