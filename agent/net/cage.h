// SPDX-License-Identifier: Apache-2.0
// The cage: one nftables table in the uplink's namespace that lets each proxy engine send to its own
// proxy and nowhere else.
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "agent/net/cage_door.h"
#include "agent/net/nft_table.h"
#include "agent/net/nl.h"

struct err;
struct evidence;

// clang-format off
// table inet ccp_cage_GROUP {
//     comment OWNER
//     counter passed; counter denied; counter denied_loopback
//     set doors4 { typeof meta skuid . ip  daddr . meta l4proto . th dport; }
//     set doors6 { typeof meta skuid . ip6 daddr . meta l4proto . th dport; }
//     set udp4   { typeof meta skuid . ip  daddr; }   # every UDP port
//     set udp6   { typeof meta skuid . ip6 daddr; }
//
//     chain caged {
//         oifname lo counter name denied_loopback drop
//         meta skuid . ip daddr . meta l4proto . th dport @doors4 counter name passed accept
//         ...                                                     # doors6, udp4, udp6
//         counter name denied drop
//     }
//     chain engines {
//         meta skgid GROUP goto caged
//         meta skgid CAGE_GROUP_FIRST-CAGE_GROUP_LAST return      # another installation's
//         goto caged
//     }
//     chain output {
//         type filter hook output priority 2147483647; policy accept;
//         meta skuid CAGE_UID_FIRST-CAGE_UID_LAST jump engines
//     }
// }
// clang-format on
//
// It comes last at its hook, so addresses that other tables translate are seen as they leave, and no
// other table's `accept` undoes its `drop`. The other way round, two installations that share a
// namespace would deny each other's engines, for both number their hosts, and so the user ids of their
// engines, from the same first one. What tells them apart is the engines' group id: each cage claims
// one, and its table has the name of it, so the kernel lets one installation have it. An engine of
// ours with any other group is denied everything, by every cage.
//
// Packets that no socket sends, or whose socket is closed already (resets, the end of a connection),
// have no user id and pass. The cage holds an engine to its configuration: nothing that is written
// there by mistake leads elsewhere. An engine that runs foreign code is another
// matter: it has CAP_NET_ADMIN, and what keeps it from netlink is its system call filter.

// User ids of engines: host.ids() in SQL has the engines' of hosts, and behind them are 8 of exit
// tests. Above them are the group ids; below 2^31 - 1, where signed readers end.
enum {
	CAGE_UID_FIRST = 2147446782,
	CAGE_UID_TESTS = 2147475452, // the first of them
	CAGE_UID_LAST = 2147475459,
	CAGE_GROUP_FIRST = 2147475460,
	CAGE_GROUP_LAST = 2147483646,
};

enum { CAGE_DOORS_MAX = 8 }; // of one engine

// Every function locks it, so all threads may share one.
struct cage {
	pthread_mutex_t lock;
	struct nl nl;
	uint32_t port; // nl_port
	char owner[NFT_COMMENT_MAX];
	uint32_t group; // the claimed one; 0: not loaded
	struct cage_elements doors; // that should be in the kernel
};

// Opens the socket; changes nothing. `owner` names this installation and no other one: what
// nft_table_init has as comment, such as the public half of the agent's sealing key.
_must_check_ int cage_init(struct cage *c, int uplink_fd, const char *owner, struct err *e);
void cage_done(struct cage *c); // the table stays, so engines go on

// Makes sure the table is there and right: one that this owner has left keeps its group and its doors;
// otherwise the first free group is claimed, beginning with one that follows from the owner's name.
// The doors are what the kernel had: set those of every engine that is found again, then cage_keep().
_must_check_ int cage_load(struct cage *c, struct err *e);

// Removes the table that this owner has, if it has one: when none of its engines lives any more.
_must_check_ int cage_remove(struct cage *c, struct err *e);

// The group that engines must run with, besides a user id of their own. After cage_load.
uint32_t cage_group(struct cage *c);

// Puts the table back, in one transaction, and then the doors, after it was removed or changed.
// Counters begin again. Until then engines were free, or without doors.
_must_check_ int cage_restore(struct cage *c, struct err *e);

// What the engine with this user id may reach from now on, instead of what it could; count 0: nothing.
// Doors that stay are never closed in between. Before an engine starts, and after it is dead.
_must_check_ int cage_set_doors(
	struct cage *c, uint32_t uid, const struct cage_door *doors, size_t count, struct err *e);

// Closes the doors of every user id that `keep` says no to: those that an agent left which died. `keep`
// calls no function of the cage.
_must_check_ int cage_keep(
	struct cage *c, bool (*keep)(uint32_t uid, void *arg), void *arg, struct err *e);

// Packets since the table was made.
struct cage_counts {
	uint64_t passed;
	uint64_t denied; // to anywhere but lo
	uint64_t denied_loopback;
};
_must_check_ int cage_read_counts(struct cage *c, struct cage_counts *ret, struct err *e);

// Adds one check `cage` (error code `inventory`): the table is ours to the last rule and its sets hold
// exactly the doors that were set. *ret may be NULL.
_must_check_ int cage_check(
	struct cage *c, struct cage_counts *ret, struct evidence *ev, struct err *e);

// A descriptor that becomes readable when anything of nftables changes in the uplink's namespace,
// whose descriptor is uplink_fd; the caller closes it.
_must_check_ int cage_watch(int uplink_fd, struct err *e);

// Reads all that is queued. true: another program changed our table, or some of it was lost:
// check, and restore. What this struct cage did does not count.
bool cage_changed(struct cage *c, int watch_fd);
