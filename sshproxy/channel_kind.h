// SPDX-License-Identifier: Apache-2.0
// Child: the kinds of channels that a user's client may open.
#pragma once

#include <libssh/libssh.h>

struct channel_pair;

struct channel_kind {
	int type; // enum ssh_channel_type_e
	unsigned most; // open at once in a connection; more are refused
	// Puts the opening to the container, on pair->host. SSH_AGAIN: no answer yet, call again.
	int (*open)(struct channel_pair *pair, ssh_message request);
	// Tells the user something. Best left alone while the session has unsent bytes.
	void (*say)(struct channel_pair *pair, const char *sentence);
	// Tells the user why the proxy ends the channel, and closes it. Nothing moves afterwards.
	void (*close)(struct channel_pair *pair, const char *sentence);
};

// The row for the channel that a message asks to open; NULL: not offered, refuse it.
const struct channel_kind *channel_kind_find(ssh_message request);
