// SPDX-License-Identifier: Apache-2.0
// A table of nftables: built here, put into the kernel, printed, and printed again as the kernel has
// it, so that the two can be compared.
#pragma once

#include <stdint.h>

#include "agent/net/nl.h"

struct err;
struct nftnl_chain;
struct nftnl_obj;
struct nftnl_rule;
struct nftnl_set;
struct nftnl_set_elem;
struct nftnl_table;
struct str;

enum {
	NFT_SETS_MAX = 8,
	NFT_COUNTERS_MAX = 24,
	NFT_CHAINS_MAX = 12,
	NFT_RULES_MAX = 48,
	NFT_NAME_MAX = 32,
	NFT_COMMENT_MAX = 128, // with the NUL (libnftnl/udata.h)
	NFT_TEXT_MAX = 65536, // a longer text is none of ours
};

// nft's own numbers of data types (nftables, include/datatype.h): so `nft list` shows the sets.
enum nft_type {
	NFT_TYPE_NFPROTO = 2,
	NFT_TYPE_IPADDR = 7,
	NFT_TYPE_IP6ADDR = 8,
	NFT_TYPE_PROTOCOL = 12,
	NFT_TYPE_SERVICE = 13,
	NFT_TYPE_UID = 24,
	NFT_TYPE_IFNAME = 41
};
// Of a key with several fields: six bits each, the first field on top.
#define NFT_TYPE_NEXT(types, type) ((types) << 6 | (type))

// Of the family inet. Holds what has been added, in that order.
struct nft_table {
	char name[NFT_NAME_MAX];
	struct nftnl_table *table;
	struct nftnl_set *sets[NFT_SETS_MAX];
	size_t set_count;
	struct nftnl_obj *counters[NFT_COUNTERS_MAX];
	size_t counter_count;
	struct nftnl_chain *chains[NFT_CHAINS_MAX];
	size_t chain_count;
	struct nftnl_rule *rules[NFT_RULES_MAX];
	size_t rule_count;
};

// `comment` says whose table it is, and is no part of what is printed. NULL: none.
void nft_table_init(struct nft_table *t, const char *name, const char *comment);
void nft_table_done(struct nft_table *t);

struct nft_set {
	const char *name;
	uint32_t flags; // NFT_SET_*
	uint32_t type; // of its keys
	uint32_t size; // of a key, bytes
};
void nft_table_add_set(struct nft_table *t, const struct nft_set *set);
void nft_table_add_counter(struct nft_table *t, const char *name);
void nft_table_add_chain(struct nft_table *t, const char *name);
struct nft_hook {
	const char *name; // of the chain
	int hook; // NF_INET_*
	int priority; // the chains of all tables at this hook run in rising order
	int policy; // NF_ACCEPT or NF_DROP: of what reaches the chain's end
};
void nft_table_add_hook(struct nft_table *t, const struct nft_hook *hook);
// The rule stays the table's. Expressions are added to it (nft_expr.h).
struct nftnl_rule *nft_table_add_rule(struct nft_table *t, const char *chain);

// Starts one message of nftables (NFT_MSG_*) about the family inet; flags as nl_put.
struct nlmsghdr *nft_put_header(struct nl *n, struct nl_batch *b, int type, uint16_t flags);
// A transaction's frame (linux/netfilter/nfnetlink.h): all messages between the two happen or none
// does.
void nft_put_begin(struct nl *n, struct nl_batch *b);
void nft_put_end(struct nl *n, struct nl_batch *b);

// Adds every message that makes the table, its sets empty, each with an acknowledgement. EEXIST
// when there is one of that name.
void nft_table_put(const struct nft_table *t, struct nl *n, struct nl_batch *b);
// Adds two messages that delete the table of that name, if there is one.
void nft_table_put_delete(const struct nft_table *t, struct nl *n, struct nl_batch *b);

// The text that is compared: one line per table, set, counter and chain and some per rule, in this
// order, without handles, counts, elements and comments.
void nft_table_print(const struct nft_table *t, struct str *s);

// The same lines for what the kernel has; none for a table that is not there.
struct nft_reader {
	const char *table; // the inet table of that name only; NULL: all tables of the namespace
	// Told the packets of every counter on the way; may be NULL.
	void (*each)(const char *counter, uint64_t packets, void *arg);
	void *arg;
};
_must_check_ int nft_table_read(
	struct nl *n, const struct nft_reader *reader, struct str *s, struct err *e);
// The counters alone.
_must_check_ int nft_counters_read(struct nl *n, const struct nft_reader *reader, struct err *e);

// Tells every inet table's name and comment, "" when it has none.
typedef void nft_each_table(const char *name, const char *comment, void *arg);
_must_check_ int nft_tables_list(struct nl *n, nft_each_table *each, void *arg, struct err *e);

// Gives each element of a set to `each`, which returns 0. ENOENT: there is no such set.
struct nft_elements {
	const char *table, *set;
	int (*each)(struct nftnl_set_elem *element, void *arg);
	void *arg;
};
_must_check_ int nft_elements_read(struct nl *n, const struct nft_elements *of, struct err *e);

// The name of the table that a notification of nftables is about; NULL when it names none, as the
// one that ends a transaction.
const char *nft_message_table(const struct nlmsghdr *message);
