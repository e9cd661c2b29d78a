// SPDX-License-Identifier: Apache-2.0
// --embed-agent: the agent as this program's child, for machines and containers that run one service.
#pragma once

#include "lib/attr.h"

struct embed;
struct err;
struct loop;

// As root and with one thread: starts a keeper, which stays root, and becomes the system user
// ccp-worker for good, with the group ccp-db. The keeper runs the ccp-agent that lies beside this
// program, with --state-dir and `arguments` (NULL-terminated), and runs it again when it ends, after
// a pause that doubles from one second to a minute while the agent does not last. The agent is the
// same as one of its own service: its log goes where ours does, each line with its program's name.
_must_check_ int embed_new(
	const char *state_dir, char *const *arguments, struct embed **ret, struct err *e);

// Stops the loop with status 1 when the keeper ends, which it never does by itself: our supervisor
// starts both again.
_must_check_ int embed_watch(struct embed *embed, struct loop *loop, struct err *e);

// Asks for the agent's end, as our death does, however it comes.
void embed_ask(struct embed *embed);

// Waits for that, then frees. The agent has EMBED_END_MS to hand back what it does, and is killed
// then. NULL is fine.
enum { EMBED_END_MS = 12000 };
void embed_free(struct embed *embed);
