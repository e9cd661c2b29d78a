// SPDX-License-Identifier: Apache-2.0
// What the kernel says at the end of a netlink dump is believed, and nothing less than its end.
// uses: agent/net/netns.c agent/net/nl.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/net/nl.h"
#include "lib/err.h"

// The kernel of this test: takes every request; its answer waits in the other end of a pair.
ssize_t sendto(
	int fd, const void *data, size_t len, int flags, __CONST_SOCKADDR_ARG to, socklen_t to_len)
{
	(void)fd;
	(void)data;
	(void)flags;
	(void)to;
	(void)to_len;
	return (ssize_t)len;
}

static int count(const struct nlmsghdr *message, void *arg, struct err *e)
{
	(void)message;
	(void)e;
	++*(int *)arg;
	return 0;
}

// The result of a dump of one entry whose last message has these flags and this payload.
static int dump(uint16_t flags, const void *payload, size_t size, int *ret_count, struct err *e)
{
	_Alignas(NLMSG_ALIGNTO) char answer[256] = {0};
	struct nl n = {.sequence = 7};
	struct nl_batch b;
	int pair[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	n.fd = pair[0];
	struct nlmsghdr *entry = mnl_nlmsg_put_header(answer);
	entry->nlmsg_type = NLMSG_MIN_TYPE;
	entry->nlmsg_seq = n.sequence;
	struct nlmsghdr *done = mnl_nlmsg_put_header(answer + entry->nlmsg_len);
	done->nlmsg_type = NLMSG_DONE;
	done->nlmsg_flags = NLM_F_MULTI | flags;
	done->nlmsg_seq = n.sequence;
	if (size > 0)
		memcpy(mnl_nlmsg_put_extra_header(done, size), payload, size);
	size_t len = entry->nlmsg_len + done->nlmsg_len;
	assert_int_equal(send(pair[1], answer, len, 0), len);

	*ret_count = 0;
	nl_batch_init(&b);
	nl_put(&n, &b, NLMSG_MIN_TYPE, NLM_F_DUMP);
	r = nl_dump(&n, &b, count, ret_count, "look", e);
	closep(&pair[0]);
	closep(&pair[1]);
	return r;
}

static void a_dump_that_ended_well_gives_what_it_holds(void **state)
{
	const int32_t good[] = {0, 4}; // some protocols say how much they sent
	struct err e;
	int entries;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(dump(0, &good[i], sizeof(good[i]), &entries, &e), 0);
		assert_int_equal(entries, 1);
	}
}

static void a_dump_that_was_cut_short_is_an_error(void **state)
{
	const int32_t error = -ENOMEM, good = 0;
	struct err e;
	int entries;

	(void)state;
	assert_int_equal(dump(0, &error, sizeof(error), &entries, &e), -1);
	assert_int_equal(e.code, ENOMEM);
	assert_int_equal(dump(0, NULL, 0, &entries, &e), -1);
	assert_int_equal(e.code, EBADMSG);
	assert_int_equal(dump(NLM_F_DUMP_INTR, &good, sizeof(good), &entries, &e), -1);
	assert_int_equal(e.code, EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dump_that_ended_well_gives_what_it_holds),
		cmocka_unit_test(a_dump_that_was_cut_short_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
