// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 addresses, with prefix or port, as values that can be compared.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/attr.h"

struct err;

// Bytes that do not belong to the family are zero, so two equal addresses are equal bytes.
struct addr {
	int family; // AF_INET or AF_INET6
	uint8_t bytes[16]; // network order, the first 4 or all 16
	uint8_t prefix; // 0..32 or 0..128; 32 or 128 when the text had none
};

enum { ADDR_TEXT_MAX = INET6_ADDRSTRLEN + 4 };

// "10.66.0.2", "10.66.0.2/32", "fd00::2/64". Host bits are kept. No names, no blanks, no scope ids.
_must_check_ int addr_parse(const char *text, struct addr *ret, struct err *e);

// "203.0.113.7:51820" or "[2001:db8::7]:51820". Names are refused: nobody resolves here.
_must_check_ int addr_parse_port(
	const char *text, struct addr *ret, uint16_t *ret_port, struct err *e);

// Family and bytes only: the prefix does not count.
bool addr_equal(const struct addr *a, const struct addr *b);

size_t addr_size(const struct addr *a); // 4 or 16

// Without the prefix. `buffer` is returned.
const char *addr_text(const struct addr *a, char buffer[static ADDR_TEXT_MAX]);
// With "/prefix".
const char *addr_cidr(const struct addr *a, char buffer[static ADDR_TEXT_MAX]);

// Fills a socket address; returns its length for connect().
socklen_t addr_socket(const struct addr *a, uint16_t port, struct sockaddr_storage *ret);
