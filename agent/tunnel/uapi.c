// SPDX-License-Identifier: Apache-2.0
// Connects to wireguard-go, writes a request, reads the answer to its empty line.
#include "agent/tunnel/uapi.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/wait.h"

enum { ANSWER_BYTES_MAX = 16384 };

char *uapi_path(const char *name)
{
	return xasprintf(UAPI_DIRECTORY "/%s.sock", name);
}

int uapi_connect(const char *name, int *ret_fd, struct err *e)
{
	_cleanup_(freep) char *path = uapi_path(name);
	struct wait w = wait_for(UAPI_CONNECT_MS, -1);
	int r = sock_connect_unix(path, SOCK_STREAM, &w, ret_fd, e);
	if (r < 0 && (e->code == ENOENT || e->code == ECONNREFUSED))
		return UAPI_ABSENT;
	return r == 0 ? 0 : -1;
}

static int gone(struct err *e)
{
	return err_outcome(e, UAPI_ABSENT, ECONNRESET, "the tunnel's engine has hung up");
}

int uapi_ask(int fd, struct err *e)
{
	static const char question[] = "get=1\n\n";
	if (send(fd, question, strlen(question), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? gone(e)
						     : err_set(e, errno, "ask the tunnel's engine");
}

int uapi_hear(int fd, struct wireguard_status *ret, struct err *e)
{
	char answer[ANSWER_BYTES_MAX + 1];
	ssize_t len = recv(fd, answer, ANSWER_BYTES_MAX, MSG_DONTWAIT);
	if (len < 0 && errno == EAGAIN)
		return err_outcome(
			e, UAPI_SILENT, EAGAIN, "the tunnel's engine has not answered yet");
	if (len <= 0)
		return gone(e);
	answer[len] = '\0';
	int r = wireguard_answer_parse(answer, ret, e);
	mem_wipe(answer, (size_t)len); // it holds the private key
	return r;
}

// Reads to the empty line. 0, WAIT_TIMEOUT, WAIT_CANCELED, -1. *len is what has come, in any case.
static int answer_read(int fd, char *answer, size_t *len, const struct wait *w, struct err *e)
{
	while (!(*len >= 2 && memcmp(answer + *len - 2, "\n\n", 2) == 0)) {
		int r = wait_fd(w, fd, POLLIN, "the tunnel's engine", e);
		if (r != 0)
			return r;
		ssize_t got = read(fd, answer + *len, ANSWER_BYTES_MAX - *len);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return err_set(e, got < 0 ? errno : ECONNRESET, "ask the tunnel's engine");
		*len += (size_t)got;
	}
	return 0;
}

int uapi_request(const char *name, const char *text, const struct wait *w,
	struct wireguard_status *ret, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	int r = uapi_connect(name, &fd, e);
	if (r != 0)
		return r;
	char *answer = xcalloc(1, ANSWER_BYTES_MAX + 1);
	size_t len = 0;
	r = sock_write_all(fd, text, strlen(text), w, e);
	if (r == 0)
		r = answer_read(fd, answer, &len, w, e);
	if (r == 0)
		r = wireguard_answer_parse(answer, ret, e);
	else if (r == WAIT_TIMEOUT)
		r = err_outcome(e, UAPI_SILENT, ETIMEDOUT, "the tunnel's engine does not answer");
	else if (r < 0 && (e->code == ECONNRESET || e->code == EPIPE))
		r = UAPI_ABSENT;
	mem_wipe(answer, len); // it holds the private key
	free(answer);
	return r;
}
