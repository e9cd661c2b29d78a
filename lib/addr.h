// SPDX-License-Identifier: Apache-2.0
// Numeric addresses, IPv4 and IPv6, with prefix or port, as values that can be compared.
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
	int family; // AF_INET or AF_INET6; 0: not an internet address
	uint8_t bytes[16]; // network order, the first 4 or all 16
	uint8_t prefix; // 0..32 or 0..128; 32 or 128 when the text had none
};

struct addr_port {
	struct addr addr;
	uint16_t port; // host order
};

// For initializers: ADDR_V4(127, 0, 0, 1).
#define ADDR_V4(a, b, c, d) \
	{ \
		.family = AF_INET, .bytes = {(a), (b), (c), (d)}, .prefix = 32 \
	}

enum { ADDR_TEXT_MAX = INET6_ADDRSTRLEN + 4 };

// "10.66.0.2", "10.66.0.2/32", "fd00::2/64". Host bits are kept. No names, blanks or scope ids,
// no zeros in front of the prefix.
_must_check_ int addr_parse(const char *text, struct addr *ret, struct err *e);

// "203.0.113.7:51820" or "[2001:db8::7]:51820", port 0 to 65535. Names are not looked up.
_must_check_ int addr_parse_port(const char *text, struct addr_port *ret, struct err *e);

// Family and bytes only: the prefix does not count.
bool addr_equal(const struct addr *a, const struct addr *b);

// Is any bit behind the prefix set, as in 10.0.0.1/8?
bool addr_has_host_bits(const struct addr *a);

size_t addr_size(const struct addr *a); // 4 or 16

// Without the prefix. `buffer` is returned.
const char *addr_text(const struct addr *a, char buffer[static ADDR_TEXT_MAX]);
// With "/prefix".
const char *addr_cidr(const struct addr *a, char buffer[static ADDR_TEXT_MAX]);

// Fills a socket address; returns its length for connect() and bind().
socklen_t addr_to_socket(const struct addr *a, uint16_t port, struct sockaddr_storage *ret);
// The other way; family 0 when it is not an internet address. An IPv4 address mapped into IPv6
// stays one.
struct addr_port addr_from_socket(const struct sockaddr *from);
