// SPDX-License-Identifier: Apache-2.0
// Generic netlink (linux/genetlink.h): families of commands that the kernel knows by name, and
// numbers as it starts.
#pragma once

#include <stdint.h>

#include "agent/net/nl.h"
#include "lib/attr.h"
#include "lib/outcome.h"

struct err;

enum genl_outcome { GENL_ABSENT = OUTCOMES_GENL }; // this kernel does not have the family

// The number of a family, over a socket of NETLINK_GENERIC. A kernel that could load the family's
// module does so now. 0, GENL_ABSENT, -1.
_must_check_ int genl_family(struct nl *n, const char *name, uint16_t *ret, struct err *e);

// What a message is for.
struct genl_command {
	uint16_t family; // genl_family's
	uint8_t command, version; // the family's own
};
// Starts one message; flags as nl_put.
struct nlmsghdr *genl_put(
	struct nl *n, struct nl_batch *b, const struct genl_command *command, uint16_t flags);

// The size of what stands in front of a message's attributes.
size_t genl_header_size(void);
