// SPDX-License-Identifier: Apache-2.0
// Child: what the user's client requests (open a channel, pty, exec, a signal, ...), and its queue.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <libssh/libssh.h>

struct channel_pair;

enum { REQUEST_SIGNAL_MAX = 32 }; // "SEGV@example.org", with its NUL

struct request {
	struct request *next;
	ssh_message message; // NULL for a signal
	bool asked; // the container has it and has not answered
	char signal[REQUEST_SIGNAL_MAX];
};

// Requests of one channel, or those that belong to no channel: SSH wants their answers in the order
// in which they came, so the container is asked the next one once the first is answered.
struct request_queue {
	struct request *first, **last;
	size_t count;
};

void request_queue_init(struct request_queue *queue);
void request_queue_clear(struct request_queue *queue); // drops all, without an answer

// Takes the message over.
void request_queue_add(struct request_queue *queue, ssh_message message);
void request_queue_add_signal(struct request_queue *queue, const char *signal);

// Removes the first one and frees it.
void request_queue_pop(struct request_queue *queue);

// Puts a channel's request (not the one that opens it) to the container and gives the user its
// answer. SSH_AGAIN: the answer has not come, call again. SSH_OK: done, whatever the answer was.
int request_ask(struct request *request, struct channel_pair *pair);

// Refuses it. libssh has one code only for a channel that is not opened, "administratively
// prohibited", and no text with it.
void request_refuse(struct request *request);
