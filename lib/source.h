// SPDX-License-Identifier: Apache-2.0
// Where clients come from, for everything that is shared among them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr;

// Who has many addresses usually has them beside each other, so what runs short is shared among
// networks first, and within a network among its addresses.
struct source {
	uint64_t network; // an IPv4 /24 or an IPv6 /48
	uint64_t address; // an IPv4 address or an IPv6 /64, which is one subscriber's
};

struct source source_of(const struct addr *address);
struct source source_of_text(const char *address); // what is not an address is one source
uint64_t source_name(const char *name); // a number for a name; NULL is 0

// A place that a source takes up, of a kind of which there is a limited number.
struct source_place {
	struct source source;
	bool is_silent; // has had time to say something, and has not
	int64_t since_ms;
};

// Who leaves when places run short, as an index; `count` > 0. Those that say nothing go before
// others; of these, one of the network that has the most, there of the address that has the most,
// there the oldest. So a source keeps another out only by holding as many places as it.
size_t source_leaver(const struct source_place *places, size_t count);
