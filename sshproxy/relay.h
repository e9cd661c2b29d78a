// SPDX-License-Identifier: Apache-2.0
// Child: everything that flows between one user's connection and one container's.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <libssh/libssh.h>

#include "sshproxy/channel_pair.h"

struct relay_request;

// What the user asks (open a channel, pty, exec, ...) stands in one line and is put to the
// container one after the other; the answer goes back before the next is asked, so answers keep
// their order.
enum {
	RELAY_CHANNELS_MAX = 256, // a connection; more are refused
	RELAY_REQUESTS_MAX = 64, // waiting in the line; then the user is not read until it shrinks
};

struct relay {
	ssh_session user; // libssh server, authenticated
	ssh_session host; // libssh client, NULL until relay_connect
	struct channel_pair *channels;
	size_t channels_count;
	struct relay_request *first, **last;
	size_t requests_count;
	struct relay_count count;
	bool is_broken; // somebody sends more than the window allows: end the connection
};

void relay_init(struct relay *relay, ssh_session user);
void relay_done(struct relay *relay); // frees channels and requests, not the sessions

// From now on requests are put to this container.
void relay_connect(struct relay *relay, ssh_session host);

// Takes over one message of the user's session. What we do not offer is refused at once.
void relay_take(struct relay *relay, ssh_message message);

// true while relay_take must not be called: the line is full.
bool relay_is_full(const struct relay *relay);

// true while the container should not be read: the user does not take what came already.
bool relay_output_is_full(const struct relay *relay);

// true when the first request waits for a container and there is none: dial, then relay_connect.
bool relay_wants_host(const struct relay *relay);

// Moves what can be moved now. Returns true when anything moved: call it again.
bool relay_turn(struct relay *relay);

// Tells every open channel why it ends, and closes it. Requests in the line are dropped.
void relay_end(struct relay *relay, const char *sentence);
