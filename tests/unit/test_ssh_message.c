// SPDX-License-Identifier: Apache-2.0
// The messages between listener, monitor and children; user names; limits at the door.
// uses: sshproxy/message.c sshproxy/name.c sshproxy/startup.c
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"
#include "sshproxy/message.h"
#include "sshproxy/startup.h"
#include "tests/unit/unit.h"

static struct message password(const char *name)
{
	struct message m;
	memset(&m, 0, sizeof(m));
	m.kind = MESSAGE_PASSWORD;
	assert_true(text_copy(m.login.name, sizeof(m.login.name), name));
	strcpy(m.login.password, "secret");
	return m;
}

static void names_are_short_ids_only(void **state)
{
	(void)state;
	static const char *const good[] = {"abcdef", "0123456789abcdef", "t78d2b36b"};
	static const char *const bad[] = {"", "abcde", "0123456789abcdefg", "ABCDEF", "abc-def",
		"abc def", "abcdef\n", "../../etc", "root'; drop table",
		"\xc3\xa4\xc3\xa4\xc3\xa4"};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(name_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(name_is_valid(bad[i]));
		assert_string_equal(name_or_dash(bad[i]), "-");
	}
	assert_string_equal(name_or_dash(NULL), "-");
}

static void a_child_may_ask_what_children_ask(void **state)
{
	(void)state;
	struct message m = password("abcdef");
	assert_true(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_MONITOR));
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_LISTENER));
	assert_false(message_is_valid(&m, 1, MESSAGE_FROM_CHILD));
	m.kind = MESSAGE_AUTHENTICATED;
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));
	m.kind = 0;
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));
	m.kind = MESSAGE_KINDS;
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));
}

static void texts_must_end_and_be_what_they_claim(void **state)
{
	(void)state;
	struct message m = password("abcdef");
	memset(m.login.password, 'x', sizeof(m.login.password));
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));
	m = password("-");
	assert_true(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));
	strcpy(m.login.name, "a b");
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));

	memset(&m, 0, sizeof(m));
	m.kind = MESSAGE_KEY_LOGIN;
	strcpy(m.key.name, "abcdef");
	memset(m.key.sha256, 'a', MESSAGE_SHA256_SIZE - 1);
	assert_true(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));
	m.key.sha256[7] = 'A';
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));

	memset(&m, 0, sizeof(m));
	m.kind = MESSAGE_CLOSE;
	assert_true(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));
	m.close.up_bytes = UINT64_MAX;
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));
	m.close.up_bytes = 0;
	m.close.reason = MESSAGE_CLOSE_REASONS;
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_CHILD));
}

static void descriptors_come_with_yes_only(void **state)
{
	(void)state;
	struct message m;
	memset(&m, 0, sizeof(m));
	m.kind = MESSAGE_DIALLED;
	m.dialled.verdict = MESSAGE_YES;
	assert_true(message_is_valid(&m, 2, MESSAGE_FROM_MONITOR));
	assert_false(message_is_valid(&m, 1, MESSAGE_FROM_MONITOR));
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_MONITOR));
	m.dialled.verdict = MESSAGE_REFUSED;
	assert_true(message_is_valid(&m, 0, MESSAGE_FROM_MONITOR));
	assert_false(message_is_valid(&m, 2, MESSAGE_FROM_MONITOR));
	m.dialled.verdict = MESSAGE_REFUSED + 1;
	assert_false(message_is_valid(&m, 0, MESSAGE_FROM_MONITOR));
}

static void what_may_not_be_is_not_received(void **state)
{
	(void)state;
	struct wait now = wait_for(0, -1);
	struct message m = password("abcdef"), got;
	int pair[2], fds[MESSAGE_FDS_MAX];
	struct err e;
	assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);

	assert_int_equal(
		message_receive(pair[0], MESSAGE_FROM_CHILD, &now, &got, fds, &e), MESSAGE_NONE);
	assert_int_equal(message_send(pair[1], &m, NULL, 0, &e), 0);
	assert_int_equal(message_receive(pair[0], MESSAGE_FROM_CHILD, &now, &got, fds, &e), 0);
	assert_memory_equal(&m, &got, sizeof(m));

	assert_int_equal(message_send(pair[1], &m, (int[]){0}, 1, &e), 0);
	assert_int_equal(message_receive(pair[0], MESSAGE_FROM_CHILD, &now, &got, fds, &e), -1);
	assert_int_equal(fds[0], -1);
	assert_int_equal(write(pair[1], &m, sizeof(m) - 1), (int)sizeof(m) - 1);
	assert_int_equal(message_receive(pair[0], MESSAGE_FROM_CHILD, &now, &got, fds, &e), -1);

	close(pair[1]);
	assert_int_equal(
		message_receive(pair[0], MESSAGE_FROM_CHILD, &now, &got, fds, &e), MESSAGE_CLOSED);
	close(pair[0]);
}

#define PLACE(address, silent, since) \
	{ \
		{(address) / 256, address}, silent, since \
	}

static void one_address_has_a_limit_and_its_silent_ones_leave_first(void **state)
{
	struct source_place places[STARTUP_ADDRESS_MAX + 1] = {PLACE(999, true, 0)};
	const struct source own = {0, 7}, other = {0, 8};
	size_t leaver = 0;
	(void)state;
	for (int i = 1; i <= STARTUP_ADDRESS_MAX; i++)
		places[i] = (struct source_place)PLACE(7, false, i);
	size_t all = ARRAY_SIZE(places);
	assert_int_equal(startup_decide(places, 0, own, &leaver), STARTUP_ENTERS);
	assert_int_equal(startup_decide(places, all - 1, own, &leaver), STARTUP_ENTERS);
	assert_int_equal(startup_decide(places, all, own, &leaver), STARTUP_REFUSED);
	assert_int_equal(startup_decide(places, all, other, &leaver), STARTUP_ENTERS);
	places[9].is_silent = places[5].is_silent = places[3].is_silent = true;
	places[5].since_ms = 0;
	assert_int_equal(startup_decide(places, all, own, &leaver), STARTUP_ENTERS_FOR);
	assert_int_equal(leaver, 5);
}

static void when_places_are_taken_the_most_crowded_network_makes_room(void **state)
{
	struct source_place places[STARTUP_PLACES];
	size_t leaver = 0;
	(void)state;
	for (unsigned i = 0; i < STARTUP_PLACES; i++) // 7 addresses of one network, 3 of another
		places[i] = (struct source_place)PLACE(
			i % 10 < 7 ? i % 10 : 256 + i % 10, false, 1000 - i);
	struct source newcomer = {9, 9};
	assert_int_equal(
		startup_decide(places, STARTUP_PLACES - 1, newcomer, &leaver), STARTUP_ENTERS);
	assert_int_equal(
		startup_decide(places, STARTUP_PLACES, newcomer, &leaver), STARTUP_ENTERS_FOR);
	assert_int_equal(leaver, 96);
}

static void connections_end_before_descriptors(void **state)
{
	(void)state;
	assert_int_equal(startup_connections_max(64), 0);
	assert_int_equal(startup_connections_max(1024), 1024 - STARTUP_DESCRIPTORS_SPARE);
	assert_int_equal(startup_connections_max(UINT64_MAX), STARTUP_CONNECTIONS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_short_ids_only),
		cmocka_unit_test(a_child_may_ask_what_children_ask),
		cmocka_unit_test(texts_must_end_and_be_what_they_claim),
		cmocka_unit_test(descriptors_come_with_yes_only),
		cmocka_unit_test(what_may_not_be_is_not_received),
		cmocka_unit_test(one_address_has_a_limit_and_its_silent_ones_leave_first),
		cmocka_unit_test(when_places_are_taken_the_most_crowded_network_makes_room),
		cmocka_unit_test(connections_end_before_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
