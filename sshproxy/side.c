// SPDX-License-Identifier: Apache-2.0
// Child: polls a libssh session.
#include "sshproxy/side.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { LIBSSH_READ_BYTES = 4096 }; // a poll

void side_attach(struct side *side)
{
	side->event = ssh_event_new();
	if (!side->event || ssh_event_add_session(side->event, side->session) != SSH_OK)
		abort(); // out of memory
}

bool session_write_is_pending(ssh_session session)
{
	return session && (ssh_get_status(session) & SSH_WRITE_PENDING) != 0;
}

struct pollfd side_poll(const struct side *side, bool may_read)
{
	short events = may_read ? POLLIN : 0;
	if (!side->session)
		return (struct pollfd){.fd = -1};
	if (session_write_is_pending(side->session))
		events |= POLLOUT;
	return (struct pollfd){.fd = side->fd, .events = events};
}

void side_drive(struct side *side, bool may_read)
{
	int most = may_read ? SIDE_READ_BYTES / LIBSSH_READ_BYTES : 1;
	short wanted = may_read ? side->revents : side->revents & ~POLLIN;
	for (int i = 0; wanted != 0 && i < most; i++)
		if (ssh_event_dopoll(side->event, 0) != SSH_OK)
			return;
}

void side_ack(const struct side *side)
{
	int on = 1;
	if (side->session)
		(void)setsockopt(side->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

bool side_is_dead(const struct side *side)
{
	return side->session &&
	       (ssh_get_status(side->session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}
