// SPDX-License-Identifier: Apache-2.0
// Fuzzes both ends of the gate: nothing but the word GATE_OPEN opens it, and the agent takes no
// state that it does not know.
// uses: agent/container/gate.c agent/container/pid1.c agent/init/gate.c agent/init/log.c agent/net/netns.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/container/gate.h"
#include "agent/init/init.h"
#include "lib/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
	if (!promise)
		abort();
}

// A connection on which this has come already.
static void pair_make(int pair[2], const uint8_t *data, size_t size)
{
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) == 0);
	must(send(pair[1], data, size, MSG_NOSIGNAL) == (ssize_t)size);
}

static void init_hears(const uint8_t *data, size_t size)
{
	static const struct gate_message open = {.magic = GATE_MAGIC, .word = GATE_OPEN};
	static const char words[GATE_WORDS_SIZE];
	struct gate g = {.listener = -1, .state = GATE_WAITING, .words = words};
	int pair[2];
	pair_make(pair, data, size);
	for (int i = 0; i < GATE_PEERS_MAX; i++)
		g.peers[i] = -1;
	g.peers[0] = pair[0];
	bool opens = gate_serve(&g, 0);
	must(opens == (size == sizeof(open) && memcmp(data, &open, sizeof(open)) == 0));
	must(g.state == GATE_WAITING);
	if (g.peers[0] >= 0)
		close(g.peers[0]);
	close(pair[1]);
}

static void agent_hears(const uint8_t *data, size_t size)
{
	struct wait now = wait_for(0, -1);
	struct gate_answer got;
	struct err e;
	int pair[2];
	pair_make(pair, data, size);
	if (gate_say(pair[0], GATE_ASK, &now, &got, &e) == 0)
		must(got.state >= GATE_WAITING && got.state <= GATE_SSHD_UP &&
			size == sizeof(got) && memchr(got.words, '\0', sizeof(got.words)));
	close(pair[0]);
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > sizeof(struct gate_answer))
		return 0;
	init_hears(data, size);
	agent_hears(data, size);
	return 0;
}
