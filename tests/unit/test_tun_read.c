// SPDX-License-Identifier: Apache-2.0
// Whether a tun's program reads it, by counters that are a file of the test's.
// uses: agent/tunnel/tun_read.c
#include "tests/unit/trace.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "agent/net/netns.h"
#include "agent/tunnel/tun_read.h"
#include "lib/mem.h"

#define HEAD \
	"Inter-|   Receive                                                |  Transmit\n" \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n" \
	"    lo:     900      11    0    0    0     0          0         0      900      99    0\n"
#define TUN "  tun0: 1234567      20    0    3    0     0          0         0     4321 "

static int counts = -1;
static bool sends;

int netns_socket(int ns_fd, int domain, int type, int protocol, struct err *e)
{
	(void)ns_fd;
	(void)domain;
	(void)type;
	(void)protocol;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? err_set(e, errno, "socket") : fd;
}

int netns_counts(int ns_fd, struct err *e)
{
	(void)ns_fd;
	return counts < 0 ? err_say(e, EIO, "no counters") : fcntl(counts, F_DUPFD_CLOEXEC, 0);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	(void)fd;
	(void)level;
	(void)name;
	(void)value;
	(void)size;
	return 0;
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
	socklen_t to_size)
{
	(void)fd;
	(void)flags;
	(void)to;
	(void)to_size;
	uint32_t sum = 0; // RFC 1071
	for (const uint8_t *bytes = data, *end = bytes + size; bytes < end; bytes += 2)
		sum += (uint32_t)bytes[0] << 8 | bytes[1];
	assert_int_equal(sum, 0xffff);
	did("send");
	errno = EPERM;
	return sends ? (ssize_t)size : -1;
}

static void say(const char *text)
{
	assert_int_equal(ftruncate(counts, 0), 0);
	assert_int_equal(pwrite(counts, text, strlen(text), 0), strlen(text));
}

static void what_is_counted_as_read_is_an_answer(void **state)
{
	struct tun_read r = TUN_READ_INIT;
	struct err e;
	bool answered;
	(void)state;
	sends = true;
	assert_int_equal(tun_read_open(-1, &r, &e), 0);
	say(HEAD TUN "7 0 0\n");
	assert_int_equal(tun_read_ask(&r, &e), 0);
	assert_did("send; ");
	assert_int_equal(tun_read_answered(&r, &answered, &e), 0);
	assert_false(answered);
	say(HEAD TUN "8 0 0\n");
	assert_int_equal(tun_read_answered(&r, &answered, &e), 0);
	assert_true(answered);
	tun_read_close(&r);
}

static void what_others_send_is_told_from_what_was_put_in(void **state)
{
	static const struct {
		const char *counts;
		uint64_t more; // put in by the caller
		bool others;
	} rows[] = {
		{HEAD TUN "7 0 0\n", 0, true}, // before it was asked for the first time
		{HEAD TUN "8 0 0\n", 1, false}, {HEAD TUN "10 0 0\n", 1, false},
		{HEAD TUN "13 0 0\n", 0, true},
		{HEAD TUN "13 0 0\n", 0, false}, // ours is not read yet
	};
	struct tun_read r = TUN_READ_INIT;
	struct err e;
	(void)state;
	sends = true;
	assert_int_equal(tun_read_open(-1, &r, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		say(rows[i].counts);
		assert_int_equal(tun_read_ask(&r, &e), 0);
		assert_int_equal(r.others, rows[i].others);
		r.own += rows[i].more;
	}
	sends = false;
	assert_int_equal(tun_read_ask(&r, &e), 0);
	assert_int_equal(r.own, 0);
	assert_did("send; send; send; send; send; send; ");
	tun_read_close(&r);
}

static void what_could_not_be_asked_is_not_silent(void **state)
{
	struct tun_read r = TUN_READ_INIT;
	struct err e;
	bool answered = false;
	(void)state;
	sends = false;
	assert_int_equal(tun_read_open(-1, &r, &e), 0);
	say(HEAD TUN "7 0 0\n");
	assert_int_equal(tun_read_ask(&r, &e), 0);
	assert_int_equal(tun_read_answered(&r, &answered, &e), 0);
	assert_true(answered);
	assert_did("send; ");
	tun_read_close(&r);
}

static void a_device_that_is_gone_or_makes_no_sense_is_an_error(void **state)
{
	static const char *const texts[] = {"", HEAD, HEAD "  tun00: 1 2 3 4 5 6 7 8 9 10\n",
		HEAD "  tun0: 1 2 3 4 5 6 7 8 9\n", HEAD "  tun0:\n"};
	struct tun_read r = TUN_READ_INIT;
	struct err e;
	bool answered;
	(void)state;
	assert_int_equal(tun_read_open(-1, &r, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		say(texts[i]);
		assert_int_equal(tun_read_ask(&r, &e), -1);
		assert_int_equal(tun_read_answered(&r, &answered, &e), -1);
		assert_int_equal(e.code, ENODEV);
	}
	assert_did("");
	tun_read_close(&r);
}

static void what_cannot_be_opened_leaves_nothing_open(void **state)
{
	struct tun_read r = TUN_READ_INIT;
	struct err e;
	int kept = counts, before = lowest_free_fd();
	(void)state;
	counts = -1;
	assert_int_equal(tun_read_open(-1, &r, &e), -1);
	counts = kept;
	assert_int_equal(lowest_free_fd(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_counted_as_read_is_an_answer),
		cmocka_unit_test(what_others_send_is_told_from_what_was_put_in),
		cmocka_unit_test(what_could_not_be_asked_is_not_silent),
		cmocka_unit_test(a_device_that_is_gone_or_makes_no_sense_is_an_error),
		cmocka_unit_test(what_cannot_be_opened_leaves_nothing_open),
	};
	counts = memfd_create("counts", MFD_CLOEXEC);
	if (counts < 0)
		return EXIT_FAILURE;
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	close(counts);
	return r;
}
