// SPDX-License-Identifier: Apache-2.0
// A queue in which those who wait take turns, whatever each of them has brought.
#pragma once

#include <stdint.h>

#include "lib/source.h"

// Networks take turns, in each its addresses, of each its names: the next one's oldest item is next.
// So an item waits for at most one of each other network, each other address of its network, and
// each other name of its address, besides what came before it under its own name.
struct turns_who {
	struct source source;
	uint64_t name; // who it is there: source_name(); 0: has not said
};

// Embedded in what waits.
struct turns_item {
	struct turns_who who;
	struct turns_item *next;
};

struct turns {
	struct turns_line *lines; // a tree; NULL: empty
	unsigned waiting;
};

void turns_add(struct turns *turns, struct turns_item *item);

// The next one; NULL when none waits. It is the caller's again.
struct turns_item *turns_take(struct turns *turns);

// The youngest of the longest line: of the network that has most, there of the address, there of the
// name. Among equals it is one who has come to wait last. Not when empty.
struct turns_item *turns_drop(struct turns *turns);
