// SPDX-License-Identifier: Apache-2.0
// Listener: how many connections may be open, and how many may be logging in (OpenSSH's MaxStartups
// with random early drop, and its PerSourceMaxStartups).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr;

enum {
	// 20:30:100. From 20 connections that have not logged in, 30 % of the new ones are refused,
	// rising in a line to all of them at 100.
	STARTUP_BEGIN = 20,
	STARTUP_RATE = 30,
	STARTUP_FULL = 100,
	// Of one network: fewer than STARTUP_BEGIN, so that one network alone keeps no other out.
	STARTUP_NETWORK_MAX = 16,
};

// What counts as one network: an IPv4 address, or the /64 of an IPv6 address.
uint64_t startup_network(const struct addr *address);

// `waiting` connections have not logged in, `of_network` of them come from the new one's network;
// `random` is uniform over all of uint32_t.
bool startup_refuses(unsigned waiting, unsigned of_network, uint32_t random);

// How many connections may be open at once. The monitor has a descriptor for each, and must not
// run out of them: `descriptors` is its RLIMIT_NOFILE.
enum { STARTUP_CONNECTIONS_MAX = 4096, STARTUP_DESCRIPTORS_SPARE = 128 };
size_t startup_connections_max(uint64_t descriptors);
