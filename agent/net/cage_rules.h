// SPDX-License-Identifier: Apache-2.0
// What a cage's table is: its sets, counters, chains and rules, which follow from its group.
#pragma once

#include <stdint.h>

#include "agent/net/nft_table.h"
#include "lib/hash.h"

// The counters' names.
#define CAGE_PASSED "passed"
#define CAGE_DENIED "denied"
#define CAGE_DENIED_LOOPBACK "denied_loopback"

// "ccp_cage_2147475460". `buffer` is returned.
const char *cage_table_name(uint32_t group, char buffer[static NFT_NAME_MAX]);
uint32_t cage_table_group(const char *name); // 0: it is no cage's

// Builds it. nft_table_done() when it is no longer needed.
void cage_rules_init(struct nft_table *t, uint32_t group, const char *owner);

// The hash over what the kernel must show of that table.
void cage_rules_hash(uint32_t group, char ret[static HASH_SHA256_HEX_SIZE]);
