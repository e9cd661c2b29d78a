// SPDX-License-Identifier: Apache-2.0
// What is asked of an exit's resolver, and what counts as its answer, over a socket that is a file of the test's.
// uses: agent/tunnel/exit_ask.c
#include "tests/unit/trace.h"

#include <sys/eventfd.h>

#include "agent/net/netns.h"
#include "agent/net/wall.h"
#include "agent/tunnel/exit_ask.h"
#include "lib/mem.h"

enum { ID_BYTES = 2, COMING_MAX = 16 };

static int refuses; // setsockopt's number that fails; 0: none
static bool no_way;
static int send_error;
static struct {
	int error; // in place of bytes
	size_t len;
	uint8_t bytes[16];
} coming[COMING_MAX];
static size_t count, taken;

int netns_socket(int ns_fd, int domain, int type, int protocol, struct err *e)
{
	(void)protocol;
	assert_int_equal(domain, AF_INET);
	assert_int_equal(type, SOCK_DGRAM);
	return ns_fd < 0 ? err_say(e, EPERM, "no socket") : eventfd(0, EFD_CLOEXEC);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	(void)fd;
	(void)size;
	assert_int_equal(level, SOL_SOCKET);
	if (name == SO_MARK)
		assert_int_equal(*(const uint32_t *)value, WALL_MARK_VERIFY);
	else
		assert_string_equal(value, "tun0");
	errno = ENODEV;
	return name == refuses ? -1 : 0;
}

int connect(int fd, const struct sockaddr *to, socklen_t size)
{
	char text[ADDR_TEXT_MAX];
	struct addr_port peer = addr_from_socket(to);
	(void)fd;
	(void)size;
	if (to->sa_family == AF_UNSPEC)
		did("leave");
	else
		did("reach %s:%u", addr_text(&peer.addr, text), peer.port);
	errno = ENETUNREACH;
	return no_way ? -1 : 0;
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	// One question for localhost, A, IN; recursion desired (RFC 1035, section 4.1).
	static const char rest[] = "\1\0\0\1\0\0\0\0\0\0\11localhost\0\0\1\0\1";
	const uint8_t *bytes = data;
	(void)fd;
	assert_int_equal(flags, MSG_DONTWAIT);
	assert_int_equal(size, ID_BYTES + sizeof(rest) - 1);
	assert_memory_equal(bytes + ID_BYTES, rest, sizeof(rest) - 1);
	did("ask %d", bytes[0] << 8 | bytes[1]);
	errno = send_error;
	return send_error ? -1 : (ssize_t)size;
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	(void)fd;
	assert_int_equal(flags, MSG_DONTWAIT);
	errno = taken < count ? coming[taken].error : EAGAIN;
	if (errno) {
		taken += taken < count;
		return -1;
	}
	size_t len = coming[taken].len < size ? coming[taken].len : size;
	memcpy(data, coming[taken++].bytes, len);
	return (ssize_t)len;
}

static void comes(uint16_t id, uint8_t flags, uint8_t rcode, size_t len)
{
	assert_true(count < COMING_MAX);
	coming[count].error = 0;
	coming[count].len = len;
	memcpy(coming[count++].bytes, (uint8_t[]){(uint8_t)(id >> 8), (uint8_t)id, flags, rcode},
		4);
}

static void answer_comes(uint16_t id)
{
	comes(id, 0x81, 0x80, 16);
}

static struct exit_ask opened(void)
{
	static const struct addr resolver = ADDR_V4(198, 51, 100, 53);
	struct exit_ask a = EXIT_ASK_INIT;
	struct err e;
	refuses = send_error = 0;
	no_way = false;
	count = taken = 0;
	assert_int_equal(exit_ask_open(3, &resolver, &a, &e), 0);
	assert_did("reach 198.51.100.53:53; ");
	return a;
}

static void an_exit_that_answers_is_heard_once_for_each_question(void **state)
{
	struct exit_ask a = opened();
	(void)state;
	assert_true(exit_ask_answered(&a)); // nothing was asked
	for (uint16_t id = 1; id < 4; id++) {
		exit_ask_send(&a);
		assert_false(exit_ask_answered(&a));
		answer_comes(id);
		assert_true(exit_ask_answered(&a));
	}
	assert_did("ask 1; ask 2; ask 3; ");
	exit_ask_close(&a);
}

static void an_answer_that_takes_longer_is_that_of_the_question_before(void **state)
{
	struct exit_ask a = opened();
	(void)state;
	exit_ask_send(&a);
	assert_false(exit_ask_answered(&a));
	answer_comes(1);
	exit_ask_send(&a);
	assert_true(exit_ask_answered(&a));
	exit_ask_send(&a); // 2 is still under way
	answer_comes(2);
	assert_true(exit_ask_answered(&a));
	answer_comes(1);
	exit_ask_send(&a);
	assert_false(exit_ask_answered(&a)); // too late for anything
	assert_did("ask 1; ask 2; ask 3; ask 4; ");
	exit_ask_close(&a);
}

static void what_is_no_answer_of_the_resolver_is_none(void **state)
{
	struct exit_ask a = opened();
	(void)state;
	exit_ask_send(&a);
	comes(1, 0x81, 0x82, 16); // SERVFAIL
	comes(1, 0x01, 0x80, 16); // a question
	comes(2, 0x81, 0x80, 16); // to what was not asked
	comes(1, 0x81, 0x80, 11); // no head
	comes(1, 0x81, 0x80, 0);
	coming[count++].error = ECONNREFUSED;
	assert_false(exit_ask_answered(&a));
	comes(1, 0x81, 0x83, 12); // NXDOMAIN, and nothing beside its head
	assert_true(exit_ask_answered(&a));
	assert_did("ask 1; ");
	exit_ask_close(&a);
}

static void two_that_are_unanswered_are_followed_by_one_from_another_port(void **state)
{
	struct exit_ask a = opened();
	(void)state;
	for (int i = 0; i < 4; i++)
		exit_ask_send(&a);
	assert_did("ask 1; ask 2; leave; reach 198.51.100.53:53; ask 3; "
		   "leave; reach 198.51.100.53:53; ask 4; ");
	answer_comes(4);
	exit_ask_send(&a);
	assert_did("ask 5; ");
	exit_ask_close(&a);
}

static void what_cannot_be_sent_asks_nothing(void **state)
{
	struct exit_ask a = opened();
	(void)state;
	send_error = EPERM;
	exit_ask_send(&a);
	assert_true(exit_ask_answered(&a));
	assert_int_equal(a.unanswered, 0);
	send_error = 0;
	exit_ask_send(&a);
	answer_comes(2);
	assert_true(exit_ask_answered(&a));
	assert_did("ask 1; ask 2; ");
	exit_ask_close(&a);
}

static void numbers_begin_again_after_the_last(void **state)
{
	struct exit_ask a = opened();
	(void)state;
	a.id = UINT16_MAX - 1;
	exit_ask_send(&a);
	exit_ask_send(&a);
	answer_comes(UINT16_MAX);
	assert_true(exit_ask_answered(&a));
	assert_did("ask 65535; ask 0; ");
	exit_ask_close(&a);
}

static void what_cannot_be_opened_leaves_nothing_open(void **state)
{
	static const struct addr resolver = ADDR_V4(198, 51, 100, 53);
	struct exit_ask a = EXIT_ASK_INIT;
	struct err e;
	int before = lowest_free_fd();
	(void)state;
	assert_int_equal(exit_ask_open(-1, &resolver, &a, &e), -1);
	for (int i = 0; i < 2; i++) {
		refuses = i == 0 ? SO_MARK : SO_BINDTODEVICE;
		assert_int_equal(exit_ask_open(3, &resolver, &a, &e), -1);
	}
	refuses = 0;
	no_way = true;
	assert_int_equal(exit_ask_open(3, &resolver, &a, &e), -1);
	assert_int_equal(e.code, ENETUNREACH);
	assert_did("reach 198.51.100.53:53; ");
	assert_int_equal(a.fd, -1);
	assert_int_equal(lowest_free_fd(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exit_that_answers_is_heard_once_for_each_question),
		cmocka_unit_test(an_answer_that_takes_longer_is_that_of_the_question_before),
		cmocka_unit_test(what_is_no_answer_of_the_resolver_is_none),
		cmocka_unit_test(two_that_are_unanswered_are_followed_by_one_from_another_port),
		cmocka_unit_test(what_cannot_be_sent_asks_nothing),
		cmocka_unit_test(numbers_begin_again_after_the_last),
		cmocka_unit_test(what_cannot_be_opened_leaves_nothing_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
