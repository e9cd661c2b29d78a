// SPDX-License-Identifier: Apache-2.0
// The expressions of an nftables rule, one function per idea. What is compared passes through
// registers.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct nftnl_rule;

// Registers (linux/netfilter/nf_tables.h) hold 16 bytes as NFT_REG_1 to 4 or 4 bytes as NFT_REG32_00
// to 15, in the same memory: NFT_REG_1 is 00 to 03. The key of a set with several fields is written
// into registers in a row, from NFT_REG_1 on, each field padded to 4 bytes. A function that names no
// register uses NFT_REG_1.

// Load into a register.
void expr_load_meta(struct nftnl_rule *rule, uint32_t key, uint32_t reg); // NFT_META_*
void expr_load_payload(
	struct nftnl_rule *rule, uint32_t base, uint32_t offset, size_t size, uint32_t reg);
// The destination address of a packet of this family (NFPROTO_*), 4 or 16 bytes: after
// expr_match_family.
void expr_load_destination(struct nftnl_rule *rule, uint8_t family, uint32_t reg);
// The destination port, at the same place in TCP and UDP: only where the protocol is known or is
// part of the key.
void expr_load_port(struct nftnl_rule *rule, uint32_t reg);

// What NFT_REG_1 holds. op: NFT_CMP_*; flags: NFT_LOOKUP_F_INV for "is not in the set".
void expr_compare(struct nftnl_rule *rule, uint32_t op, const void *data, size_t size);
void expr_lookup(struct nftnl_rule *rule, const char *set, uint32_t flags);

// Load and compare. A packet that has no such thing, such as one without a socket when the key is
// NFT_META_SKUID, does not match, whatever the comparison.
void expr_match_loopback(struct nftnl_rule *rule, uint32_t key); // NFT_META_OIFNAME or IIFNAME
void expr_match_family(struct nftnl_rule *rule, uint8_t family);
// The first `size` bytes of a destination address of that family.
void expr_match_destination(
	struct nftnl_rule *rule, uint8_t family, uint32_t op, const uint8_t *bytes, size_t size);
void expr_match_u8(struct nftnl_rule *rule, uint32_t key, uint8_t value);
void expr_match_u32(struct nftnl_rule *rule, uint32_t key, uint32_t value);
void expr_match_range(struct nftnl_rule *rule, uint32_t key, uint32_t first, uint32_t last);
void expr_match_port(struct nftnl_rule *rule, uint32_t op, uint16_t port);
void expr_match_known_connection(struct nftnl_rule *rule); // established or related

// What is done. verdict: NF_ACCEPT, NF_DROP, NFT_RETURN; with a chain NFT_JUMP or NFT_GOTO.
void expr_verdict(struct nftnl_rule *rule, int verdict, const char *chain);
void expr_count(struct nftnl_rule *rule, const char *counter);
