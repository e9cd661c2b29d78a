// SPDX-License-Identifier: Apache-2.0
// Speaks to ccp-init: connects, checks the listener, opens, waits for sshd.
#include "agent/container/gate.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/net/netns.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/sock.h"

// ccp-init needs some milliseconds from its execve to listen(); a connect to an abstract name
// cannot wait for that.
enum { RETRY_MS = 2 };

const char *gate_status_text(int status)
{
	switch (status) {
	case GATE_NO_DESCRIPTORS:
		return ": ccp-init could not make its descriptors";
	case GATE_NO_LISTENER:
		return ": ccp-init could not listen at the gate";
	}
	return "";
}

static int try_connect(int ns_fd, int *ret_fd, struct err *e)
{
	_cleanup_(closep) int fd = netns_socket(ns_fd, AF_UNIX, SOCK_SEQPACKET, 0, e);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (fd < 0)
		return -1;
	memcpy(address.sun_path, GATE_NAME, GATE_NAME_SIZE);
	if (connect(fd, (struct sockaddr *)&address,
		    offsetof(struct sockaddr_un, sun_path) + GATE_NAME_SIZE) < 0)
		return err_set(e, errno, "connect to the container's gate");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int gate_connect(const struct pid1 *p, const struct wait *w, int *ret_fd, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	struct sock_peer peer;

	while (try_connect(p->ns_fd, &fd, e) < 0) {
		if (e->code != ECONNREFUSED && e->code != EAGAIN)
			return -1;
		int r = wait_pause(w, RETRY_MS, e);
		if (r != 0)
			return r;
	}
	if (sock_peer(fd, &peer, e) < 0)
		return -1;
	if (peer.pid != p->pid || peer.uid != p->uid)
		return err_say(e, EPERM,
			"process %d listens at the gate instead of the container's PID 1 (%d)",
			(int)peer.pid, (int)p->pid);
	if (pid1_prove(p, e) < 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

// What people read is one line of plain text, whatever was said inside.
static void words_flatten(char words[static GATE_WORDS_SIZE])
{
	words[GATE_WORDS_SIZE - 1] = '\0';
	size_t size = strlen(words);
	while (size > 0 && (words[size - 1] == '\n' || words[size - 1] == '\r'))
		words[--size] = '\0';
	for (char *c = words; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = *c == '\n' ? '|' : *c == '\r' ? ' ' : '?';
	}
}

static int answer_read(int fd, const struct wait *w, struct gate_answer *ret, struct err *e)
{
	struct gate_answer answer;
	size_t fds;
	int r = sock_recv(fd, &answer, sizeof(answer), NULL, 0, &fds, w, e);

	if (r < 0)
		return err_wrap(e, "hear from the container's PID 1");
	if (r != 0)
		return r;
	if (answer.magic != GATE_MAGIC || answer.state < GATE_WAITING ||
		answer.state > GATE_SSHD_UP)
		return err_say(
			e, EPROTO, "the container's PID 1 is of another version: rebuild the host");
	words_flatten(answer.words);
	*ret = answer;
	return 0;
}

int gate_say(
	int fd, enum gate_word word, const struct wait *w, struct gate_answer *ret, struct err *e)
{
	struct gate_message asked = {.magic = GATE_MAGIC, .word = word};
	int r = sock_send(fd, &asked, sizeof(asked), NULL, 0, w, e);

	return r != 0 ? r : answer_read(fd, w, ret, e);
}

int gate_wait_sshd(int fd, const struct wait *w, struct gate_answer *seen, struct err *e)
{
	for (;;) {
		int r = answer_read(fd, w, seen, e);

		if (r != 0)
			return r;
		if (seen->state == GATE_SSHD_UP)
			return 0;
	}
}
