// SPDX-License-Identifier: Apache-2.0
// Child: its line to the monitor.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"
#include "sshproxy/message.h"

struct err;

// The monitor answers within five seconds, whatever is away.
enum { MONITOR_CLIENT_TIMEOUT_MS = 10000 };

struct monitor_client {
	int fd;
	bool over; // ordered to end, or the monitor has ended: `sentence` is for the user
	char sentence[MESSAGE_SENTENCE_SIZE];
	char notice[MESSAGE_SENTENCE_SIZE]; // for the user, who stays, until its reader empties it
};

void monitor_client_init(struct monitor_client *c, int fd);

// Puts a question and waits for its answer. `fds` are set when the answer is DIALLED with yes, else
// -1. -1 also when `over`.
_must_check_ int monitor_client_ask(struct monitor_client *c, const struct message *question,
	struct message *answer, int fds[static MESSAGE_FDS_MAX], struct err *e);

// Reads what came unasked, and waits for it for at most timeout_ms: afterwards `over` may be true,
// and `notice` new.
void monitor_client_poll(struct monitor_client *c, int timeout_ms);

// Bytes have moved.
void monitor_client_traffic(struct monitor_client *c);

// The last message; it has no answer.
void monitor_client_close(struct monitor_client *c, enum message_close_reason reason,
	uint64_t up_bytes, uint64_t down_bytes);
