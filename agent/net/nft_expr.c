// SPDX-License-Identifier: Apache-2.0
// The expressions of an nftables rule, one function per idea. What is compared passes through
// registers.
#include "agent/net/nft_expr.h"

#include <stdio.h> // libnftnl/expr.h needs it

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stddef.h>
#include <stdlib.h>

static struct nftnl_expr *expr_add(struct nftnl_rule *rule, const char *kind)
{
	struct nftnl_expr *x = nftnl_expr_alloc(kind);
	if (!x)
		abort(); // out of memory
	nftnl_rule_add_expr(rule, x);
	return x;
}

void expr_load_meta(struct nftnl_rule *rule, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *x = expr_add(rule, "meta");
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_DREG, reg);
}

void expr_load_payload(
	struct nftnl_rule *rule, uint32_t base, uint32_t offset, size_t size, uint32_t reg)
{
	struct nftnl_expr *x = expr_add(rule, "payload");
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, (uint32_t)size);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void load_destination(struct nftnl_rule *rule, uint8_t family, size_t size, uint32_t reg)
{
	size_t offset = family == NFPROTO_IPV4 ? offsetof(struct iphdr, daddr)
					       : offsetof(struct ip6_hdr, ip6_dst);
	expr_load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, (uint32_t)offset, size, reg);
}

void expr_load_destination(struct nftnl_rule *rule, uint8_t family, uint32_t reg)
{
	bool four = family == NFPROTO_IPV4;
	load_destination(
		rule, family, four ? sizeof(struct in_addr) : sizeof(struct in6_addr), reg);
}

void expr_load_port(struct nftnl_rule *rule, uint32_t reg)
{
	expr_load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(uint16_t), reg);
}

void expr_compare(struct nftnl_rule *rule, uint32_t op, const void *data, size_t size)
{
	struct nftnl_expr *x = expr_add(rule, "cmp");
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, data, (uint32_t)size);
}

void expr_lookup(struct nftnl_rule *rule, const char *set, uint32_t flags)
{
	struct nftnl_expr *x = expr_add(rule, "lookup");
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, set);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS, flags);
}

// Compares all 16 bytes, so another device's name that begins with "lo" does not match.
void expr_match_loopback(struct nftnl_rule *rule, uint32_t key)
{
	static const char name[IFNAMSIZ] = "lo";
	expr_load_meta(rule, key, NFT_REG_1);
	expr_compare(rule, NFT_CMP_EQ, name, sizeof(name));
}

void expr_match_family(struct nftnl_rule *rule, uint8_t family)
{
	expr_match_u8(rule, NFT_META_NFPROTO, family);
}

void expr_match_destination(
	struct nftnl_rule *rule, uint8_t family, uint32_t op, const uint8_t *bytes, size_t size)
{
	expr_match_family(rule, family);
	load_destination(rule, family, size, NFT_REG_1);
	expr_compare(rule, op, bytes, size);
}

void expr_match_u8(struct nftnl_rule *rule, uint32_t key, uint8_t value)
{
	expr_load_meta(rule, key, NFT_REG_1);
	expr_compare(rule, NFT_CMP_EQ, &value, sizeof(value));
}

void expr_match_u32(struct nftnl_rule *rule, uint32_t key, uint32_t value)
{
	expr_load_meta(rule, key, NFT_REG_1);
	expr_compare(rule, NFT_CMP_EQ, &value, sizeof(value));
}

// Numbers are compared as bytes, so they are turned into network order before.
void expr_match_range(struct nftnl_rule *rule, uint32_t key, uint32_t first, uint32_t last)
{
	uint32_t from = htonl(first), to = htonl(last);
	expr_load_meta(rule, key, NFT_REG_1);
	struct nftnl_expr *x = expr_add(rule, "byteorder");
	nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_LEN, sizeof(from));
	nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_SIZE, sizeof(from));
	expr_compare(rule, NFT_CMP_GTE, &from, sizeof(from));
	expr_compare(rule, NFT_CMP_LTE, &to, sizeof(to));
}

void expr_match_port(struct nftnl_rule *rule, uint32_t op, uint16_t port)
{
	uint16_t wire = htons(port);
	expr_load_port(rule, NFT_REG_1);
	expr_compare(rule, op, &wire, sizeof(wire));
}

void expr_match_known_connection(struct nftnl_rule *rule)
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
	expr_compare(rule, NFT_CMP_NEQ, &none, sizeof(none));
}

void expr_verdict(struct nftnl_rule *rule, int verdict, const char *chain)
{
	struct nftnl_expr *x = expr_add(rule, "immediate");
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, chain);
}

void expr_count(struct nftnl_rule *rule, const char *counter)
{
	struct nftnl_expr *x = expr_add(rule, "objref");
	nftnl_expr_set_u32(x, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(x, NFTNL_EXPR_OBJREF_IMM_NAME, counter);
}
