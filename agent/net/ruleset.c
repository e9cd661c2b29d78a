// SPDX-License-Identifier: Apache-2.0
// What the wall's rule set is: built for the kernel, and printed so that it can be compared with
// the kernel's.
#include "agent/net/ruleset.h"

#include <arpa/inet.h>
#include <assert.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

enum {
	PORT_DNS = 53,
	PORT_DNS_TLS = 853, // DNS over TLS, over DTLS and over QUIC
};

// nft's own numbers of data types (nftables, include/datatype.h): so `nft list` shows the sets.
enum { TYPE_NFPROTO = 2, TYPE_IPADDR = 7, TYPE_IP6ADDR = 8, TYPE_IFNAME = 41 };

static const struct {
	const char *name;
	uint32_t flags, key_type, key_size;
} sets[RULESET_SETS] = {
	[RULESET_PROVEN] = {"proven", NFT_SET_TIMEOUT, TYPE_IFNAME, IFNAMSIZ},
	[RULESET_TUNNEL] = {"tunnel", 0, TYPE_IFNAME, IFNAMSIZ},
	[RULESET_FAMILIES] = {"families", 0, TYPE_NFPROTO, sizeof(uint8_t)},
	[RULESET_RESOLVER4] = {"resolver4", 0, TYPE_IPADDR, sizeof(struct in_addr)},
	[RULESET_RESOLVER6] = {"resolver6", 0, TYPE_IP6ADDR, sizeof(struct in6_addr)},
};

// Chains in which packets end. `verdict` is what happens to them there.
static const struct {
	const char *name;
	int verdict;
} ends[WALL_CHAINS] = {
	[WALL_DENY_V6] = {"deny_v6", NF_DROP},
	[WALL_DENY_DNS] = {"deny_dns", NF_DROP},
	[WALL_DENY_CLOSED] = {"deny_closed", NF_DROP},
	[WALL_DENY_IN] = {"deny_in", NF_DROP},
	[WALL_PASS] = {"pass", NF_ACCEPT},
};

static const struct {
	const char *name;
	uint32_t mark; // 0: all other packets
} senders[WALL_SENDERS] = {
	[WALL_VERIFY] = {"verify", WALL_MARK_VERIFY},
	[WALL_PROBE] = {"probe", WALL_MARK_PROBE},
	[WALL_USER] = {"user", 0},
};

static const struct {
	const char *name;
	int hook;
} hooks[] = {
	{"output", NF_INET_LOCAL_OUT},
	{"input", NF_INET_LOCAL_IN},
	{"forward", NF_INET_FORWARD},
};

void ruleset_counter_name(
	enum wall_chain chain, enum wall_sender sender, char ret[static RULESET_NAME_MAX])
{
	snprintf(ret, RULESET_NAME_MAX, "%s_%s", ends[chain].name, senders[sender].name);
}

const char *ruleset_set_name(enum ruleset_set set)
{
	return sets[set].name;
}

size_t ruleset_key_size(enum ruleset_set set)
{
	return sets[set].key_size;
}

static void *must(void *allocated)
{
	if (!allocated)
		abort(); // out of memory
	return allocated;
}

// Expressions, one function per idea, all over register 1.

static struct nftnl_rule *rule_add(struct ruleset *r, const char *chain)
{
	assert(r->count < RULESET_RULES_MAX);
	struct nftnl_rule *rule = must(nftnl_rule_alloc());
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, RULESET_TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	r->rules[r->count++] = rule;
	return rule;
}

static struct nftnl_expr *expr_add(struct nftnl_rule *rule, const char *kind)
{
	struct nftnl_expr *x = must(nftnl_expr_alloc(kind));
	nftnl_rule_add_expr(rule, x);
	return x;
}

static void add_cmp(struct nftnl_rule *rule, uint32_t op, const void *data, size_t size)
{
	struct nftnl_expr *x = expr_add(rule, "cmp");
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, data, (uint32_t)size);
}

static void add_meta(struct nftnl_rule *rule, uint32_t key)
{
	struct nftnl_expr *x = expr_add(rule, "meta");
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void add_payload(struct nftnl_rule *rule, uint32_t base, uint32_t offset, size_t size)
{
	struct nftnl_expr *x = expr_add(rule, "payload");
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, (uint32_t)size);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
}

// Compares all 16 bytes, so another device's name that begins with "lo" does not match.
static void match_loopback(struct nftnl_rule *rule, uint32_t key)
{
	static const char name[IFNAMSIZ] = "lo";
	add_meta(rule, key);
	add_cmp(rule, NFT_CMP_EQ, name, sizeof(name));
}

// What register 1 holds is in the set. flags: NFT_LOOKUP_F_INV for "is not".
static void add_lookup(struct nftnl_rule *rule, enum ruleset_set set, uint32_t flags)
{
	struct nftnl_expr *x = expr_add(rule, "lookup");
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, sets[set].name);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS, flags);
}

static void match_meta_in(
	struct nftnl_rule *rule, uint32_t key, enum ruleset_set set, uint32_t flags)
{
	add_meta(rule, key);
	add_lookup(rule, set, flags);
}

static void match_meta_u8(struct nftnl_rule *rule, uint32_t key, uint8_t value)
{
	add_meta(rule, key);
	add_cmp(rule, NFT_CMP_EQ, &value, sizeof(value));
}

static void match_mark(struct nftnl_rule *rule, uint32_t mark)
{
	add_meta(rule, NFT_META_MARK);
	add_cmp(rule, NFT_CMP_EQ, &mark, sizeof(mark));
}

// The destination port, at the same place in TCP and UDP: only after the protocol is known.
static void match_port(struct nftnl_rule *rule, uint32_t op, uint16_t port)
{
	uint16_t wire = htons(port);
	add_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(wire));
	add_cmp(rule, op, &wire, sizeof(wire));
}

// The destination address is one of the set's.
static void match_destination(struct nftnl_rule *rule, uint8_t family, enum ruleset_set set)
{
	match_meta_u8(rule, NFT_META_NFPROTO, family);
	add_payload(rule, NFT_PAYLOAD_NETWORK_HEADER,
		family == NFPROTO_IPV4 ? offsetof(struct iphdr, daddr)
				       : offsetof(struct ip6_hdr, ip6_dst),
		sets[set].key_size);
	add_lookup(rule, set, 0);
}

static void match_known_connection(struct nftnl_rule *rule)
{
	uint32_t states = NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED);
	uint32_t none = 0;
	struct nftnl_expr *x = expr_add(rule, "ct");
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	x = expr_add(rule, "bitwise");
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_LEN, sizeof(states));
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_MASK, &states, sizeof(states));
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_XOR, &none, sizeof(none));
	add_cmp(rule, NFT_CMP_NEQ, &none, sizeof(none));
}

static void add_verdict(struct nftnl_rule *rule, int verdict, const char *chain)
{
	struct nftnl_expr *x = expr_add(rule, "immediate");
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void add_count(struct nftnl_rule *rule, const char *counter)
{
	struct nftnl_expr *x = expr_add(rule, "objref");
	nftnl_expr_set_u32(x, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(x, NFTNL_EXPR_OBJREF_IMM_NAME, counter);
}

static void go_to_end(struct nftnl_rule *rule, enum wall_chain end)
{
	add_verdict(rule, NFT_GOTO, ends[end].name);
}

// The chains.

static void build_end(struct ruleset *r, enum wall_chain end)
{
	static const enum wall_sender order[] = {WALL_VERIFY, WALL_PROBE, WALL_USER};
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		char counter[RULESET_NAME_MAX];
		ruleset_counter_name(end, order[i], counter);
		struct nftnl_rule *rule = rule_add(r, ends[end].name);
		if (senders[order[i]].mark)
			match_mark(rule, senders[order[i]].mark);
		add_count(rule, counter);
		add_verdict(rule, ends[end].verdict, NULL);
	}
}

static void build_dns(struct ruleset *r)
{
	struct nftnl_rule *rule = rule_add(r, "dns");
	match_port(rule, NFT_CMP_EQ, PORT_DNS_TLS);
	go_to_end(rule, WALL_DENY_DNS);

	rule = rule_add(r, "dns");
	match_port(rule, NFT_CMP_NEQ, PORT_DNS);
	add_verdict(rule, NFT_RETURN, NULL);

	rule = rule_add(r, "dns");
	match_destination(rule, NFPROTO_IPV4, RULESET_RESOLVER4);
	add_verdict(rule, NFT_RETURN, NULL);

	rule = rule_add(r, "dns");
	match_destination(rule, NFPROTO_IPV6, RULESET_RESOLVER6);
	add_verdict(rule, NFT_RETURN, NULL);

	go_to_end(rule_add(r, "dns"), WALL_DENY_DNS);
}

static void build_output(struct ruleset *r)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct nftnl_rule *rule = rule_add(r, "output");
	match_loopback(rule, NFT_META_OIFNAME);
	add_verdict(rule, NF_ACCEPT, NULL);

	rule = rule_add(r, "output");
	match_meta_in(rule, NFT_META_NFPROTO, RULESET_FAMILIES, NFT_LOOKUP_F_INV);
	go_to_end(rule, WALL_DENY_V6);

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		rule = rule_add(r, "output");
		match_meta_u8(rule, NFT_META_L4PROTO, protocols[i]);
		add_verdict(rule, NFT_JUMP, "dns");
	}
	rule = rule_add(r, "output");
	match_mark(rule, WALL_MARK_VERIFY);
	match_meta_in(rule, NFT_META_OIFNAME, RULESET_TUNNEL, 0);
	go_to_end(rule, WALL_PASS);

	rule = rule_add(r, "output");
	match_meta_in(rule, NFT_META_OIFNAME, RULESET_PROVEN, NFT_LOOKUP_F_INV);
	go_to_end(rule, WALL_DENY_CLOSED);

	go_to_end(rule_add(r, "output"), WALL_PASS);
}

static void build_input(struct ruleset *r)
{
	struct nftnl_rule *rule = rule_add(r, "input");
	match_loopback(rule, NFT_META_IIFNAME);
	add_verdict(rule, NF_ACCEPT, NULL);

	rule = rule_add(r, "input");
	match_known_connection(rule);
	add_verdict(rule, NF_ACCEPT, NULL);

	go_to_end(rule_add(r, "input"), WALL_DENY_IN);
}

void ruleset_init(struct ruleset *r)
{
	r->count = 0;
	for (enum wall_chain end = 0; end < WALL_CHAINS; end++)
		build_end(r, end);
	build_dns(r);
	build_output(r);
	build_input(r);
}

void ruleset_done(struct ruleset *r)
{
	while (r->count > 0)
		nftnl_rule_free(r->rules[--r->count]);
}

// The other objects are made when needed: the kernel's order is table, sets, counters, chains.

static struct nftnl_table *make_table(void)
{
	struct nftnl_table *t = must(nftnl_table_alloc());
	nftnl_table_set_u32(t, NFTNL_TABLE_FAMILY, NFPROTO_INET);
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, RULESET_TABLE);
	return t;
}

static struct nftnl_set *make_set(enum ruleset_set set)
{
	struct nftnl_set *s = must(nftnl_set_alloc());
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_str(s, NFTNL_SET_TABLE, RULESET_TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, sets[set].name);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, sets[set].flags);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, sets[set].key_type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, sets[set].key_size);
	nftnl_set_set_u32(s, NFTNL_SET_ID, set + 1); // of use within the batch only
	return s;
}

static struct nftnl_obj *make_counter(enum wall_chain chain, enum wall_sender sender)
{
	char name[RULESET_NAME_MAX];
	ruleset_counter_name(chain, sender, name);
	struct nftnl_obj *o = must(nftnl_obj_alloc());
	nftnl_obj_set_u32(o, NFTNL_OBJ_FAMILY, NFPROTO_INET);
	nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, RULESET_TABLE);
	nftnl_obj_set_str(o, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	return o;
}

// hook < 0: an ordinary chain, otherwise a base chain that drops what no rule accepted.
static struct nftnl_chain *make_chain(const char *name, int hook)
{
	struct nftnl_chain *c = must(nftnl_chain_alloc());
	nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, RULESET_TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	if (hook >= 0) {
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, (uint32_t)hook);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, 0);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_DROP);
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
	}
	return c;
}

static struct nftnl_chain *make_chain_number(size_t i)
{
	if (i < WALL_CHAINS)
		return make_chain(ends[i].name, -1);
	if (i == WALL_CHAINS)
		return make_chain("dns", -1);
	return make_chain(hooks[i - WALL_CHAINS - 1].name, hooks[i - WALL_CHAINS - 1].hook);
}

enum { CHAIN_COUNT = WALL_CHAINS + 1 + ARRAY_SIZE(hooks) };

struct nlmsghdr *ruleset_put_header(struct nl *n, struct nl_batch *b, int type, uint16_t flags)
{
	struct nlmsghdr *m = nl_put(n, b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(m, sizeof(*g));
	g->nfgen_family = NFPROTO_INET;
	g->version = NFNETLINK_V0;
	return m;
}

static struct nlmsghdr *put_new(struct nl *n, struct nl_batch *b, int type)
{
	return ruleset_put_header(n, b, type, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
}

void ruleset_put(const struct ruleset *r, struct nl *n, struct nl_batch *b)
{
	struct nftnl_table *t = make_table();
	nftnl_table_nlmsg_build_payload(put_new(n, b, NFT_MSG_NEWTABLE), t);
	nftnl_table_free(t);

	for (enum ruleset_set set = 0; set < RULESET_SETS; set++) {
		struct nftnl_set *s = make_set(set);
		nftnl_set_nlmsg_build_payload(put_new(n, b, NFT_MSG_NEWSET), s);
		nftnl_set_free(s);
	}
	for (int i = 0; i < WALL_CHAINS * WALL_SENDERS; i++) {
		struct nftnl_obj *o = make_counter(i / WALL_SENDERS, i % WALL_SENDERS);
		nftnl_obj_nlmsg_build_payload(put_new(n, b, NFT_MSG_NEWOBJ), o);
		nftnl_obj_free(o);
	}
	for (size_t i = 0; i < CHAIN_COUNT; i++) {
		struct nftnl_chain *c = make_chain_number(i);
		nftnl_chain_nlmsg_build_payload(put_new(n, b, NFT_MSG_NEWCHAIN), c);
		nftnl_chain_free(c);
	}
	for (size_t i = 0; i < r->count; i++)
		nftnl_rule_nlmsg_build_payload(ruleset_put_header(n, b, NFT_MSG_NEWRULE,
						       NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK),
			r->rules[i]);
}

void ruleset_print_table(struct str *s, const struct nftnl_table *table)
{
	str_addf(s, "table %u %s flags %u\n", nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY),
		nftnl_table_get_str(table, NFTNL_TABLE_NAME),
		nftnl_table_get_u32(table, NFTNL_TABLE_FLAGS));
}

void ruleset_print_set(struct str *s, const struct nftnl_set *set)
{
	str_addf(s, "set %u %s %s flags %u key %u/%u\n", nftnl_set_get_u32(set, NFTNL_SET_FAMILY),
		nftnl_set_get_str(set, NFTNL_SET_TABLE), nftnl_set_get_str(set, NFTNL_SET_NAME),
		nftnl_set_get_u32(set, NFTNL_SET_FLAGS), nftnl_set_get_u32(set, NFTNL_SET_KEY_TYPE),
		nftnl_set_get_u32(set, NFTNL_SET_KEY_LEN));
}

void ruleset_print_object(struct str *s, const struct nftnl_obj *object)
{
	// libnftnl's getters of objects are not const.
	struct nftnl_obj *o = (struct nftnl_obj *)(uintptr_t)object;
	str_addf(s, "object %u %s %s type %u\n", nftnl_obj_get_u32(o, NFTNL_OBJ_FAMILY),
		nftnl_obj_get_str(o, NFTNL_OBJ_TABLE), nftnl_obj_get_str(o, NFTNL_OBJ_NAME),
		nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE));
}

void ruleset_print_chain(struct str *s, const struct nftnl_chain *chain)
{
	str_addf(s, "chain %u %s %s", nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY),
		nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE),
		nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));
	if (nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM))
		str_addf(s, " %s hook %u priority %d policy %u",
			nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE),
			nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM),
			nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO),
			nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY));
	str_add(s, "\n");
}

void ruleset_print_rule(struct str *s, struct nftnl_rule *rule)
{
	char text[4096];
	nftnl_rule_unset(rule, NFTNL_RULE_HANDLE);
	nftnl_rule_unset(rule, NFTNL_RULE_POSITION);
	int len = nftnl_rule_snprintf(text, sizeof(text), rule, NFTNL_OUTPUT_DEFAULT, 0);
	if (len < 0 || (size_t)len >= sizeof(text))
		len = snprintf(text, sizeof(text), "a rule too long to print");
	str_add(s, "rule ");
	str_add_bytes(s, text, (size_t)len);
	str_add(s, "\n");
}

void ruleset_print(const struct ruleset *r, struct str *s)
{
	struct nftnl_table *t = make_table();
	ruleset_print_table(s, t);
	nftnl_table_free(t);

	for (enum ruleset_set i = 0; i < RULESET_SETS; i++) {
		struct nftnl_set *set = make_set(i);
		ruleset_print_set(s, set);
		nftnl_set_free(set);
	}
	for (int i = 0; i < WALL_CHAINS * WALL_SENDERS; i++) {
		struct nftnl_obj *o = make_counter(i / WALL_SENDERS, i % WALL_SENDERS);
		ruleset_print_object(s, o);
		nftnl_obj_free(o);
	}
	for (size_t i = 0; i < CHAIN_COUNT; i++) {
		struct nftnl_chain *c = make_chain_number(i);
		ruleset_print_chain(s, c);
		nftnl_chain_free(c);
	}
	for (size_t i = 0; i < r->count; i++)
		ruleset_print_rule(s, r->rules[i]);
}
