// SPDX-License-Identifier: Apache-2.0
// What the wall's rule set is: the sets, counters, chains and rules of its table.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/net/wall.h"

struct nft_table;

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
	RULESET_NAME_MAX = 32,
	RULESET_KEY_MAX = 16, // bytes of the longest set key
};

// Builds it: the same for every host. nft_table_done() when it is no longer needed.
void ruleset_init(struct nft_table *t);

const char *ruleset_set_name(enum ruleset_set set);
size_t ruleset_key_size(enum ruleset_set set); // bytes

// The named counter of one cell of struct wall_counts.
void ruleset_counter_name(
	enum wall_chain chain, enum wall_sender sender, char ret[static RULESET_NAME_MAX]);
