// SPDX-License-Identifier: Apache-2.0
// Refuses to serve with a libmicrohttpd whose buffers headers.c does not know.
#include "api/headers.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/err.h"
#include "lib/mem.h"

// An upgrade of the library stops the build here: see HEADERS_MHD.
_Static_assert(
	MHD_VERSION >> 8 == 0x000975, "headers.c was written for libmicrohttpd " HEADERS_MHD);

enum { ROUNDS_MAX = 10 };

#define LINE "GET /a?b=c HTTP/1.1\r\n"

// clang-format off
const struct headers_probe headers_probes[] = {
	{LINE "Host: a\r\n\r\n", true},
	{LINE "Host:a\r\nAccept: \t b \r\nX-Empty:\r\n\r\n", true},
	{LINE "Host: a\r\nContent-Length: 2\r\n\r\n", true},
	{LINE "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n", true},
	{LINE "Host: a\r\nHost: b\r\n\r\n", false},
	{LINE "Host: a\r\nX-Folded: b\r\n c\r\nAccept: d\r\n\r\n", false},
	{LINE "Host: a\r\nAccept: b\r\n c: d\r\n\r\n", false},
	{LINE "Host: a\r\nAccept : b\r\n\r\n", false},
	{LINE "Host: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", false},
	{LINE "Host: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", false},
	{NULL, false},
};
// clang-format on

enum verdict { VERDICT_NONE, VERDICT_RIGHT, VERDICT_WRONG };

struct probing {
	size_t line_bytes;
	enum verdict verdict;
};

// The library's own refusal of a head never gets here, and is as good as ours.
static enum MHD_Result on_head(void *data, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context)
{
	struct probing *probing = data;
	struct headers headers;
	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	(void)upload_size;
	(void)context;
	headers_read(connection, probing->line_bytes, &headers);
	probing->verdict = headers.wrong ? VERDICT_WRONG : VERDICT_RIGHT;
	return MHD_NO; // closes the connection
}

static int probe_send(
	struct MHD_Daemon *daemon, struct probing *probing, const char *head, struct err *e)
{
	static const struct sockaddr address = {.sa_family = AF_UNIX};
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_set(e, errno, "socketpair");
	_cleanup_(closep) int ours = pair[0];
	if (MHD_add_connection(daemon, pair[1], &address, sizeof(address)) != MHD_YES)
		return err_say(e, EIO, "libmicrohttpd does not take a connection");
	probing->line_bytes = strlen(LINE);
	probing->verdict = VERDICT_NONE;
	if (send(ours, head, strlen(head), MSG_NOSIGNAL) < 0)
		return err_set(e, errno, "send a head to libmicrohttpd");
	for (int i = 0; i < ROUNDS_MAX && probing->verdict == VERDICT_NONE; i++)
		MHD_run(daemon);
	return 0;
}

static int probe_all(struct MHD_Daemon *daemon, struct probing *probing,
	const struct headers_probe *probes, struct err *e)
{
	for (const struct headers_probe *probe = probes; probe->head; probe++) {
		if (probe_send(daemon, probing, probe->head, e) < 0)
			return -1;
		if ((probing->verdict == VERDICT_RIGHT) != probe->right)
			return err_say(e, EPROTO,
				"this libmicrohttpd is not the one headers.c knows: it reads request "
				"%zu of the self-test differently",
				(size_t)(probe - probes) + 1);
	}
	return 0;
}

int headers_check_library(const char *version, const struct headers_probe *probes, struct err *e)
{
	if (strcmp(version, HEADERS_MHD) != 0)
		return err_say(e, EPROTO,
			"this libmicrohttpd is not the one headers.c knows: it is version %s, not " HEADERS_MHD,
			version);
	struct probing probing = {0};
	struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL,
		on_head, &probing, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!daemon)
		return err_say(e, EIO, "the HTTP library does not start");
	int r = probe_all(daemon, &probing, probes, e);
	MHD_stop_daemon(daemon);
	return r;
}
