// SPDX-License-Identifier: Apache-2.0
// What the wall's rule set is: the sets, counters, chains and rules of its table.
#include "agent/net/ruleset.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#include "agent/net/nft_expr.h"
#include "agent/net/nft_table.h"
#include "lib/mem.h"

enum {
	PORT_DNS = 53,
	PORT_DNS_TLS = 853, // DNS over TLS, over DTLS and over QUIC
};

static const struct nft_set sets[RULESET_SETS] = {
	[RULESET_PROVEN] = {"proven", NFT_SET_TIMEOUT, NFT_TYPE_IFNAME, IFNAMSIZ},
	[RULESET_TUNNEL] = {"tunnel", 0, NFT_TYPE_IFNAME, IFNAMSIZ},
	[RULESET_FAMILIES] = {"families", 0, NFT_TYPE_NFPROTO, sizeof(uint8_t)},
	[RULESET_RESOLVER4] = {"resolver4", 0, NFT_TYPE_IPADDR, sizeof(struct in_addr)},
	[RULESET_RESOLVER6] = {"resolver6", 0, NFT_TYPE_IP6ADDR, sizeof(struct in6_addr)},
};

// Chains in which packets end. `verdict` is what happens to them there.
static const struct {
	const char *name;
	int verdict;
} ends[WALL_CHAINS] = {
	[WALL_DENY_V6] = {"deny_v6", NF_DROP},
	[WALL_DENY_DNS] = {"deny_dns", NF_DROP},
	[WALL_DENY_LOCAL] = {"deny_local", NF_DROP},
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

// Destinations that are a link's own, which no tunnel leads to: an exit that passed them on would hand
// out its own machine's secrets.
static const struct {
	uint8_t family;
	uint32_t op; // NFT_CMP_*
	size_t size;
	uint8_t bytes[16]; // the first `size` of the address
} local[] = {
	{NFPROTO_IPV4, NFT_CMP_EQ, 2, {169, 254}}, // link-local: metadata of clouds, too
	{NFPROTO_IPV4, NFT_CMP_GTE, 1, {224}}, // multicast, reserved, broadcast
	{NFPROTO_IPV6, NFT_CMP_GTE, 2, {0xfe, 0x80}}, // link-local, multicast
	{NFPROTO_IPV6, NFT_CMP_EQ, 16, {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54}}, // metadata
};

static const struct nft_hook hooks[] = {
	{"output", NF_INET_LOCAL_OUT, 0, NF_DROP},
	{"input", NF_INET_LOCAL_IN, 0, NF_DROP},
	{"forward", NF_INET_FORWARD, 0, NF_DROP},
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
	return sets[set].size;
}

// What register 1 holds is in the set.
static void match_meta_in(
	struct nftnl_rule *rule, uint32_t key, enum ruleset_set set, uint32_t flags)
{
	expr_load_meta(rule, key, NFT_REG_1);
	expr_lookup(rule, sets[set].name, flags);
}

static void match_mark(struct nftnl_rule *rule, uint32_t mark)
{
	expr_match_u32(rule, NFT_META_MARK, mark);
}

static void match_destination(struct nftnl_rule *rule, uint8_t family, enum ruleset_set set)
{
	expr_match_family(rule, family);
	expr_load_destination(rule, family, NFT_REG_1);
	expr_lookup(rule, sets[set].name, 0);
}

static void go_to_end(struct nftnl_rule *rule, enum wall_chain end)
{
	expr_verdict(rule, NFT_GOTO, ends[end].name);
}

// The chains.

static void build_end(struct nft_table *t, enum wall_chain end)
{
	static const enum wall_sender order[] = {WALL_VERIFY, WALL_PROBE, WALL_USER};
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		char counter[RULESET_NAME_MAX];
		ruleset_counter_name(end, order[i], counter);
		struct nftnl_rule *rule = nft_table_add_rule(t, ends[end].name);
		if (senders[order[i]].mark)
			match_mark(rule, senders[order[i]].mark);
		expr_count(rule, counter);
		expr_verdict(rule, ends[end].verdict, NULL);
	}
}

static void build_dns(struct nft_table *t)
{
	struct nftnl_rule *rule = nft_table_add_rule(t, "dns");
	expr_match_port(rule, NFT_CMP_EQ, PORT_DNS_TLS);
	go_to_end(rule, WALL_DENY_DNS);

	rule = nft_table_add_rule(t, "dns");
	expr_match_port(rule, NFT_CMP_NEQ, PORT_DNS);
	expr_verdict(rule, NFT_RETURN, NULL);

	rule = nft_table_add_rule(t, "dns");
	match_destination(rule, NFPROTO_IPV4, RULESET_RESOLVER4);
	expr_verdict(rule, NFT_RETURN, NULL);

	rule = nft_table_add_rule(t, "dns");
	match_destination(rule, NFPROTO_IPV6, RULESET_RESOLVER6);
	expr_verdict(rule, NFT_RETURN, NULL);

	go_to_end(nft_table_add_rule(t, "dns"), WALL_DENY_DNS);
}

static void build_output(struct nft_table *t)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct nftnl_rule *rule = nft_table_add_rule(t, "output");
	expr_match_loopback(rule, NFT_META_OIFNAME);
	expr_verdict(rule, NF_ACCEPT, NULL);

	rule = nft_table_add_rule(t, "output");
	match_meta_in(rule, NFT_META_NFPROTO, RULESET_FAMILIES, NFT_LOOKUP_F_INV);
	go_to_end(rule, WALL_DENY_V6);

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		rule = nft_table_add_rule(t, "output");
		expr_match_u8(rule, NFT_META_L4PROTO, protocols[i]);
		expr_verdict(rule, NFT_JUMP, "dns");
	}
	for (size_t i = 0; i < ARRAY_SIZE(local); i++) {
		rule = nft_table_add_rule(t, "output");
		expr_match_destination(
			rule, local[i].family, local[i].op, local[i].bytes, local[i].size);
		go_to_end(rule, WALL_DENY_LOCAL);
	}
	rule = nft_table_add_rule(t, "output");
	match_mark(rule, WALL_MARK_VERIFY);
	match_meta_in(rule, NFT_META_OIFNAME, RULESET_TUNNEL, 0);
	go_to_end(rule, WALL_PASS);

	rule = nft_table_add_rule(t, "output");
	match_meta_in(rule, NFT_META_OIFNAME, RULESET_PROVEN, NFT_LOOKUP_F_INV);
	go_to_end(rule, WALL_DENY_CLOSED);

	go_to_end(nft_table_add_rule(t, "output"), WALL_PASS);
}

static void build_input(struct nft_table *t)
{
	struct nftnl_rule *rule = nft_table_add_rule(t, "input");
	expr_match_loopback(rule, NFT_META_IIFNAME);
	expr_verdict(rule, NF_ACCEPT, NULL);

	rule = nft_table_add_rule(t, "input");
	expr_match_known_connection(rule);
	expr_verdict(rule, NF_ACCEPT, NULL);

	go_to_end(nft_table_add_rule(t, "input"), WALL_DENY_IN);
}

// The kernel's order is table, sets, counters, chains, rules.
void ruleset_init(struct nft_table *t)
{
	nft_table_init(t, RULESET_TABLE, NULL);
	for (enum ruleset_set set = 0; set < RULESET_SETS; set++)
		nft_table_add_set(t, &sets[set]);
	for (int i = 0; i < WALL_CHAINS * WALL_SENDERS; i++) {
		char counter[RULESET_NAME_MAX];
		ruleset_counter_name(i / WALL_SENDERS, i % WALL_SENDERS, counter);
		nft_table_add_counter(t, counter);
	}
	for (enum wall_chain end = 0; end < WALL_CHAINS; end++)
		nft_table_add_chain(t, ends[end].name);
	nft_table_add_chain(t, "dns");
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		nft_table_add_hook(t, &hooks[i]);

	for (enum wall_chain end = 0; end < WALL_CHAINS; end++)
		build_end(t, end);
	build_dns(t);
	build_output(t);
	build_input(t);
}
