// SPDX-License-Identifier: Apache-2.0
// Child: questions to the monitor, and its order to end.
#include "sshproxy/monitor_client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

static void client_end(struct monitor_client *c, const char *sentence)
{
	c->over = true;
	if (!text_copy(c->sentence, sizeof(c->sentence), sentence))
		c->sentence[0] = '\0';
}

// Receives one message, but for notices, which it keeps. -1 when the monitor orders the end or has
// ended.
static int receive(struct monitor_client *c, const struct wait *w, struct message *ret,
	int fds[static MESSAGE_FDS_MAX], struct err *e)
{
	int r;
	while ((r = message_receive(c->fd, MESSAGE_FROM_MONITOR, w, ret, fds, e)) == 0 &&
		ret->kind == MESSAGE_SAY)
		memcpy(c->notice, ret->answer.sentence, sizeof(c->notice));
	if (r == MESSAGE_NONE)
		return MESSAGE_NONE;
	if (r == 0 && ret->kind != MESSAGE_END)
		return 0;
	client_end(
		c, r == 0 ? ret->answer.sentence : "The ssh proxy is restarting: connect again.");
	return err_say(e, ECONNRESET, "%s", c->sentence);
}

void monitor_client_init(struct monitor_client *c, int fd)
{
	*c = (struct monitor_client){.fd = fd};
}

int monitor_client_ask(struct monitor_client *c, const struct message *question,
	struct message *answer, int fds[static MESSAGE_FDS_MAX], struct err *e)
{
	struct wait w = wait_for(MONITOR_CLIENT_TIMEOUT_MS, -1);
	if (c->over)
		return err_say(e, ECONNRESET, "%s", c->sentence);
	if (message_send(c->fd, question, NULL, 0, e) < 0)
		return -1;
	int r = receive(c, &w, answer, fds, e);
	return r == MESSAGE_NONE ? -1 : r;
}

void monitor_client_poll(struct monitor_client *c, int timeout_ms)
{
	struct wait w = wait_for(timeout_ms, -1);
	struct message m;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	while (!c->over && receive(c, &w, &m, fds, &e) == 0)
		for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
			closep(&fds[i]); // nothing but an order comes unasked
}

void monitor_client_traffic(struct monitor_client *c)
{
	struct message m = message_new(MESSAGE_TRAFFIC);
	struct err ignored;
	(void)!message_send(c->fd, &m, NULL, 0, &ignored); // fails when the monitor has ended
}

void monitor_client_close(struct monitor_client *c, enum message_close_reason reason,
	uint64_t up_bytes, uint64_t down_bytes)
{
	struct message m = message_new(MESSAGE_CLOSE);
	m.close.reason = reason;
	m.close.up_bytes = up_bytes;
	m.close.down_bytes = down_bytes;
	struct err ignored;
	(void)!message_send(c->fd, &m, NULL, 0, &ignored); // fails when the monitor has ended
}
