// SPDX-License-Identifier: Apache-2.0
// The elements of the wall's sets: which exit the namespace has, and its proof.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/net/ruleset.h"

struct nftnl_set_elem;

// One element of one set. The key is as long as ruleset_key_size(set) says; the rest is zero.
struct element {
	enum ruleset_set set;
	uint8_t key[RULESET_KEY_MAX];
};

enum { ELEMENTS_MAX = 4, ELEMENT_TEXT_MAX = 64 };

// Everything that the sets hold about an exit: all of them but RULESET_PROVEN, which holds the
// element of RULESET_TUNNEL while there is a proof.
struct elements {
	struct element of[ELEMENTS_MAX];
	size_t count;
};
void elements_of_exit(const struct wall_spec *spec, struct elements *ret);
struct element element_of_proof(const struct wall_spec *spec);

// Adds a message to a batch: empties a set, or puts one element into it. timeout_ms 0: for good.
void element_put_flush(struct nl *n, struct nl_batch *b, enum ruleset_set set);
void element_put(struct nl *n, struct nl_batch *b, const struct element *x, int64_t timeout_ms);

// Reads one element of the kernel's. -1: it is none that this program makes (a catch-all, a key of
// another length, one with statements of its own).
_must_check_ int element_read(
	const struct nftnl_set_elem *from, enum ruleset_set set, struct element *ret);

// The same set and key.
bool element_equal(const struct element *a, const struct element *b);

// For people: "tun0", "ipv4", "10.66.0.1". `buffer` is returned.
const char *element_text(const struct element *x, char buffer[static ELEMENT_TEXT_MAX]);
