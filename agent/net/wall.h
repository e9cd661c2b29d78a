// SPDX-License-Identifier: Apache-2.0
// The second wall: one nftables rule set per container namespace, loaded once, opened by one set
// element with a timeout.
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/net/nl.h"
#include "lib/addr.h"
#include "lib/attr.h"

struct err;
struct evidence;

// clang-format off
// table inet ccp {
//     set proven    { type ifname; flags timeout; }   # open: the tunnel's name; closed: empty
//     set tunnel    { type ifname; }                  # the exit, from here ...
//     set families  { type nf_proto; }
//     set resolver4 { type ipv4_addr; }
//     set resolver6 { type ipv6_addr; }               # ... to here
//
//     chain output {
//         type filter hook output priority 0; policy drop;
//         oifname lo accept
//         meta nfproto != @families goto deny_v6
//         meta l4proto tcp jump dns
//         meta l4proto udp jump dns
//         ip daddr { 169.254.0.0/16, 224.0.0.0-255.255.255.255 } goto deny_local
//         ip6 daddr { fe80::-ffff:..., fd00:ec2::254 } goto deny_local    # one rule for each
//         meta mark VERIFY oifname @tunnel goto pass
//         oifname != @proven goto deny_closed
//         goto pass
//     }
//     chain dns {
//         th dport 853 goto deny_dns
//         th dport != 53 return
//         ip daddr @resolver4 return
//         ip6 daddr @resolver6 return
//         goto deny_dns
//     }
//     chain input {
//         type filter hook input priority 0; policy drop;
//         iifname lo accept
//         ct state established,related accept
//         goto deny_in
//     }
//     chain forward { type filter hook forward priority 0; policy drop; }
//
//     chain deny_v6, deny_dns, deny_local, deny_closed, deny_in, pass {
//         meta mark VERIFY counter name CHAIN_verify drop    # pass: accept
//         meta mark PROBE  counter name CHAIN_probe  drop
//         counter name CHAIN_user drop
//     }
// }
// clang-format on
//
// The rules are the same for every host and are never replaced or flushed; another exit changes
// elements only. Closed is an empty `proven`: at start, on a wrong exit, at stop, and by itself when
// the proof's life has run out, so a host whose agent has died is closed by the kernel.

// Marks (SO_MARK) need NET_ADMIN or NET_RAW over the namespace, which no process in a container
// has.
#define WALL_MARK_VERIFY \
	0x63637001u // may use the tunnel in both states: the verification's own traffic
#define WALL_MARK_PROBE \
	0x63637002u // treated as user traffic but counted apart: the negative probes

// What the wall knows of the exit.
struct wall_spec {
	char tunnel[IFNAMSIZ]; // device name inside the namespace
	struct addr resolver; // the only address that port 53 may talk to
	bool ipv6; // the exit has IPv6
	// The tunnel's address here. In no set: what is sent to it goes by lo, past the rules, so
	// probes must not choose it.
	struct addr own;
};

// Where a packet ended, and who sent it. Every packet except those of lo and of established input
// counts in one cell.
enum wall_chain {
	WALL_DENY_V6,
	WALL_DENY_DNS,
	WALL_DENY_LOCAL,
	WALL_DENY_CLOSED,
	WALL_DENY_IN,
	WALL_PASS,
	WALL_CHAINS
};
enum wall_sender { WALL_USER, WALL_VERIFY, WALL_PROBE, WALL_SENDERS };

struct wall_counts {
	uint64_t packets[WALL_CHAINS][WALL_SENDERS];
};

struct wall_proof {
	bool open;
	int64_t remaining_ms; // 0 when closed
};

struct wall_state {
	// SHA-256 over every table, chain, set, rule of the namespace, state left out; hex
	char hash[65];
	// How the sets' elements differ from the spec's, as a sentence; "": they are exactly those
	char difference[160];
	struct wall_proof proof;
	struct wall_counts counts;
};

// One netlink socket inside the namespace. Kept open between calls, because closing it after a
// batch with a deletion waits 13 ms for the kernel: close it off the critical path. It keeps the
// namespace alive. One caller at a time.
struct wall {
	struct nl nl;
	struct wall_spec spec;
};
#define WALL_INIT ((struct wall){.nl = NL_INIT})

// Opens the socket; changes nothing. `w` is initialised in every case, so wall_done is always
// right.
_must_check_ int wall_init(struct wall *w, int ns_fd, const struct wall_spec *spec, struct err *e);
void wall_done(struct wall *w); // up to 13 ms; the rules stay

// Loads the whole rule set, closed, in one batch with an acknowledgement per message, then names
// its exit by wall_set_exit; until then everything is denied. EEXIST: it is already there (then
// compare wall_read's hash; a wall is never replaced). About 1 ms.
_must_check_ int wall_load(struct wall *w, struct err *e);

// Closes the wall and makes the sets name this exit and nothing else, in one batch. *spec is the
// wall's own when that has worked.
_must_check_ int wall_set_exit(struct wall *w, const struct wall_spec *spec, struct err *e);

// The proof: puts the tunnel into `proven` for life_ms, or renews it (empty and add in one batch:
// no packet is refused in between). Only after a passed verification.
_must_check_ int wall_open(struct wall *w, int64_t life_ms, struct err *e);

// Empties `proven`. Fine when it is empty already.
_must_check_ int wall_close(struct wall *w, struct err *e);

_must_check_ int wall_read(struct wall *w, struct wall_state *ret, struct err *e);

// Of that the counters or the proof alone: a tenth of the work.
_must_check_ int wall_read_counts(struct wall *w, struct wall_counts *ret, struct err *e);
_must_check_ int wall_read_proof(struct wall *w, struct wall_proof *ret, struct err *e);

// The hash that wall_read must show when this rule set and nothing else is loaded in the namespace:
// the same for every host.
void wall_expected_hash(char ret[static 65]);

// Adds one check `rules` (error code `inventory`): the hash is the expected one and the sets hold
// exactly what the spec says. *ret as wall_read; may be NULL.
_must_check_ int wall_check(
	struct wall *w, struct wall_state *ret, struct evidence *ev, struct err *e);

// A descriptor that becomes readable when anything of nftables changes in the namespace; keeps it
// alive; the caller closes it.
_must_check_ int wall_watch(int ns_fd, struct err *e);

// Reads all that is queued. true: a table, chain, set, rule or element changed (or was lost on
// overflow): verify fully now. Openings, renewals and closings do not count.
bool wall_changed(int watch_fd);
