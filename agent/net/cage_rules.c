// SPDX-License-Identifier: Apache-2.0
// What a cage's table is: its sets, counters, chains and rules, which follow from its group.
#include "agent/net/cage_rules.h"

#include <arpa/inet.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/net/cage.h"
#include "agent/net/cage_door.h"
#include "agent/net/nft_expr.h"
#include "lib/mem.h"

#define TABLE_PREFIX "ccp_cage_"
#define CHAIN_CAGED "caged"
#define CHAIN_ENGINES "engines"

static const struct nft_hook output = {"output", NF_INET_LOCAL_OUT, INT_MAX, NF_ACCEPT};
static const char *const counters[] = {CAGE_PASSED, CAGE_DENIED, CAGE_DENIED_LOOPBACK};

const char *cage_table_name(uint32_t group, char buffer[static NFT_NAME_MAX])
{
	snprintf(buffer, NFT_NAME_MAX, TABLE_PREFIX "%u", group);
	return buffer;
}

uint32_t cage_table_group(const char *name)
{
	char ours[NFT_NAME_MAX];
	if (strncmp(name, TABLE_PREFIX, strlen(TABLE_PREFIX)) != 0)
		return 0;
	unsigned long group = strtoul(name + strlen(TABLE_PREFIX), NULL, 10);
	if (group < CAGE_GROUP_FIRST || group > CAGE_GROUP_LAST)
		return 0;
	return strcmp(cage_table_name((uint32_t)group, ours), name) == 0 ? (uint32_t)group : 0;
}

static void build_end(struct nftnl_rule *rule, const char *counter, int verdict)
{
	expr_count(rule, counter);
	expr_verdict(rule, verdict, NULL);
}

// The fields of the set's key, one behind the other, and the lookup.
static void build_door(struct nft_table *t, enum cage_set set, uint8_t family)
{
	struct nftnl_rule *rule = nft_table_add_rule(t, CHAIN_CAGED);
	bool has_port = set == CAGE_DOORS4 || set == CAGE_DOORS6;
	uint32_t address = NFT_REG32_01;
	uint32_t protocol = address + (family == NFPROTO_IPV4 ? 1 : 4);
	if (!has_port)
		expr_match_u8(rule, NFT_META_L4PROTO, IPPROTO_UDP);
	expr_match_family(rule, family);
	expr_load_meta(rule, NFT_META_SKUID, NFT_REG_1);
	expr_load_destination(rule, family, address);
	if (has_port) {
		expr_load_meta(rule, NFT_META_L4PROTO, protocol);
		expr_load_port(rule, protocol + 1);
	}
	expr_lookup(rule, cage_set(set)->name, 0);
	build_end(rule, CAGE_PASSED, NF_ACCEPT);
}

static void build_caged(struct nft_table *t)
{
	struct nftnl_rule *rule = nft_table_add_rule(t, CHAIN_CAGED);
	expr_match_loopback(rule, NFT_META_OIFNAME);
	build_end(rule, CAGE_DENIED_LOOPBACK, NF_DROP);
	build_door(t, CAGE_DOORS4, NFPROTO_IPV4);
	build_door(t, CAGE_DOORS6, NFPROTO_IPV6);
	build_door(t, CAGE_UDP4, NFPROTO_IPV4);
	build_door(t, CAGE_UDP6, NFPROTO_IPV6);
	build_end(nft_table_add_rule(t, CHAIN_CAGED), CAGE_DENIED, NF_DROP);
}

static void build_engines(struct nft_table *t, uint32_t group)
{
	struct nftnl_rule *rule = nft_table_add_rule(t, CHAIN_ENGINES);
	expr_match_u32(rule, NFT_META_SKGID, group);
	expr_verdict(rule, NFT_GOTO, CHAIN_CAGED);

	rule = nft_table_add_rule(t, CHAIN_ENGINES);
	expr_match_range(rule, NFT_META_SKGID, CAGE_GROUP_FIRST, CAGE_GROUP_LAST);
	expr_verdict(rule, NFT_RETURN, NULL);

	expr_verdict(nft_table_add_rule(t, CHAIN_ENGINES), NFT_GOTO, CHAIN_CAGED);
}

void cage_rules_init(struct nft_table *t, uint32_t group, const char *owner)
{
	char name[NFT_NAME_MAX];
	nft_table_init(t, cage_table_name(group, name), owner);
	for (enum cage_set set = 0; set < CAGE_SETS; set++)
		nft_table_add_set(t, cage_set(set));
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		nft_table_add_counter(t, counters[i]);
	nft_table_add_chain(t, CHAIN_CAGED);
	nft_table_add_chain(t, CHAIN_ENGINES);
	nft_table_add_hook(t, &output);

	build_caged(t);
	build_engines(t, group);
	struct nftnl_rule *rule = nft_table_add_rule(t, output.name);
	expr_match_range(rule, NFT_META_SKUID, CAGE_UID_FIRST, CAGE_UID_LAST);
	expr_verdict(rule, NFT_JUMP, CHAIN_ENGINES);
}

void cage_rules_hash(uint32_t group, char ret[static HASH_SHA256_HEX_SIZE])
{
	_cleanup_(str_done) struct str text = STR_INIT(NFT_TEXT_MAX);
	struct nft_table t;
	cage_rules_init(&t, group, NULL);
	nft_table_print(&t, &text);
	nft_table_done(&t);
	hash_sha256_hex(str_text(&text), text.len, ret);
}
