// SPDX-License-Identifier: Apache-2.0
// A client that logs in: what the monitor is asked, what the client is answered, and what counts as an attempt.
// uses: sshproxy/login.c sshproxy/login_self_test.c sshproxy/monitor_client.c sshproxy/message.c sshproxy/name.c sshproxy/side.c
#include "sshproxy/login.h"

#include "tests/unit/ssh_peers.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "sshproxy/key.h"
#include "sshproxy/login_self_test.h"
#include "sshproxy/monitor_client.h"

// Stands before libssh's own: a libssh that logs other texts is one whose lines login.c does not hear.
static bool is_deaf;

static void hear_nothing(int priority, const char *function, const char *line, void *data)
{
	(void)priority;
	(void)function;
	(void)line;
	(void)data;
}

int ssh_set_log_callback(ssh_logging_callback callback)
{
	void *next = dlsym(RTLD_NEXT, "ssh_set_log_callback");
	int (*set)(ssh_logging_callback) = NULL;
	memcpy(&set, &next, sizeof(set));
	return set(is_deaf ? hear_nothing : callback);
}

struct fixture {
	struct side client, server;
	struct monitor_client line;
	struct login login;
	int monitor_fd;
	enum login_outcome outcome;
	struct wait limit;
};

static int setup(void **state)
{
	struct fixture *f = xnew(struct fixture);
	int fds[2];
	assert_return_code(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	f->limit = wait_for(PEERS_LIMIT_MS, -1);
	f->monitor_fd = fds[0];
	monitor_client_init(&f->line, fds[1]);
	connection_begin(&f->client, &f->server);
	login_init(&f->login, f->server.session, &f->line);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	login_done(&f->login);
	side_end(&f->client);
	side_end(&f->server);
	closep(&f->monitor_fd);
	closep(&f->line.fd);
	free(f);
	return 0;
}

// The answer waits in the socket before the question is put.
static void monitor_says(struct fixture *f, enum message_kind kind, enum message_verdict verdict,
	const char *sentence)
{
	struct message m;
	struct err e;
	memset(&m, 0, sizeof(m));
	m.kind = kind;
	m.answer.verdict = verdict;
	assert_true(text_copy(m.answer.sentence, sizeof(m.answer.sentence), sentence));
	assert_int_equal(message_send(f->monitor_fd, &m, NULL, 0, &e), 0);
}

static struct message monitor_hears(struct fixture *f)
{
	struct wait now = wait_for(0, -1);
	struct message m;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	assert_int_equal(message_receive(f->monitor_fd, MESSAGE_FROM_CHILD, &now, &m, fds, &e), 0);
	return m;
}

static void server_turn(struct fixture *f)
{
	assert_true(wait_left_ms(&f->limit) > 0);
	if (f->outcome == LOGIN_DONE) { // the answer may not have left yet
		side_turn(&f->server, true);
		return;
	}
	ssh_message m = ssh_message_get(f->server.session);
	f->outcome = m ? login_take(&f->login, m) : login_poll(&f->login);
}

static bool is_ended(const struct fixture *f)
{
	return f->outcome == LOGIN_REFUSED || f->outcome == LOGIN_FAILED;
}

// Calls an authentication function of the client until it has an answer, or the login has ended.
#define TRY(f, call) \
	({ \
		int try_; \
		while ((try_ = (call)) == SSH_AUTH_AGAIN && !is_ended(f)) \
			server_turn(f); \
		try_; \
	})

static ssh_key key_new(void)
{
	ssh_key key = NULL;
	assert_int_equal(ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key), SSH_OK);
	return key;
}

static void a_request_without_credentials_learns_the_methods(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(TRY(f, ssh_userauth_none(f->client.session, NULL)), SSH_AUTH_DENIED);
	assert_int_equal(ssh_userauth_list(f->client.session, NULL),
		SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_PASSWORD);
	assert_int_equal(f->login.failed, 0);
}

static void a_right_password_lets_in(void **state)
{
	struct fixture *f = *state;
	monitor_says(f, MESSAGE_ANSWER, MESSAGE_YES, "");
	assert_int_equal(
		TRY(f, ssh_userauth_password(f->client.session, NULL, "secret")), SSH_AUTH_SUCCESS);
	assert_int_equal(f->outcome, LOGIN_DONE);
	struct message m = monitor_hears(f);
	assert_int_equal(m.kind, MESSAGE_PASSWORD);
	assert_string_equal(m.login.name, "abcdef");
	assert_string_equal(m.login.password, "secret");
}

static void the_sixth_wrong_password_is_the_last(void **state)
{
	struct fixture *f = *state;
	for (int i = 1; i < LOGIN_TRIES_MAX; i++) {
		monitor_says(f, MESSAGE_ANSWER, MESSAGE_NO, "");
		assert_int_equal(TRY(f, ssh_userauth_password(f->client.session, NULL, "wrong")),
			SSH_AUTH_DENIED);
		assert_int_equal(f->outcome, LOGIN_MORE);
	}
	monitor_says(f, MESSAGE_ANSWER, MESSAGE_NO, "");
	(void)TRY(f, ssh_userauth_password(f->client.session, NULL, "wrong"));
	assert_int_equal(f->outcome, LOGIN_FAILED);
	assert_string_equal(f->login.sentence, "Too many wrong keys or passwords.");
}

static void a_refusal_ends_the_login_with_its_sentence(void **state)
{
	struct fixture *f = *state;
	monitor_says(f, MESSAGE_ANSWER, MESSAGE_REFUSED, "The host is stopped.");
	(void)TRY(f, ssh_userauth_password(f->client.session, NULL, "secret"));
	assert_int_equal(f->outcome, LOGIN_REFUSED);
	assert_string_equal(f->login.sentence, "The host is stopped.");
}

static void an_order_to_end_ends_the_login_with_its_sentence(void **state)
{
	struct fixture *f = *state;
	monitor_says(f, MESSAGE_END, MESSAGE_REFUSED, "Ended.");
	(void)TRY(f, ssh_userauth_password(f->client.session, NULL, "secret"));
	assert_int_equal(f->outcome, LOGIN_REFUSED);
	assert_string_equal(f->login.sentence, "Ended.");
	assert_true(f->line.over);
}

static void an_order_to_end_is_seen_unasked_and_nothing_is_asked_after_it(void **state)
{
	struct fixture *f = *state;
	monitor_client_poll(&f->line, 0);
	assert_false(f->line.over);
	monitor_says(f, MESSAGE_ANSWER, MESSAGE_YES, ""); // an answer to nothing is skipped
	monitor_says(f, MESSAGE_END, MESSAGE_REFUSED, "Ended.");
	monitor_client_poll(&f->line, 0);
	assert_true(f->line.over);
	(void)TRY(f, ssh_userauth_password(f->client.session, NULL, "secret"));
	assert_int_equal(f->outcome, LOGIN_REFUSED);
	assert_string_equal(f->login.sentence, "Ended.");
}

static void a_notice_is_kept_whenever_it_comes_and_is_no_answer(void **state)
{
	struct fixture *f = *state;
	struct message question = message_new(MESSAGE_DIAL), answer;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	monitor_says(f, MESSAGE_SAY, MESSAGE_YES, "one");
	monitor_client_poll(&f->line, 0);
	assert_string_equal(f->line.notice, "one");
	monitor_says(f, MESSAGE_SAY, MESSAGE_YES, "two");
	monitor_says(f, MESSAGE_ANSWER, MESSAGE_NO, "no");
	assert_int_equal(monitor_client_ask(&f->line, &question, &answer, fds, &e), 0);
	assert_string_equal(answer.answer.sentence, "no");
	assert_string_equal(f->line.notice, "two");
	assert_false(f->line.over);
	assert_int_equal(monitor_hears(f).kind, MESSAGE_DIAL);
	monitor_client_traffic(&f->line);
	assert_int_equal(monitor_hears(f).kind, MESSAGE_TRAFFIC);
}

static void a_monitor_that_has_ended_is_seen_unasked(void **state)
{
	struct fixture *f = *state;
	monitor_client_close(&f->line, MESSAGE_CLOSE_GRACE, 1, 2);
	struct message m = monitor_hears(f);
	assert_int_equal(m.kind, MESSAGE_CLOSE);
	assert_int_equal(m.close.reason, MESSAGE_CLOSE_GRACE);
	assert_int_equal(m.close.up_bytes, 1);
	assert_int_equal(m.close.down_bytes, 2);
	close(TAKE_FD(f->monitor_fd));
	monitor_client_poll(&f->line, 0);
	assert_true(f->line.over);
	assert_string_equal(f->line.sentence, "The ssh proxy is restarting: connect again.");
}

static void without_a_monitor_the_login_ends(void **state)
{
	struct fixture *f = *state;
	close(TAKE_FD(f->monitor_fd));
	(void)TRY(f, ssh_userauth_password(f->client.session, NULL, "secret"));
	assert_int_equal(f->outcome, LOGIN_REFUSED);
	assert_string_equal(f->login.sentence, "The login is not answered: try again.");
}

static void an_answer_of_another_kind_ends_the_login(void **state)
{
	struct fixture *f = *state;
	monitor_says(f, MESSAGE_DIALLED, MESSAGE_REFUSED, "");
	(void)TRY(f, ssh_userauth_password(f->client.session, NULL, "secret"));
	assert_int_equal(f->outcome, LOGIN_REFUSED);
	assert_string_equal(f->login.sentence, "The login was answered wrongly: try again.");
}

static void a_key_is_asked_about_when_offered_and_when_its_signature_is_valid(void **state)
{
	struct fixture *f = *state;
	_cleanup_(ssh_key_freep) ssh_key key = key_new();
	monitor_says(f, MESSAGE_ANSWER, MESSAGE_YES, "");
	assert_int_equal(
		TRY(f, ssh_userauth_try_publickey(f->client.session, NULL, key)), SSH_AUTH_SUCCESS);
	assert_int_equal(f->outcome, LOGIN_MORE);
	struct message offer = monitor_hears(f);
	assert_int_equal(offer.kind, MESSAGE_KEY_OFFER);
	monitor_says(f, MESSAGE_ANSWER, MESSAGE_YES, "");
	assert_int_equal(
		TRY(f, ssh_userauth_publickey(f->client.session, NULL, key)), SSH_AUTH_SUCCESS);
	assert_int_equal(f->outcome, LOGIN_DONE);
	struct message login = monitor_hears(f);
	assert_int_equal(login.kind, MESSAGE_KEY_LOGIN);
	assert_string_equal(login.key.name, "abcdef");
	assert_string_equal(login.key.sha256, offer.key.sha256);
}

static void a_key_that_is_not_registered_counts_as_a_wrong_one(void **state)
{
	struct fixture *f = *state;
	_cleanup_(ssh_key_freep) ssh_key key = key_new();
	monitor_says(f, MESSAGE_ANSWER, MESSAGE_NO, "");
	assert_int_equal(
		TRY(f, ssh_userauth_try_publickey(f->client.session, NULL, key)), SSH_AUTH_DENIED);
	assert_int_equal(f->login.failed, 1);
}

static void signatures_are_dropped(struct fixture *f)
{
	assert_int_equal(ssh_options_set(f->server.session, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES,
				 "rsa-sha2-512"),
		SSH_OK);
}

static void what_libssh_drops_counts_and_is_answered_like_the_first_request(void **state)
{
	struct fixture *f = *state;
	_cleanup_(ssh_key_freep) ssh_key key = key_new();
	signatures_are_dropped(f);
	assert_int_equal(TRY(f, ssh_userauth_none(f->client.session, NULL)), SSH_AUTH_DENIED);
	for (unsigned i = 1; i < LOGIN_TRIES_MAX; i++) {
		assert_int_equal(TRY(f, ssh_userauth_publickey(f->client.session, NULL, key)),
			SSH_AUTH_DENIED);
		assert_int_equal(f->login.failed, i);
	}
	(void)TRY(f, ssh_userauth_publickey(f->client.session, NULL, key));
	assert_int_equal(f->outcome, LOGIN_FAILED);
}

static void what_libssh_drops_as_the_first_request_ends_the_login(void **state)
{
	struct fixture *f = *state;
	_cleanup_(ssh_key_freep) ssh_key key = key_new();
	signatures_are_dropped(f);
	(void)TRY(f, ssh_userauth_publickey(f->client.session, NULL, key));
	assert_int_equal(f->outcome, LOGIN_FAILED);
	assert_string_equal(f->login.sentence, "This key or its signature is not understood.");
}

static void the_program_starts_only_with_a_libssh_that_logs_what_is_counted(void **state)
{
	ssh_bind bind = bind_new();
	struct err e;
	(void)state;
	assert_int_equal(login_self_test(bind, &e), 0);
	is_deaf = true;
	assert_int_equal(login_self_test(bind, &e), -1);
	is_deaf = false;
	assert_non_null(strstr(e.message, "must not run with it"));
	ssh_bind_free(bind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_request_without_credentials_learns_the_methods, setup, teardown),
		cmocka_unit_test_setup_teardown(a_right_password_lets_in, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_sixth_wrong_password_is_the_last, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_refusal_ends_the_login_with_its_sentence, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_order_to_end_ends_the_login_with_its_sentence, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_order_to_end_is_seen_unasked_and_nothing_is_asked_after_it, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_notice_is_kept_whenever_it_comes_and_is_no_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_monitor_that_has_ended_is_seen_unasked, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_monitor_the_login_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_answer_of_another_kind_ends_the_login, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_key_is_asked_about_when_offered_and_when_its_signature_is_valid, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_key_that_is_not_registered_counts_as_a_wrong_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_libssh_drops_counts_and_is_answered_like_the_first_request, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_libssh_drops_as_the_first_request_ends_the_login, setup, teardown),
		cmocka_unit_test(the_program_starts_only_with_a_libssh_that_logs_what_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
