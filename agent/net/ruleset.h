// SPDX-License-Identifier: Apache-2.0
// What the wall's rule set is: built for the kernel, and printed so that it can be compared with
// the kernel's.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/net/wall.h"

struct nftnl_chain;
struct nftnl_obj;
struct nftnl_rule;
struct nftnl_set;
struct nftnl_table;
struct str;

#define RULESET_TABLE "ccp"

// What differs from host to host is in these sets, so the rules are the same everywhere.
enum ruleset_set {
	RULESET_PROVEN, // device names: open for these; elements have a timeout
	RULESET_TUNNEL, // device names: the verification may use these in both states
	RULESET_FAMILIES, // NFPROTO_IPV4, NFPROTO_IPV6: what the exit carries
	RULESET_RESOLVER4, // addresses: port 53 may talk to these
	RULESET_RESOLVER6,
	RULESET_SETS
};

enum {
	RULESET_RULES_MAX = 48,
	RULESET_TEXT_MAX = 65536,
	RULESET_NAME_MAX = 32,
	RULESET_KEY_MAX = 16, // bytes of the longest set key
};

struct ruleset {
	struct nftnl_rule *rules[RULESET_RULES_MAX];
	size_t count;
};

void ruleset_init(struct ruleset *r);
void ruleset_done(struct ruleset *r);

// Adds every message that loads it (table, empty sets, counters, chains, rules, each with an
// acknowledgement) to a batch, without the batch's begin and end.
void ruleset_put(const struct ruleset *r, struct nl *n, struct nl_batch *b);

// Starts one message of nftables (NFT_MSG_*) about the table's family; flags as nl_put.
struct nlmsghdr *ruleset_put_header(struct nl *n, struct nl_batch *b, int type, uint16_t flags);

// The text over which the hash goes: one line per table, set, counter, chain and rule, in this
// order, without handles, counts and elements. It is the same for every host.
void ruleset_print(const struct ruleset *r, struct str *s);

// The same lines for what the kernel has.
void ruleset_print_table(struct str *s, const struct nftnl_table *table);
void ruleset_print_set(struct str *s, const struct nftnl_set *set);
void ruleset_print_object(struct str *s, const struct nftnl_obj *object);
void ruleset_print_chain(struct str *s, const struct nftnl_chain *chain);
void ruleset_print_rule(struct str *s, struct nftnl_rule *rule); // unsets its handle and position

const char *ruleset_set_name(enum ruleset_set set);
size_t ruleset_key_size(enum ruleset_set set); // bytes

// The named counter of one cell of struct wall_counts.
void ruleset_counter_name(
	enum wall_chain chain, enum wall_sender sender, char ret[static RULESET_NAME_MAX]);
