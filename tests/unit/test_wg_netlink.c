// SPDX-License-Identifier: Apache-2.0
// The kernel's WireGuard, byte by byte: what it is told and asked, and what it answers.
// uses: agent/net/genl.c agent/net/netns.c agent/net/nl.c agent/tunnel/wg_netlink.c agent/tunnel/wireguard.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/net/genl.h"
#include "agent/net/netns.h"
#include "agent/tunnel/wg_netlink.h"
#include "lib/err.h"
#include "lib/mem.h"

#define GOLDEN "tests/unit/golden/wg_netlink/"

static const struct wg_netlink device = {0x1c, "c0123456789ab"};

struct bytes {
	_Alignas(NLMSG_ALIGNTO) uint8_t data[NL_BATCH_BYTES];
	size_t size;
};

// The bytes of a golden file: hex digits, and comments behind a #.
static void golden_read(const char *name, struct bytes *ret)
{
	char path[128], line[1024];
	snprintf(path, sizeof(path), GOLDEN "%s.hex", name);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	ret->size = 0;
	while (fgets(line, sizeof(line), f)) {
		unsigned byte;
		for (const char *at = line; sscanf(at, "%2x", &byte) == 1; at += 2) {
			assert_true(ret->size < sizeof(ret->data));
			ret->data[ret->size++] = (uint8_t)byte;
		}
	}
	fclose(f);
}

static struct wireguard_config config_make(const char *endpoint, size_t allowed_count)
{
	struct wireguard_config c = {.allowed_count = allowed_count};
	struct err e;
	memset(c.private_key, 1, sizeof(c.private_key));
	memset(c.public_key, 2, sizeof(c.public_key));
	assert_int_equal(addr_parse_port(endpoint, &c.endpoint, &e), 0);
	for (size_t i = 0; i < allowed_count; i++)
		assert_int_equal(addr_parse(i % 2 ? "::/0" : "10.0.0.0/8", &c.allowed[i], &e), 0);
	return c;
}

typedef void put_config(struct nl *n, struct nl_batch *b, const struct wg_netlink *to,
	const struct wireguard_config *config);

static void batch_make(put_config *put, const struct wireguard_config *c, struct nl_batch *ret)
{
	struct nl n = {.sequence = 1};
	memset(ret->data, 0, sizeof(ret->data)); // libmnl leaves padding as it is
	nl_batch_init(ret);
	put(&n, ret, &device, c);
}

// The batch's one message is the golden one.
static void assert_golden(const struct nl_batch *b, const char *name)
{
	struct bytes golden;
	golden_read(name, &golden);
	assert_int_equal(b->used, 0); // the first message is the last one
	assert_int_equal(b->last->nlmsg_len, golden.size);
	assert_memory_equal(b->data, golden.data, golden.size);
}

static void a_device_is_told_its_key_and_its_peer(void **state)
{
	struct nl_batch b;
	struct err e;
	(void)state;
	struct wireguard_config c = config_make("198.51.100.1:51820", 1);
	assert_int_equal(addr_parse("0.0.0.0/0", &c.allowed[0], &e), 0);
	batch_make(wg_netlink_put_set, &c, &b);
	assert_golden(&b, "set4");

	c = config_make("[2001:db8::7]:443", 2);
	memset(c.preshared_key, 3, sizeof(c.preshared_key));
	batch_make(wg_netlink_put_set, &c, &b);
	assert_golden(&b, "set6");
}

static void a_peer_is_replaced_without_sending_our_key_again(void **state)
{
	struct nl_batch b;
	(void)state;
	struct wireguard_config c = config_make("[2001:db8::7]:443", 2);
	memset(c.preshared_key, 3, sizeof(c.preshared_key));
	batch_make(wg_netlink_put_again, &c, &b);
	assert_golden(&b, "again");
	assert_null(memmem(b.data, sizeof(b.data), c.private_key, sizeof(c.private_key)));
}

static void a_device_is_asked_by_name(void **state)
{
	static const struct wg_netlink tun0 = {0x1c, "tun0"};
	struct nl n = {.sequence = 1};
	struct nl_batch b;
	(void)state;
	memset(b.data, 0, sizeof(b.data));
	nl_batch_init(&b);
	wg_netlink_put_get(&n, &b, &tun0);
	assert_golden(&b, "get");
}

static int address_count(const struct nlattr *attribute, void *arg)
{
	size_t *count = arg;
	(void)attribute;
	*count += 1;
	return MNL_CB_OK;
}

// How many allowed addresses a message of SET_DEVICE has, and whether it replaces what was there.
static size_t allowed_count(const struct nlmsghdr *m, bool *ret_replaces)
{
	const struct nlattr *a[WGDEVICE_A_MAX + 1] = {0}, *peer[WGPEER_A_MAX + 1] = {0};
	size_t count = 0;
	nl_attributes(m, genl_header_size(), a, WGDEVICE_A_MAX);
	nl_attributes_nested(mnl_attr_get_payload(a[WGDEVICE_A_PEERS]), peer, WGPEER_A_MAX);
	*ret_replaces = a[WGDEVICE_A_FLAGS];
	assert_true(*ret_replaces == !!a[WGDEVICE_A_PRIVATE_KEY]);
	assert_true(*ret_replaces == !!peer[WGPEER_A_FLAGS]);
	assert_true(*ret_replaces == !!peer[WGPEER_A_ENDPOINT]);
	assert_non_null(peer[WGPEER_A_PUBLIC_KEY]);
	mnl_attr_parse_nested(peer[WGPEER_A_ALLOWEDIPS], address_count, &count);
	return count;
}

static void as_many_allowed_addresses_as_sql_takes_are_two_messages(void **state)
{
	struct nl_batch b;
	struct err e;
	bool replaces;
	(void)state;
	struct wireguard_config c = config_make("[2001:db8::7]:443", WIREGUARD_ALLOWED_MAX);
	for (size_t i = 0; i < c.allowed_count; i++) // the longest
		assert_int_equal(addr_parse("2001:db8::/32", &c.allowed[i], &e), 0);
	memset(c.preshared_key, 3, sizeof(c.preshared_key));
	batch_make(wg_netlink_put_set, &c, &b);
	assert_int_equal(b.acks, 2);
	const struct nlmsghdr *first = (const struct nlmsghdr *)(const void *)b.data;
	assert_true(first->nlmsg_len <= NL_MESSAGE_BYTES);
	size_t in_first = allowed_count(first, &replaces);
	assert_true(replaces);
	assert_int_equal(in_first + allowed_count(b.last, &replaces), WIREGUARD_ALLOWED_MAX);
	assert_false(replaces);
}

// Takes all messages; -1: one of them is refused.
static int answer_read(struct bytes *answer, struct wireguard_status *ret, struct err *e)
{
	struct wg_netlink_reading r = {0};
	int left = (int)answer->size;
	struct nlmsghdr *m = (struct nlmsghdr *)(void *)answer->data;
	for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
		if (wg_netlink_take(m, &r, e) < 0)
			return -1;
	return wg_netlink_finish(&r, ret, e);
}

static void a_peer_that_goes_on_in_the_next_message_is_one(void **state)
{
	struct bytes answer;
	struct wireguard_status status;
	struct err e;
	uint8_t key[KEY32_SIZE];
	(void)state;
	memset(key, 2, sizeof(key));
	golden_read("answer", &answer);
	assert_int_equal(answer_read(&answer, &status, &e), 0);
	assert_int_equal(status.handshake_ns, 1700000000123456789);
	assert_int_equal(status.rx_bytes, 148);
	assert_int_equal(status.tx_bytes, (1ull << 40) + 7);
	assert_memory_equal(status.public_key, key, sizeof(key));
	memset(key, 1, sizeof(key));
	assert_null(memmem(&status, sizeof(status), key, sizeof(key)));
}

// The first place of these bytes.
static uint8_t *find(struct bytes *in, const char *bytes, size_t size)
{
	uint8_t *at = memmem(in->data, in->size, bytes, size);
	assert_non_null(at);
	return at;
}

static void an_answer_that_is_not_the_protocols_is_refused(void **state)
{
	static const struct {
		const char *old;
		const char *new;
		size_t size;
	} changes[] = {
		// The second mention of the peer has another key, so there are two.
		{"\x24\0\1\0\2\2\2\2", "\x24\0\1\0\2\2\2\1", 8},
		{"\x24\0\1\0\2", "\x24\0\x0b\0\2", 5}, // no key
		{"\x14\0\6\0", "\x10\0\6\0", 4}, // half a time
		{"\x15\xcd\x5b\7\0\0\0\0", "\0\xca\x9a\x3b\0\0\0\0", 8}, // a second of nanoseconds
		{"\0\xf1\x53\x65\0\0\0\0", "\0\xf1\x53\x65\0\0\0\x80", 8}, // before 1970
		{"\x0c\0\7\0", "\x0b\0\7\0", 4}, // seven bytes of a number
	};
	struct wireguard_status status;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct bytes answer;
		struct err e;
		golden_read("answer", &answer);
		memcpy(find(&answer, changes[i].old, changes[i].size), changes[i].new,
			changes[i].size);
		assert_int_equal(answer_read(&answer, &status, &e), -1);
		assert_int_equal(e.code, EBADMSG);
	}
}

static void a_device_without_a_peer_has_none(void **state)
{
	struct wg_netlink_reading r = {0};
	struct wireguard_status status;
	struct err e;
	(void)state;
	assert_int_equal(wg_netlink_finish(&r, &status, &e), 0);
	assert_int_equal(status.handshake_ns, 0);
	assert_int_equal(status.public_key[0], 0);
}

// The kernel of this test: these bytes, in one datagram, or the kernel's own answer when there are
// none.
static struct bytes said;

static int family_of(const char *file, uint16_t *ret, struct err *e)
{
	struct nl n = {.sequence = 1};
	int pair[2];
	golden_read(file, &said);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	n.fd = pair[0];
	// Behind the answer is the acknowledgement.
	struct nlmsghdr *end = (struct nlmsghdr *)(void *)(said.data + said.size);
	*end = (struct nlmsghdr){.nlmsg_len = NLMSG_LENGTH(sizeof(struct nlmsgerr)),
		.nlmsg_type = NLMSG_ERROR,
		.nlmsg_seq = 1};
	memset(mnl_nlmsg_get_payload(end), 0, sizeof(struct nlmsgerr));
	said.size += end->nlmsg_len;
	assert_int_equal(send(pair[1], said.data, said.size, 0), said.size);
	int r = genl_family(&n, WG_GENL_NAME, ret, e);
	closep(&pair[0]);
	closep(&pair[1]);
	return r;
}

// The kernel of that test takes every request.
ssize_t sendto(
	int fd, const void *data, size_t len, int flags, __CONST_SOCKADDR_ARG to, socklen_t to_len)
{
	(void)to;
	(void)to_len;
	if (said.size > 0)
		return (ssize_t)len;
	return send(fd, data, len, flags);
}

static void a_family_has_a_number(void **state)
{
	uint16_t id = 0;
	struct err e;
	(void)state;
	assert_int_equal(family_of("family", &id, &e), 0);
	assert_int_equal(id, 0x1c);
	assert_int_equal(family_of("get", &id, &e), -1); // no number in it
	said.size = 0;
}

static void this_kernel_is_asked_for_a_family_that_no_kernel_has(void **state)
{
	struct nl n;
	struct err e;
	uint16_t id = 7;
	(void)state;
	said.size = 0;
	int ns_fd = netns_self(&e);
	assert_true(ns_fd >= 0);
	assert_int_equal(nl_open(&n, ns_fd, NETLINK_GENERIC, &e), 0);
	assert_int_equal(genl_family(&n, "no such family", &id, &e), GENL_ABSENT);
	assert_int_equal(id, 7);
	assert_int_equal(genl_family(&n, "nlctrl", &id, &e), 0); // the families' own
	assert_int_equal(id, 16);
	nl_close(&n);
	closep(&ns_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_told_its_key_and_its_peer),
		cmocka_unit_test(a_peer_is_replaced_without_sending_our_key_again),
		cmocka_unit_test(a_device_is_asked_by_name),
		cmocka_unit_test(as_many_allowed_addresses_as_sql_takes_are_two_messages),
		cmocka_unit_test(a_peer_that_goes_on_in_the_next_message_is_one),
		cmocka_unit_test(an_answer_that_is_not_the_protocols_is_refused),
		cmocka_unit_test(a_device_without_a_peer_has_none),
		cmocka_unit_test(a_family_has_a_number),
		cmocka_unit_test(this_kernel_is_asked_for_a_family_that_no_kernel_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
