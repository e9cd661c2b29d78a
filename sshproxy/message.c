// SPDX-License-Identifier: Apache-2.0
// All processes: the table of messages, who may send which, and what a well formed one looks like.
#include "sshproxy/message.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/wait.h"

static bool is_name(const char *name)
{
	return text_ends_within(name, NAME_SIZE) && strcmp(name_or_dash(name), name) == 0;
}

static bool login_is_valid(const struct message *m)
{
	return is_name(m->login.name) &&
	       text_ends_within(m->login.password, sizeof(m->login.password));
}

static bool key_is_valid(const struct message *m)
{
	const char *sha256 = m->key.sha256;
	return is_name(m->key.name) && text_ends_within(sha256, sizeof(m->key.sha256)) &&
	       strspn(sha256, "0123456789abcdef") == MESSAGE_SHA256_SIZE - 1;
}

static bool close_is_valid(const struct message *m)
{
	return m->close.reason < MESSAGE_CLOSE_REASONS && m->close.up_bytes <= INT64_MAX &&
	       m->close.down_bytes <= INT64_MAX;
}

static bool answer_is_valid(const struct message *m)
{
	return m->answer.verdict <= MESSAGE_REFUSED &&
	       text_ends_within(m->answer.sentence, sizeof(m->answer.sentence));
}

static bool dialled_is_valid(const struct message *m)
{
	return m->dialled.verdict <= MESSAGE_REFUSED &&
	       text_ends_within(m->dialled.sentence, sizeof(m->dialled.sentence)) &&
	       text_ends_within(m->dialled.host_key, sizeof(m->dialled.host_key));
}

static bool peer_is_valid(const struct message *m)
{
	return text_ends_within(m->peer.address, sizeof(m->peer.address));
}

static bool anything_is_valid(const struct message *m)
{
	(void)m;
	return true;
}

static const struct {
	enum message_party from;
	size_t fds_max;
	bool (*is_valid)(const struct message *m);
} kinds[MESSAGE_KINDS] = {
	[MESSAGE_PASSWORD] = {MESSAGE_FROM_CHILD, 0, login_is_valid},
	[MESSAGE_KEY_OFFER] = {MESSAGE_FROM_CHILD, 0, key_is_valid},
	[MESSAGE_KEY_LOGIN] = {MESSAGE_FROM_CHILD, 0, key_is_valid},
	[MESSAGE_DIAL] = {MESSAGE_FROM_CHILD, 0, anything_is_valid},
	[MESSAGE_CLOSE] = {MESSAGE_FROM_CHILD, 0, close_is_valid},
	[MESSAGE_ANSWER] = {MESSAGE_FROM_MONITOR, 0, answer_is_valid},
	[MESSAGE_DIALLED] = {MESSAGE_FROM_MONITOR, 2, dialled_is_valid},
	[MESSAGE_END] = {MESSAGE_FROM_MONITOR, 0, answer_is_valid},
	[MESSAGE_CONNECTED] = {MESSAGE_FROM_LISTENER, 1, peer_is_valid},
	[MESSAGE_CRASHED] = {MESSAGE_FROM_LISTENER, 0, peer_is_valid},
	[MESSAGE_AUTHENTICATED] = {MESSAGE_FROM_MONITOR, 0, peer_is_valid},
	[MESSAGE_KILL] = {MESSAGE_FROM_MONITOR, 0, peer_is_valid},
	[MESSAGE_TRAFFIC] = {MESSAGE_FROM_CHILD, 0, anything_is_valid},
	[MESSAGE_SAY] = {MESSAGE_FROM_MONITOR, 0, answer_is_valid},
};

// All of a kind's descriptors come, or none when the answer is no.
static bool fds_are_valid(const struct message *m, size_t count)
{
	if (m->kind == MESSAGE_DIALLED && m->dialled.verdict != MESSAGE_YES)
		return count == 0;
	return count == kinds[m->kind].fds_max;
}

struct message message_new(enum message_kind kind)
{
	struct message m;
	memset(&m, 0, sizeof(m));
	m.kind = kind;
	return m;
}

bool message_is_valid(const struct message *m, size_t fds_count, enum message_party from)
{
	return m->kind > 0 && m->kind < MESSAGE_KINDS && kinds[m->kind].from == from &&
	       kinds[m->kind].is_valid(m) && fds_are_valid(m, fds_count);
}

int message_send(int fd, const struct message *m, const int *fds, size_t fds_count, struct err *e)
{
	struct wait now = wait_for(0, -1);
	int r = sock_send(fd, m, sizeof(*m), fds, fds_count, &now, e);
	return r > 0 ? err_wrap(e, "the reader is stuck") : r;
}

int message_receive(int fd, enum message_party from, const struct wait *w, struct message *ret,
	int fds[static MESSAGE_FDS_MAX], struct err *e)
{
	size_t count = 0;
	fds[0] = fds[1] = -1;
	int r = sock_recv(fd, ret, sizeof(*ret), fds, MESSAGE_FDS_MAX, &count, w, e);
	if (r == SOCK_CLOSED)
		return MESSAGE_CLOSED;
	if (r > 0)
		return MESSAGE_NONE;
	if (r < 0)
		return r;
	if (message_is_valid(ret, count, from))
		return 0;
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	fds[0] = fds[1] = -1;
	return err_say(e, EBADMSG, "a message that may not be came");
}
