// SPDX-License-Identifier: Apache-2.0
// Child: the table of channel kinds.
#include "sshproxy/channel_kind.h"

#include <string.h>

#include <libssh/server.h>

#include "lib/mem.h"
#include "sshproxy/channel_pair.h"

// See request.c: the container answers, so requests are taken as messages.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int session_open(struct channel_pair *pair, ssh_message request)
{
	(void)request;
	return ssh_channel_open_session(pair->host);
}

// On a line of its own of stderr.
static void session_say(struct channel_pair *pair, const char *sentence)
{
	const char *line = pair->pty ? "\r\n" : "\n"; // a terminal in raw mode wants both
	(void)ssh_channel_write_stderr(pair->user, line, (uint32_t)strlen(line));
	(void)ssh_channel_write_stderr(pair->user, sentence, (uint32_t)strlen(sentence));
	(void)ssh_channel_write_stderr(pair->user, line, (uint32_t)strlen(line));
}

// The exit status is the one of OpenSSH's own failures.
static void session_close(struct channel_pair *pair, const char *sentence)
{
	session_say(pair, sentence);
	(void)ssh_channel_request_send_exit_status(pair->user, 255);
	(void)ssh_channel_close(pair->user);
}

static const struct channel_kind kinds[] = {
	// clang-format off
	// type              most  open          say          close
	{SSH_CHANNEL_SESSION, 256, session_open, session_say, session_close},
	// clang-format on
};

const struct channel_kind *channel_kind_find(ssh_message request)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].type == ssh_message_subtype(request))
			return &kinds[i];
	return NULL;
}
