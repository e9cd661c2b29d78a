// SPDX-License-Identifier: Apache-2.0
// The least that libmicrohttpd can do: the same answer to everything. What healthz is measured
// against.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

static enum MHD_Result answer(void *data, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context)
{
	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	(void)upload_size;
	if (!*context) { // the headers; the request is complete at the next call
		*context = connection;
		return MHD_YES;
	}
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(data), data, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", "application/json");
	enum MHD_Result queued = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return queued;
}

// mhd_bare PORT BODY: serves until it is killed.
int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: mhd_bare PORT BODY\n");
		return 2;
	}
	struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD,
		(uint16_t)atoi(argv[1]), NULL, NULL, answer, argv[2], MHD_OPTION_END);
	if (!daemon) {
		perror("mhd_bare");
		return 1;
	}
	for (;;)
		pause();
}
