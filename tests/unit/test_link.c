// SPDX-License-Identifier: Apache-2.0
// The inventory of a namespace: what belongs there, and that each other thing is named.
// uses: agent/net/link.c agent/net/nl.c agent/evidence.c
#include "agent/net/link.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "agent/evidence.h"
#include "agent/net/netns.h"
#include "agent/net/nl.h"
#include "lib/err.h"
#include "lib/mem.h"

// The namespace as the kernel would show it. A case changes it before the inventory is taken.
static struct {
	struct {
		int index, type;
		unsigned flags;
		uint32_t mtu;
		const char *kind, *name; // NULL: the device is not there
	} links[3];
	struct {
		int index; // 0: the address is not there
		uint8_t scope;
		struct addr addr;
	} addresses[4];
	struct {
		uint32_t oif; // 0: the route is not there
		uint32_t table;
		unsigned flags;
		bool gateway, multipath;
		struct addr to;
	} routes[4];
	struct {
		uint8_t family; // 0: the rule is not there
		uint32_t priority;
		uint8_t table, action;
	} rules[5];
	unsigned interrupted; // so many dumps are inconsistent
} ns;

static const struct link_spec spec = {
	.tunnel = LINK_TUNNEL, .address = ADDR_V4(198, 18, 130, 9), .mtu = 1420};

static int start(void **state)
{
	(void)state;
	memset(&ns, 0, sizeof(ns));
	ns.links[0].index = 1;
	ns.links[0].type = ARPHRD_LOOPBACK;
	ns.links[0].name = "lo";
	ns.links[1].index = 2;
	ns.links[1].type = ARPHRD_NONE;
	ns.links[1].flags = IFF_UP;
	ns.links[1].mtu = 1420;
	ns.links[1].kind = "tun";
	ns.links[1].name = LINK_TUNNEL;
	ns.addresses[0].index = 1;
	ns.addresses[0].addr = (struct addr)ADDR_V4(127, 0, 0, 1);
	ns.addresses[0].addr.prefix = 8;
	ns.addresses[1].index = 2;
	ns.addresses[1].addr = spec.address;
	ns.routes[0].oif = 2;
	ns.routes[0].table = RT_TABLE_MAIN;
	ns.routes[0].to = (struct addr){.family = AF_INET};
	ns.routes[1].oif = 1;
	ns.routes[1].table = RT_TABLE_LOCAL;
	ns.routes[1].to = (struct addr)ADDR_V4(127, 0, 0, 1);
	static const struct {
		uint32_t priority;
		uint8_t table;
	} born[] = {{0, RT_TABLE_LOCAL}, {32766, RT_TABLE_MAIN}, {32767, RT_TABLE_DEFAULT}};
	for (size_t i = 0; i < ARRAY_SIZE(born); i++) {
		ns.rules[i].family = AF_INET;
		ns.rules[i].priority = born[i].priority;
		ns.rules[i].table = born[i].table;
		ns.rules[i].action = FR_ACT_TO_TBL;
	}
	return 0;
}

// The kernel: one datagram for each dump.

static uint16_t asked;
static uint32_t sequence;
static char *reply; // where the datagram is built
static size_t reply_len;

static struct nlmsghdr *message(uint16_t type)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(reply + reply_len);
	m->nlmsg_type = type;
	m->nlmsg_seq = sequence;
	m->nlmsg_flags = ns.interrupted ? NLM_F_DUMP_INTR : 0;
	return m;
}

static void finish(const struct nlmsghdr *m)
{
	reply_len += MNL_ALIGN(m->nlmsg_len);
}

static void links_tell(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ns.links); i++) {
		if (!ns.links[i].name)
			continue;
		struct nlmsghdr *m = message(RTM_NEWLINK);
		struct ifinfomsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));
		info->ifi_index = ns.links[i].index;
		info->ifi_type = (unsigned short)ns.links[i].type;
		info->ifi_flags = ns.links[i].flags;
		mnl_attr_put_strz(m, IFLA_IFNAME, ns.links[i].name);
		mnl_attr_put_u32(m, IFLA_MTU, ns.links[i].mtu);
		if (ns.links[i].kind) {
			struct nlattr *nest = mnl_attr_nest_start(m, IFLA_LINKINFO);
			mnl_attr_put_strz(m, IFLA_INFO_KIND, ns.links[i].kind);
			mnl_attr_nest_end(m, nest);
		}
		finish(m);
	}
}

static void addresses_tell(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ns.addresses); i++) {
		const struct addr *a = &ns.addresses[i].addr;
		if (ns.addresses[i].index == 0)
			continue;
		struct nlmsghdr *m = message(RTM_NEWADDR);
		struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));
		info->ifa_family = (uint8_t)a->family;
		info->ifa_prefixlen = a->prefix;
		info->ifa_scope = ns.addresses[i].scope;
		info->ifa_index = (uint32_t)ns.addresses[i].index;
		mnl_attr_put(
			m, a->family == AF_INET ? IFA_LOCAL : IFA_ADDRESS, addr_size(a), a->bytes);
		finish(m);
	}
}

static void routes_tell(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ns.routes); i++) {
		const struct addr *to = &ns.routes[i].to;
		if (ns.routes[i].oif == 0)
			continue;
		struct nlmsghdr *m = message(RTM_NEWROUTE);
		struct rtmsg *route = mnl_nlmsg_put_extra_header(m, sizeof(*route));
		route->rtm_family = (uint8_t)to->family;
		route->rtm_dst_len = to->prefix;
		route->rtm_table = (uint8_t)ns.routes[i].table;
		route->rtm_flags = ns.routes[i].flags;
		mnl_attr_put_u32(m, RTA_TABLE, ns.routes[i].table);
		mnl_attr_put_u32(m, RTA_OIF, ns.routes[i].oif);
		if (to->prefix > 0)
			mnl_attr_put(m, RTA_DST, addr_size(to), to->bytes);
		if (ns.routes[i].gateway)
			mnl_attr_put(m, RTA_GATEWAY, addr_size(to), to->bytes);
		if (ns.routes[i].multipath)
			mnl_attr_put(m, RTA_MULTIPATH, 0, "");
		finish(m);
	}
}

static void rules_tell(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ns.rules); i++) {
		if (ns.rules[i].family == 0)
			continue;
		struct nlmsghdr *m = message(RTM_NEWRULE);
		struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(m, sizeof(*rule));
		rule->family = ns.rules[i].family;
		rule->table = ns.rules[i].table;
		rule->action = ns.rules[i].action;
		if (ns.rules[i].priority > 0)
			mnl_attr_put_u32(m, FRA_PRIORITY, ns.rules[i].priority);
		finish(m);
	}
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
	socklen_t to_len)
{
	const struct nlmsghdr *m = data;
	(void)fd;
	(void)flags;
	(void)to;
	(void)to_len;
	asked = m->nlmsg_type;
	sequence = m->nlmsg_seq;
	return (ssize_t)size;
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
	(void)fd;
	(void)size;
	(void)flags;
	reply = buffer;
	reply_len = 0;
	switch (asked) {
	case RTM_GETLINK:
		links_tell();
		break;
	case RTM_GETADDR:
		addresses_tell();
		break;
	case RTM_GETROUTE:
		routes_tell();
		break;
	default:
		rules_tell();
	}
	struct nlmsghdr *done = message(NLMSG_DONE);
	mnl_nlmsg_put_extra_header(done, sizeof(int32_t));
	finish(done);
	if (ns.interrupted > 0)
		ns.interrupted--;
	return (ssize_t)reply_len;
}

int netns_socket(int ns_fd, int family, int type, int protocol, struct err *e)
{
	(void)ns_fd;
	(void)family;
	(void)type;
	(void)protocol;
	(void)e;
	return eventfd(0, EFD_CLOEXEC); // any descriptor
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)fd;
	(void)level;
	(void)name;
	(void)value;
	(void)len;
	return 0;
}

int bind(int fd, const struct sockaddr *to, socklen_t len)
{
	(void)fd;
	(void)to;
	(void)len;
	return 0;
}

// The inventory's sentence; the caller compares. "" when it passed.
static const char *inventory(const struct link_spec *expected)
{
	static char sentence[256];
	struct evidence ev;
	struct err e;
	evidence_init(&ev);
	assert_int_equal(link_check(0, expected, &ev, &e), 0);
	assert_int_equal(cJSON_GetArraySize(ev.checks), 1);
	assert_string_equal(ev.code, ev.outcome == OUTCOME_PASSED ? "" : "inventory");
	snprintf(sentence, sizeof(sentence), "%s", ev.sentence);
	evidence_done(&ev);
	return sentence;
}

static void a_namespace_with_one_tunnel_passes(void **state)
{
	(void)state;
	assert_string_equal(inventory(&spec), "");
	ns.links[1].kind = "wireguard";
	assert_string_equal(inventory(&spec), "");
	ns.routes[2].oif = 9; // the cache of a route is not a route
	ns.routes[2].flags = RTM_F_CLONED;
	ns.routes[2].to.family = AF_INET;
	assert_string_equal(inventory(&spec), "");
	ns.rules[3].family = AF_UNSPEC + 100; // of a protocol that has no addresses here
	ns.rules[3].priority = 5;
	assert_string_equal(inventory(&spec), "");
}

// clang-format off
#define CASE(name, ...) \
	static void name(void) \
	{ \
		__VA_ARGS__; \
	}
CASE(no_tunnel, ns.links[1].name = NULL)
CASE(another_kind, ns.links[1].kind = "veth")
CASE(no_kind, ns.links[1].kind = NULL)
CASE(down, ns.links[1].flags = 0)
CASE(another_mtu, ns.links[1].mtu = 1400)
CASE(another_device, ns.links[2].name = "eth0"; ns.links[2].index = 3)
CASE(no_address, ns.addresses[1].index = 0)
CASE(another_address, ns.addresses[1].addr.bytes[3] = 8)
CASE(another_prefix, ns.addresses[1].addr.prefix = 24)
CASE(our_address_on_lo, ns.addresses[1].index = 1)
CASE(a_second_address, ns.addresses[2].index = 2;
	ns.addresses[2].addr = (struct addr)ADDR_V4(10, 0, 0, 1))
CASE(an_address_on_lo, ns.addresses[2].index = 1;
	ns.addresses[2].addr = (struct addr)ADDR_V4(10, 0, 0, 1))
CASE(a_link_local_address, ns.addresses[2].index = 2; ns.addresses[2].scope = RT_SCOPE_LINK;
	ns.addresses[2].addr = (struct addr){.family = AF_INET6, .bytes = {0xfe, 0x80}, .prefix = 64})
CASE(no_default_route, ns.routes[0].oif = 0)
CASE(a_default_route_elsewhere, ns.routes[0].oif = 1)
CASE(a_gateway, ns.routes[0].gateway = true)
CASE(many_paths, ns.routes[0].multipath = true)
CASE(another_route, ns.routes[2].oif = 2;
	ns.routes[2].to = (struct addr)ADDR_V4(10, 0, 0, 1))
CASE(a_route_in_another_table, ns.routes[2].oif = 2; ns.routes[2].table = 1000;
	ns.routes[2].to = (struct addr)ADDR_V4(10, 0, 0, 1))
CASE(a_rule, ns.rules[3].family = AF_INET; ns.rules[3].priority = 5;
	ns.rules[3].table = RT_TABLE_MAIN; ns.rules[3].action = FR_ACT_TO_TBL)
CASE(a_rule_for_another_table, ns.rules[1].table = 7)
CASE(a_rule_with_another_action, ns.rules[1].action = FR_ACT_BLACKHOLE)
CASE(a_rule_of_ipv6, ns.rules[3].family = AF_INET6; ns.rules[3].priority = 5)
CASE(the_first_rule_for_another_table, ns.rules[0].table = RT_TABLE_MAIN)
CASE(the_last_rule_for_another_table, ns.rules[2].table = RT_TABLE_MAIN)
// clang-format on

static void each_other_thing_is_named(void **state)
{
	static const struct {
		void (*change)(void);
		const char *sentence;
	} cases[] = {
		{no_tunnel, "there is an address 198.18.130.9/32"},
		{another_kind, "the tunnel is of kind \"veth\""},
		{no_kind, "the tunnel is of kind \"\""},
		{down, "the tunnel's device is down"},
		{another_mtu, "the tunnel's MTU is 1400, expected 1420"},
		{another_device, "there is a device eth0"},
		{no_address, "the tunnel does not have its address 198.18.130.9/32"},
		{another_address, "there is an address 198.18.130.8/32"},
		{another_prefix, "there is an address 198.18.130.9/24"},
		{our_address_on_lo, "there is an address 198.18.130.9/32"},
		{a_second_address, "there is an address 10.0.0.1/32"},
		{an_address_on_lo, "there is an address 10.0.0.1/32"},
		{a_link_local_address, "there is an address fe80::/64"},
		{no_default_route, "there is no default route through the tunnel for IPv4"},
		{a_default_route_elsewhere, "the route to 0.0.0.0/0 does not use the tunnel"},
		{a_gateway, "the route to 0.0.0.0/0 does not use the tunnel"},
		{many_paths, "the route to 0.0.0.0/0 does not use the tunnel"},
		{another_route, "there is a route to 10.0.0.1/32"},
		{a_route_in_another_table, "there is a route to 10.0.0.1/32"},
		{a_rule, "there is a routing rule of priority 5"},
		{a_rule_for_another_table, "there is a routing rule of priority 32766"},
		{a_rule_with_another_action, "there is a routing rule of priority 32766"},
		{a_rule_of_ipv6, "there is a routing rule of priority 5"},
		{the_first_rule_for_another_table, "there is a routing rule of priority 0"},
		{the_last_rule_for_another_table, "there is a routing rule of priority 32767"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start(state);
		cases[i].change();
		assert_string_equal(inventory(&spec), cases[i].sentence);
	}
}

static void an_empty_namespace_has_no_tunnel(void **state)
{
	(void)state;
	memset(&ns, 0, sizeof(ns));
	assert_string_equal(inventory(&spec), "there is no tunnel");
}

// An address with a network gets its connected route from the kernel, and no other.
static void the_connected_route_of_the_address_belongs_there(void **state)
{
	struct link_spec wide = spec;
	(void)state;
	wide.address.prefix = 23;
	ns.addresses[1].addr.prefix = 23;
	ns.routes[2].oif = 2;
	ns.routes[2].table = RT_TABLE_MAIN;
	ns.routes[2].to = (struct addr)ADDR_V4(198, 18, 130, 0);
	ns.routes[2].to.prefix = 23;
	assert_string_equal(inventory(&wide), "");
	ns.routes[2].to.bytes[2] = 132;
	assert_string_equal(inventory(&wide), "there is a route to 198.18.132.0/23");
	ns.routes[2].to.bytes[2] = 130;
	ns.routes[2].to.prefix = 24;
	assert_string_equal(inventory(&wide), "there is a route to 198.18.130.0/24");
}

static void an_exit_with_ipv6_has_its_address_and_route_and_no_other(void **state)
{
	struct link_spec six = spec;
	(void)state;
	six.address6 = (struct addr){.family = AF_INET6, .bytes = {0xfd, [15] = 9}, .prefix = 128};
	assert_string_equal(inventory(&six), "the tunnel does not have its address fd00::9/128");
	ns.addresses[2].index = 2;
	ns.addresses[2].addr = six.address6;
	assert_string_equal(
		inventory(&six), "there is no default route through the tunnel for IPv6");
	ns.routes[2].oif = 2;
	ns.routes[2].table = RT_TABLE_MAIN;
	ns.routes[2].to = (struct addr){.family = AF_INET6};
	ns.addresses[3].index = 1;
	ns.addresses[3].addr =
		(struct addr){.family = AF_INET6, .bytes = {[15] = 1}, .prefix = 128};
	ns.routes[3].oif = 1;
	ns.routes[3].table = RT_TABLE_MAIN;
	ns.routes[3].to = ns.addresses[3].addr;
	assert_string_equal(inventory(&six), "");
	assert_string_equal(inventory(&spec), "there is an address fd00::9/128");
	ns.addresses[3].addr.bytes[15] = 2;
	assert_string_equal(inventory(&six), "there is an address ::2/128");
	ns.addresses[3].index = 2;
	ns.addresses[3].scope = RT_SCOPE_LINK;
	ns.addresses[3].addr =
		(struct addr){.family = AF_INET6, .bytes = {0xfe, 0x80, [15] = 7}, .prefix = 64};
	assert_string_equal(inventory(&six), "there is an address fe80::7/64");
	ns.addresses[3].index = 0;
	ns.routes[3].oif = 2;
	ns.routes[3].to = (struct addr){.family = AF_INET6, .bytes = {0xfe, 0x80}, .prefix = 64};
	assert_string_equal(inventory(&six), "there is a route to fe80::/64");
	ns.routes[3].to =
		(struct addr){.family = AF_INET6, .bytes = {0xfd, [15] = 9}, .prefix = 128};
	assert_string_equal(inventory(&six), ""); // the connected one
	ns.routes[0].oif = 0;
	assert_string_equal(
		inventory(&six), "there is no default route through the tunnel for IPv4");
}

static void a_namespace_that_changes_meanwhile_is_read_again(void **state)
{
	struct evidence ev;
	struct err e;
	(void)state;
	ns.interrupted = 2;
	assert_string_equal(inventory(&spec), "");
	ns.interrupted = 3;
	evidence_init(&ev);
	assert_int_equal(link_check(0, &spec, &ev, &e), -1);
	assert_int_equal(e.code, EAGAIN);
	evidence_done(&ev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_namespace_with_one_tunnel_passes, start),
		cmocka_unit_test(each_other_thing_is_named),
		cmocka_unit_test_setup(an_empty_namespace_has_no_tunnel, start),
		cmocka_unit_test_setup(the_connected_route_of_the_address_belongs_there, start),
		cmocka_unit_test_setup(
			an_exit_with_ipv6_has_its_address_and_route_and_no_other, start),
		cmocka_unit_test_setup(a_namespace_that_changes_meanwhile_is_read_again, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
