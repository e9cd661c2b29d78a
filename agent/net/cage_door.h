// SPDX-License-Identifier: Apache-2.0
// The doors of a cage: where the engine of one user id may send, as elements of the cage's sets.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/net/nl.h"
#include "lib/addr.h"

struct nft_set;
struct nftnl_set_elem;

struct cage_door {
	struct addr addr; // the prefix does not count
	uint8_t protocol; // IPPROTO_TCP or IPPROTO_UDP
	uint16_t
		port; // 0: every port, with UDP only: where a SOCKS5 relay listens is the server's choice
};

// Which set a door is in: by family, and whether its port is part of the key.
enum cage_set { CAGE_DOORS4, CAGE_DOORS6, CAGE_UDP4, CAGE_UDP6, CAGE_SETS };
const struct nft_set *cage_set(enum cage_set set);

// A door of a user id, as the kernel has it: the fields of the key in a row, each padded with zeros
// to 4 bytes. Bytes only, so equal ones are equal memory.
struct cage_element {
	uint8_t set; // enum cage_set
	uint8_t key[31];
};
struct cage_element cage_element_of(uint32_t uid, const struct cage_door *door);
uint32_t cage_element_uid(const struct cage_element *x);

// Reads one element of the kernel's. -1: it is none that this program makes.
_must_check_ int cage_element_read(
	struct nftnl_set_elem *from, enum cage_set set, struct cage_element *ret);

// For people: "uid 2147446782 to 203.0.113.7 tcp port 443". `buffer` is returned.
enum { CAGE_ELEMENT_TEXT_MAX = 128 };
const char *cage_element_text(
	const struct cage_element *x, char buffer[static CAGE_ELEMENT_TEXT_MAX]);

// A sorted list without doubles.
struct cage_elements {
	struct cage_element *of; // heap
	size_t count;
};
void cage_elements_done(struct cage_elements *list);
bool cage_elements_has(const struct cage_elements *list, const struct cage_element *x);
void cage_elements_add(struct cage_elements *list, const struct cage_element *x);
void cage_elements_remove_uid(struct cage_elements *list, uint32_t uid);
// The first of `list` that is not in `other`; NULL: there is none.
const struct cage_element *cage_elements_missing(
	const struct cage_elements *list, const struct cage_elements *other);

// Adds the messages (type NFT_MSG_NEWSETELEM or DELSETELEM) for those of of[0..count) that are not in
// `except` (NULL: for all). count is at most CAGE_CHUNK, which a batch holds of both types.
enum { CAGE_CHUNK = 32 };
struct cage_chunk {
	const char *table;
	int type;
	const struct cage_element *of;
	size_t count;
	const struct cage_elements *except;
};
void cage_chunk_put(const struct cage_chunk *chunk, struct nl *n, struct nl_batch *b);
