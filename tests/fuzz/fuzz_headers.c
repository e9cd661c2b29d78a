// SPDX-License-Identifier: Apache-2.0
// Fuzzes HTTP heads through libmicrohttpd: what headers_read finds right is right by a second reading.
// uses: api/headers.c
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/headers.h"
#include "lib/mem.h"

enum { ROUNDS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *input; // NUL-terminated
static size_t input_len;

// The bytes of a line without its end; *ret_next is where the next one begins.
static size_t line_len(const char *line, const char **ret_next)
{
	size_t len = strcspn(line, "\n");
	*ret_next = line + len + (line[len] == '\n');
	return len > 0 && line[len - 1] == '\r' ? len - 1 : len;
}

static bool is_header(const char *line, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	return len > name_len && strncasecmp(line, name, name_len) == 0 && line[name_len] == ':';
}

// RFC 9112: no folding, a name before the colon, one Host, one way to say the body's length.
static void check_head(const char *head)
{
	static const char *const single[] = {"Host", "Content-Length", "Transfer-Encoding"};
	unsigned seen[ARRAY_SIZE(single)] = {0};
	const char *line = head;
	while (*line == '\r' || *line == '\n') // blank lines before the request
		line++;
	(void)line_len(line, &line);
	for (const char *next; *line != '\0'; line = next) {
		size_t len = line_len(line, &next);
		// The library takes a line that begins with ":" for the blank one, and leaves no trace of
		// it: where its bytes add up to those of a blank line it is one.
		if (len == 0 || *line == ':')
			break;
		if (*line == ' ' || *line == '\t' || !memchr(line, ':', len))
			abort();
		for (size_t i = 0; i < ARRAY_SIZE(single); i++)
			seen[i] += is_header(line, len, single[i]);
	}
	if (seen[0] > 1 || seen[1] > 1 || seen[2] > 1 || (seen[1] && seen[2]))
		abort();
}

static void *on_uri(void *data, const char *uri, struct MHD_Connection *connection)
{
	(void)connection;
	*(size_t *)data = strlen(uri);
	return NULL;
}

static enum MHD_Result on_head(void *data, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context)
{
	struct headers headers;
	(void)url;
	(void)version;
	(void)upload;
	(void)upload_size;
	(void)context;
	size_t line = strlen(method) + 1 + *(size_t *)data + strlen(" HTTP/1.1\r\n");
	headers_read(connection, line, &headers);
	if (!headers.wrong && strlen(input) == input_len)
		check_head(input);
	return MHD_NO;
}

static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *text)
{
	(void)data;
	(void)connection;
	return strlen(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct MHD_Daemon *daemon;
	static size_t uri_len;
	static const struct sockaddr address = {.sa_family = AF_UNIX};
	int pair[2];

	if (!daemon)
		daemon = MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_head,
			&uri_len, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
			on_uri, &uri_len, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
			MHD_OPTION_END);
	if (!daemon || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	_cleanup_(freep) char *text = xcalloc(size + 1, 1);
	memcpy(text, data, size);
	input = text;
	input_len = size;
	if (MHD_add_connection(daemon, pair[1], &address, sizeof(address)) != MHD_YES ||
		send(pair[0], text, size, MSG_NOSIGNAL) != (ssize_t)size)
		abort();
	shutdown(pair[0], SHUT_WR);
	for (int i = 0; i < ROUNDS; i++)
		MHD_run(daemon);
	close(pair[0]);
	MHD_run(daemon);
	return 0;
}
