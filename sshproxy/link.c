// SPDX-License-Identifier: Apache-2.0
// Questions to the authority, and its order to end.
#include "sshproxy/link.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

static void link_end(struct link *link, const char *sentence)
{
	link->over = true;
	if (!text_copy(link->sentence, sizeof(link->sentence), sentence))
		link->sentence[0] = '\0';
}

// Receives one message. An order to end, and the authority's death, end the link: -1.
static int receive(struct link *link, const struct wait *w, struct message *ret,
	int fds[static MESSAGE_FDS_MAX], struct err *e)
{
	int r = message_receive(link->fd, MESSAGE_FROM_AUTHORITY, w, ret, fds, e);
	if (r == MESSAGE_NONE)
		return MESSAGE_NONE;
	if (r == 0 && ret->kind != MESSAGE_END)
		return 0;
	link_end(link,
		r == 0 ? ret->answer.sentence : "The ssh proxy is restarting: connect again.");
	return err_say(e, ECONNRESET, "%s", link->sentence);
}

void link_init(struct link *link, int fd)
{
	*link = (struct link){.fd = fd};
}

int link_ask(struct link *link, const struct message *question, struct message *answer,
	int fds[static MESSAGE_FDS_MAX], struct err *e)
{
	struct wait w = wait_for(LINK_TIMEOUT_MS, -1);
	if (link->over)
		return err_say(e, ECONNRESET, "%s", link->sentence);
	if (message_send(link->fd, question, NULL, 0, e) < 0)
		return -1;
	int r = receive(link, &w, answer, fds, e);
	return r == MESSAGE_NONE ? -1 : r;
}

void link_look(struct link *link)
{
	struct wait now = wait_for(0, -1);
	struct message m;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	while (!link->over && receive(link, &now, &m, fds, &e) == 0)
		for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
			closep(&fds[i]); // nothing but an order comes unasked
}

void link_bye(struct link *link, enum message_bye why, uint64_t up_bytes, uint64_t down_bytes)
{
	struct message m;
	struct err e;
	memset(&m, 0, sizeof(m));
	m.kind = MESSAGE_BYE;
	m.bye.why = why;
	m.bye.up_bytes = up_bytes;
	m.bye.down_bytes = down_bytes;
	if (message_send(link->fd, &m, NULL, 0, &e) < 0)
		return; // nobody is left who could be told
}
