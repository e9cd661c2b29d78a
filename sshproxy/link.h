// SPDX-License-Identifier: Apache-2.0
// A child's line to the authority.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"
#include "sshproxy/message.h"

struct err;

// The authority answers within five seconds, whatever is away.
enum { LINK_TIMEOUT_MS = 10000 };

struct link {
	int fd;
	bool over; // told to end, or the authority is gone: `sentence` is for the user
	char sentence[MESSAGE_SENTENCE_SIZE];
};

void link_init(struct link *link, int fd);

// Puts a question and waits for its answer. `fds` are set when the answer is DIALLED with yes, else
// -1. -1 also when the link is over.
_must_check_ int link_ask(struct link *link, const struct message *question, struct message *answer,
	int fds[static MESSAGE_FDS_MAX], struct err *e);

// Reads what came unasked: afterwards `over` may be true.
void link_look(struct link *link);

// The last word; nobody answers it.
void link_bye(struct link *link, enum message_bye why, uint64_t up_bytes, uint64_t down_bytes);
