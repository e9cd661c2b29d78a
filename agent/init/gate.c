// SPDX-License-Identifier: Apache-2.0
// The listening half of the gate: which peers may ask, and what they get for an answer.
#include "agent/init/init.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int gate_init(struct gate *g, const char *words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	g->state = GATE_WAITING;
	g->words = words;
	for (int i = 0; i < GATE_PEERS_MAX; i++)
		g->peers[i] = -1;
	memcpy(address.sun_path, GATE_NAME, GATE_NAME_SIZE);
	g->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (g->listener < 0 ||
		bind(g->listener, (struct sockaddr *)&address,
			offsetof(struct sockaddr_un, sun_path) + GATE_NAME_SIZE) < 0 ||
		listen(g->listener, 64) < 0) {
		init_log("listen at the gate");
		return -1;
	}
	return 0;
}

// A pid of 0 is what the kernel shows of a process outside our pid namespace. Processes inside show
// their pid there, also when they came by `docker exec`, lost their parent or are dead already.
static bool peer_is_outside(int fd)
{
	struct ucred peer = {.pid = -1};
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == 0;
}

void gate_accept(struct gate *g)
{
	int fd = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (peer_is_outside(fd)) {
		for (int i = 0; i < GATE_PEERS_MAX; i++) {
			if (g->peers[i] < 0) {
				g->peers[i] = fd;
				return;
			}
		}
	}
	close(fd);
}

static void peer_close(struct gate *g, int i)
{
	close(g->peers[i]);
	g->peers[i] = -1;
}

static void peer_tell(struct gate *g, int i)
{
	struct gate_answer answer = {.magic = GATE_MAGIC, .state = g->state};

	memcpy(answer.words, g->words, sizeof(answer.words));
	if (send(g->peers[i], &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
		peer_close(g, i);
}

bool gate_serve(struct gate *g, int i)
{
	struct gate_message asked = {0};
	ssize_t size = recv(g->peers[i], &asked, sizeof(asked), MSG_TRUNC);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (size != sizeof(asked) || asked.magic != GATE_MAGIC ||
		(asked.word != GATE_ASK && asked.word != GATE_OPEN)) {
		peer_close(g, i);
		return false;
	}
	if (asked.word == GATE_OPEN && g->state == GATE_WAITING)
		return true;
	peer_tell(g, i);
	return false;
}

void gate_change(struct gate *g, enum gate_state state)
{
	g->state = state;
	for (int i = 0; i < GATE_PEERS_MAX; i++) {
		if (g->peers[i] >= 0)
			peer_tell(g, i);
	}
}

void gate_done(struct gate *g)
{
	for (int i = 0; i < GATE_PEERS_MAX; i++) {
		if (g->peers[i] >= 0)
			peer_close(g, i);
	}
	close(g->listener);
	g->listener = -1;
}
