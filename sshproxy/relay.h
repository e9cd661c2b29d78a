// SPDX-License-Identifier: Apache-2.0
// Child: everything that flows between one user's connection and one container's.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <libssh/libssh.h>

#include "sshproxy/channel_pair.h"
#include "sshproxy/request.h"

struct relay_channel;

// Requests wait in a queue for each channel, and in one for those that belong to no channel: what
// the container does not answer on one channel holds up no other, until RELAY_REQUESTS_MAX wait.
//
//     user == libssh == take ==> queue of the channel == ask, answer ==> libssh == container
//     user == libssh <========== pair of the channel ==================> libssh == container
enum { RELAY_REQUESTS_MAX = 256 }; // in all queues; then the user is not read until one is answered

struct relay {
	ssh_session user; // libssh server, authenticated
	ssh_session host; // libssh client, NULL until relay_connect
	struct ssh_counter_struct user_counter, host_counter; // what libssh has received
	struct relay_channel *channels;
	struct request_queue globals;
	struct pair_count count;
	bool is_broken; // a peer sends more than the window allows: end the connection
};

// The relay stays where it is until relay_done.
void relay_init(struct relay *relay, ssh_session user);
void relay_done(struct relay *relay); // frees channels and requests, not the sessions

// From now on requests are put to this container.
void relay_connect(struct relay *relay, ssh_session host);

// Takes over one message of the user's session.
void relay_take(struct relay *relay, ssh_message message);

// true while relay_take must not be called: too many requests wait.
bool relay_is_full(const struct relay *relay);

// Whether a side should be read: not while the other does not take what has come already.
bool relay_may_read_user(const struct relay *relay);
bool relay_may_read_host(const struct relay *relay);

// true when a channel waits for a container and there is none: dial, then relay_connect.
bool relay_wants_host(const struct relay *relay);

// Moves what can be moved now. Returns true when anything moved or came: call it again.
bool relay_turn(struct relay *relay);

// Tells something to the terminals that are open and take it now.
void relay_say(struct relay *relay, const char *sentence);

// Tells every open channel why it ends, and closes it. Requests are dropped, also those that open a
// channel. Returns whether a channel was open.
bool relay_end(struct relay *relay, const char *sentence);
