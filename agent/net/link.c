// SPDX-License-Identifier: Apache-2.0
// Devices, addresses and routes over rtnetlink: move the tunnel in, set it up, prove that nothing
// else is there.
#include "agent/net/link.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/net/nl.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

static uint32_t attribute_u32(const struct nlattr *a)
{
	return a && mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ? mnl_attr_get_u32(a) : 0;
}

static struct ifinfomsg *put_link(
	struct nl *n, struct nl_batch *b, uint16_t flags, unsigned index, struct nlmsghdr **ret)
{
	*ret = nl_put(n, b, RTM_NEWLINK, flags | NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(*ret, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)index;
	return info;
}

// The index of a device by name. ENODEV when there is none.
static int index_take(const struct nlmsghdr *m, void *arg, struct err *e)
{
	unsigned *ret = arg;
	if (m->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(m) < sizeof(struct ifinfomsg))
		return err_set(e, EBADMSG, "read a device");
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	*ret = (unsigned)info->ifi_index;
	return 0;
}

static int link_ask(struct nl *n, const char *name, nl_each *each, unsigned *ret, struct err *e)
{
	struct nl_batch b;
	nl_batch_init(&b);
	// Not a dump: one answer, then the acknowledgement that ends it.
	struct nlmsghdr *m = nl_put(n, &b, RTM_GETLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	return nl_dump(n, &b, each, ret, "find the tunnel's device", e);
}

static int link_index(struct nl *n, const char *name, unsigned *ret, struct err *e)
{
	return link_ask(n, name, index_take, ret, e);
}

static int create(struct nl *n, const char *name, const char *kind, struct err *e)
{
	struct nl_batch b;
	struct nlmsghdr *m;
	nl_batch_init(&b);
	put_link(n, &b, NLM_F_CREATE | NLM_F_EXCL, 0, &m);
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	struct nlattr *info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(m, info);
	return nl_send(n, &b, "make the tunnel's device", e);
}

int link_create(int ns_fd, const char *name, const char *kind, struct err *e)
{
	struct nl n;
	if (nl_open(&n, ns_fd, NETLINK_ROUTE, e) < 0)
		return -1;
	int r = create(&n, name, kind, e);
	nl_close(&n);
	return r;
}

static int delete (struct nl *n, const char *name, struct err *e)
{
	unsigned index;
	struct nl_batch b;
	if (link_index(n, name, &index, e) < 0)
		return e->code == ENODEV ? 0 : -1;
	nl_batch_init(&b);
	struct nlmsghdr *m = nl_put(n, &b, RTM_DELLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)index;
	return nl_send(n, &b, "remove the tunnel's device", e) == 0 || e->code == ENODEV ? 0 : -1;
}

int link_delete(int ns_fd, const char *name, struct err *e)
{
	struct nl n;
	if (nl_open(&n, ns_fd, NETLINK_ROUTE, e) < 0)
		return -1;
	int r = delete (&n, name, e);
	nl_close(&n);
	return r;
}

static int up_in_place(struct nl *n, const char *name, int mtu, unsigned *ret, struct err *e)
{
	if (link_index(n, name, ret, e) < 0)
		return -1;
	struct nl_batch b;
	struct nlmsghdr *m;
	nl_batch_init(&b);
	struct ifinfomsg *info = put_link(n, &b, 0, *ret, &m);
	info->ifi_flags = IFF_UP;
	info->ifi_change = IFF_UP;
	mnl_attr_put_u32(m, IFLA_MTU, (uint32_t)mtu);
	return nl_send(n, &b, "wake the tunnel's device", e);
}

int link_wake(int ns_fd, const char *name, int mtu, struct err *e)
{
	struct nl n;
	if (nl_open(&n, ns_fd, NETLINK_ROUTE, e) < 0)
		return -1;
	unsigned index;
	int r = up_in_place(&n, name, mtu, &index, e);
	nl_close(&n);
	return r;
}

static int flags_take(const struct nlmsghdr *m, void *arg, struct err *e)
{
	unsigned *ret = arg;
	if (m->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(m) < sizeof(struct ifinfomsg))
		return err_set(e, EBADMSG, "read a device");
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	*ret = info->ifi_flags;
	return 0;
}

int link_is_up(int ns_fd, const char *name, bool *ret, struct err *e)
{
	struct nl n;
	if (nl_open(&n, ns_fd, NETLINK_ROUTE, e) < 0)
		return -1;
	unsigned flags = 0;
	int r = link_ask(&n, name, flags_take, &flags, e);
	nl_close(&n);
	if (r < 0 && e->code != ENODEV)
		return -1;
	*ret = r == 0 && (flags & IFF_UP);
	return 0;
}

static int mtu_take(const struct nlmsghdr *m, void *arg, struct err *e)
{
	const struct nlattr *a[IFLA_MAX + 1] = {0};
	unsigned *ret = arg;
	if (m->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(m) < sizeof(struct ifinfomsg))
		return err_set(e, EBADMSG, "read a device");
	nl_attributes(m, sizeof(struct ifinfomsg), a, IFLA_MAX);
	*ret = attribute_u32(a[IFLA_MTU]);
	return 0;
}

int link_mtu(int ns_fd, const char *name, int *ret, struct err *e)
{
	struct nl n;
	if (nl_open(&n, ns_fd, NETLINK_ROUTE, e) < 0)
		return -1;
	unsigned mtu = 0;
	int r = link_ask(&n, name, mtu_take, &mtu, e);
	nl_close(&n);
	if (r < 0)
		return -1;
	*ret = (int)mtu;
	return 0;
}

static int move(struct nl *n, const char *name, int to_fd, const char *new_name, struct err *e)
{
	unsigned index;
	if (link_index(n, name, &index, e) < 0)
		return -1;
	struct nl_batch b;
	struct nlmsghdr *m;
	nl_batch_init(&b);
	put_link(n, &b, 0, index, &m);
	mnl_attr_put_u32(m, IFLA_NET_NS_FD, (uint32_t)to_fd);
	mnl_attr_put_strz(m, IFLA_IFNAME, new_name);
	return nl_send(n, &b, "move the tunnel's device into the container", e);
}

int link_move(int from_fd, const char *name, int to_fd, const char *new_name, struct err *e)
{
	struct nl n;
	if (nl_open(&n, from_fd, NETLINK_ROUTE, e) < 0)
		return -1;
	int r = move(&n, name, to_fd, new_name, e);
	nl_close(&n);
	return r;
}

static void put_address(struct nl *n, struct nl_batch *b, unsigned index, const struct addr *a)
{
	struct nlmsghdr *m = nl_put(n, b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK);
	struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(m, sizeof(*address));
	address->ifa_family = (uint8_t)a->family;
	address->ifa_prefixlen = a->prefix;
	address->ifa_index = index;
	if (a->family == AF_INET6)
		address->ifa_flags =
			IFA_F_NODAD; // no neighbour could answer, and it would take 1 s
	mnl_attr_put(m, IFA_LOCAL, addr_size(a), a->bytes);
	mnl_attr_put(m, IFA_ADDRESS, addr_size(a), a->bytes);
}

static void put_default_route(struct nl *n, struct nl_batch *b, unsigned index, int family)
{
	struct nlmsghdr *m = nl_put(n, b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(m, sizeof(*route));
	route->rtm_family = (uint8_t)family;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(m, RTA_OIF, index);
}

enum { SPEC_ADDRESSES = 2 };

static const struct addr *spec_address(const struct link_spec *spec, size_t i)
{
	return i == 0 ? &spec->address : &spec->address6;
}

static int configure(struct nl *n, const struct link_spec *spec, struct err *e)
{
	unsigned index;
	if (link_index(n, spec->tunnel, &index, e) < 0)
		return -1;
	struct nl_batch b;
	struct nlmsghdr *m;
	nl_batch_init(&b);
	struct ifinfomsg *info = put_link(n, &b, 0, index, &m);
	info->ifi_flags = IFF_UP;
	info->ifi_change = IFF_UP;
	mnl_attr_put_u32(m, IFLA_MTU, (uint32_t)spec->mtu);
	for (size_t i = 0; i < SPEC_ADDRESSES; i++) {
		const struct addr *own = spec_address(spec, i);
		if (own->family == 0)
			continue;
		put_address(n, &b, index, own);
		put_default_route(n, &b, index, own->family);
	}
	return nl_send(n, &b, "set up the tunnel's device, addresses and routes", e);
}

int link_configure(int ns_fd, const struct link_spec *spec, struct err *e)
{
	struct nl n;
	if (nl_open(&n, ns_fd, NETLINK_ROUTE, e) < 0)
		return -1;
	int r = configure(&n, spec, e);
	nl_close(&n);
	return r;
}

// The inventory. The first thing that does not belong there is kept as a sentence.

struct inventory {
	const struct link_spec *spec;
	unsigned tunnel_index; // 0 until seen
	unsigned lo_index;
	bool addressed[SPEC_ADDRESSES], routed[SPEC_ADDRESSES];
	char wrong[160]; // "" while all is well
};

_printf_(2, 3) static int wrong(struct inventory *v, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (v->wrong[0] == '\0')
		vsnprintf(v->wrong, sizeof(v->wrong), format, args);
	va_end(args);
	return 0; // go on reading: the dump must end
}

static const char *attribute_text(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(a) : "";
}

static const char *link_kind(const struct nlattr *info)
{
	const struct nlattr *a[IFLA_INFO_KIND + 1] = {0};
	if (info)
		nl_attributes_nested(info, a, IFLA_INFO_KIND);
	return attribute_text(a[IFLA_INFO_KIND]);
}

static int tunnel_see(
	struct inventory *v, const struct ifinfomsg *info, const struct nlattr *const *attributes)
{
	const char *kind = link_kind(attributes[IFLA_LINKINFO]);
	uint32_t mtu = attribute_u32(attributes[IFLA_MTU]);
	v->tunnel_index = (unsigned)info->ifi_index;
	if (strcmp(kind, "tun") != 0 && strcmp(kind, "wireguard") != 0)
		return wrong(v, "the tunnel is of kind \"%.16s\"", kind);
	if (!(info->ifi_flags & IFF_UP))
		return wrong(v, "the tunnel's device is down");
	if (mtu != (uint32_t)v->spec->mtu)
		return wrong(v, "the tunnel's MTU is %u, expected %d", mtu, v->spec->mtu);
	return 0;
}

static int link_see(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct inventory *v = arg;
	const struct nlattr *a[IFLA_MAX + 1] = {0};
	if (mnl_nlmsg_get_payload_len(m) < sizeof(struct ifinfomsg))
		return err_set(e, EBADMSG, "read a device");
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	nl_attributes(m, sizeof(*info), a, IFLA_MAX);
	const char *name = attribute_text(a[IFLA_IFNAME]);
	if (strcmp(name, v->spec->tunnel) == 0)
		return tunnel_see(v, info, a);
	if (info->ifi_type != ARPHRD_LOOPBACK)
		return wrong(v, "there is a device %.16s", name);
	v->lo_index = (unsigned)info->ifi_index;
	return 0;
}

static int address_see(const struct nlmsghdr *m, void *arg, struct err *e)
{
	static const uint8_t v6_self[16] = {[15] = 1};
	struct inventory *v = arg;
	const struct nlattr *a[IFA_MAX + 1] = {0};
	if (mnl_nlmsg_get_payload_len(m) < sizeof(struct ifaddrmsg))
		return err_set(e, EBADMSG, "read an address");
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(m);
	nl_attributes(m, sizeof(*info), a, IFA_MAX);
	const struct nlattr *value = a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS];
	struct addr found = {.family = info->ifa_family, .prefix = info->ifa_prefixlen};
	if (!value || mnl_attr_get_payload_len(value) != addr_size(&found))
		return err_set(e, EBADMSG, "read an address");
	memcpy(found.bytes, mnl_attr_get_payload(value), addr_size(&found));

	bool v6 = found.family == AF_INET6;
	if (info->ifa_index == v->lo_index &&
		(v6 ? memcmp(found.bytes, v6_self, 16) == 0 : found.bytes[0] == 127))
		return 0;
	for (size_t i = 0; i < SPEC_ADDRESSES; i++) {
		const struct addr *own = spec_address(v->spec, i);
		if (info->ifa_index != v->tunnel_index || !addr_equal(&found, own) ||
			found.prefix != own->prefix)
			continue;
		v->addressed[i] = true;
		return 0;
	}
	char text[ADDR_TEXT_MAX];
	return wrong(v, "there is an address %s", addr_cidr(&found, text));
}

// Is it the network of our own address, that is what the kernel adds for the address's prefix?
static bool is_connected(const struct addr *ours, const struct rtmsg *route, const uint8_t *to)
{
	if (route->rtm_family != ours->family || route->rtm_dst_len != ours->prefix)
		return false;
	for (unsigned bit = 0; bit < ours->prefix; bit++)
		if ((to[bit / 8] ^ ours->bytes[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

static int route_see(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct inventory *v = arg;
	const struct nlattr *a[RTA_MAX + 1] = {0};
	if (mnl_nlmsg_get_payload_len(m) < sizeof(struct rtmsg))
		return err_set(e, EBADMSG, "read a route");
	const struct rtmsg *route = mnl_nlmsg_get_payload(m);
	nl_attributes(m, sizeof(*route), a, RTA_MAX);
	uint32_t table = a[RTA_TABLE] ? attribute_u32(a[RTA_TABLE]) : route->rtm_table;
	if (table == RT_TABLE_LOCAL || route->rtm_flags & RTM_F_CLONED)
		return 0;
	struct addr to = {.family = route->rtm_family, .prefix = route->rtm_dst_len};
	if (a[RTA_DST] && mnl_attr_get_payload_len(a[RTA_DST]) == addr_size(&to))
		memcpy(to.bytes, mnl_attr_get_payload(a[RTA_DST]), addr_size(&to));

	char text[ADDR_TEXT_MAX];
	if (to.family == AF_INET6 && attribute_u32(a[RTA_OIF]) == v->lo_index)
		return 0; // ::1 and the kernel's "unreachable"
	if (attribute_u32(a[RTA_OIF]) != v->tunnel_index || a[RTA_GATEWAY] || a[RTA_MULTIPATH])
		return wrong(v, "the route to %s does not use the tunnel", addr_cidr(&to, text));
	for (size_t i = 0; i < SPEC_ADDRESSES; i++) {
		const struct addr *own = spec_address(v->spec, i);
		if (to.prefix == 0 && to.family == own->family) {
			v->routed[i] = true;
			return 0;
		}
		if (is_connected(own, route, to.bytes))
			return 0;
	}
	return wrong(v, "there is a route to %s", addr_cidr(&to, text));
}

// The three rules that every namespace is born with: priorities 0, 32766 and 32767.
static int rule_see(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct inventory *v = arg;
	const struct nlattr *a[FRA_MAX + 1] = {0};
	if (mnl_nlmsg_get_payload_len(m) < sizeof(struct fib_rule_hdr))
		return err_set(e, EBADMSG, "read a routing rule");
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(m);
	nl_attributes(m, sizeof(*rule), a, FRA_MAX);
	uint32_t priority = attribute_u32(a[FRA_PRIORITY]);
	bool born = (priority == 0 && rule->table == RT_TABLE_LOCAL) ||
		    (priority == 32766 && rule->table == RT_TABLE_MAIN) ||
		    (priority == 32767 && rule->table == RT_TABLE_DEFAULT);
	bool of_ip = rule->family == AF_INET || rule->family == AF_INET6;
	if (of_ip && (!born || rule->action != FR_ACT_TO_TBL))
		return wrong(v, "there is a routing rule of priority %u", priority);
	return 0;
}

static int see_all(struct nl *n, struct inventory *v, struct err *e)
{
	static const struct {
		uint16_t type;
		size_t header;
		nl_each *see;
	} parts[] = {
		{RTM_GETLINK, sizeof(struct ifinfomsg), link_see},
		{RTM_GETADDR, sizeof(struct ifaddrmsg), address_see},
		{RTM_GETROUTE, sizeof(struct rtmsg), route_see},
		{RTM_GETRULE, sizeof(struct fib_rule_hdr), rule_see},
	};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct nl_batch b;
		nl_batch_init(&b);
		struct nlmsghdr *m = nl_put(n, &b, parts[i].type, NLM_F_DUMP);
		mnl_nlmsg_put_extra_header(m, parts[i].header); // zero: all families
		if (nl_dump(n, &b, parts[i].see, v, "read the namespace's inventory", e) < 0)
			return -1;
	}
	char text[ADDR_TEXT_MAX];
	if (v->tunnel_index == 0)
		wrong(v, "there is no tunnel");
	for (size_t i = 0; i < SPEC_ADDRESSES; i++) {
		const struct addr *own = spec_address(v->spec, i);
		if (own->family != 0 && !v->addressed[i])
			wrong(v, "the tunnel does not have its address %s", addr_cidr(own, text));
		if (own->family != 0 && !v->routed[i])
			wrong(v, "there is no default route through the tunnel for %s",
				own->family == AF_INET ? "IPv4" : "IPv6");
	}
	return 0;
}

int link_check(int ns_fd, const struct link_spec *spec, struct evidence *ev, struct err *e)
{
	enum { TRIES = 3 };
	int64_t start = wait_now_us();
	struct nl n;
	if (nl_open(&n, ns_fd, NETLINK_ROUTE, e) < 0)
		return -1;
	struct inventory v;
	int r = -1;
	for (int i = 0; i < TRIES; i++) {
		v = (struct inventory){.spec = spec};
		r = see_all(&n, &v, e);
		if (r == 0 || e->code != EAGAIN)
			break;
	}
	nl_close(&n);
	if (r < 0)
		return -1;
	int64_t took = wait_now_us() - start;
	char text[ADDR_TEXT_MAX];
	if (v.wrong[0] == '\0')
		evidence_add(ev, "inventory", OUTCOME_PASSED, NULL, took,
			"lo and %s, %s, default route, nothing else", spec->tunnel,
			addr_cidr(&spec->address, text));
	else
		evidence_add(ev, "inventory", OUTCOME_FAILED, "inventory", took, "%s", v.wrong);
	return 0;
}

static int subscribe_all(struct nl *n, struct err *e)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE};
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (nl_subscribe(n, groups[i], e) < 0)
			return -1;
	return 0;
}

int link_watch(int ns_fd, struct err *e)
{
	struct nl n;
	if (nl_open(&n, ns_fd, NETLINK_ROUTE, e) < 0)
		return -1;
	if (subscribe_all(&n, e) < 0) {
		nl_close(&n);
		return -1;
	}
	return n.fd;
}

static bool is_any(const struct nlmsghdr *m, const void *arg)
{
	(void)arg;
	return m->nlmsg_type >= RTM_BASE;
}

bool link_changed(int watch_fd)
{
	return nl_drain(watch_fd, is_any, NULL);
}
