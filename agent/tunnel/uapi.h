// SPDX-License-Identifier: Apache-2.0
// The socket over which wireguard-go is configured and asked (wireguard.com/xplatform).
#pragma once

#include "agent/tunnel/wireguard.h"
#include "lib/attr.h"
#include "lib/outcome.h"

struct err;
struct wait;

enum uapi_outcome {
	UAPI_ABSENT = OUTCOMES_UAPI, // nothing listens, or it has just died
	UAPI_SILENT, // it holds its socket but does not answer: frozen
};

enum { UAPI_CONNECT_MS = 500 };

// The path of an engine's socket is fixed in wireguard-go, in a directory where only root writes.
#define UAPI_DIRECTORY "/var/run/wireguard"
char *uapi_path(const char *name); // on the heap

// A connection to the engine of that name. 0, UAPI_ABSENT, -1.
_must_check_ int uapi_connect(const char *name, int *ret_fd, struct err *e);

// Over such a connection: asks for the status, and takes the answer if there is one by now. Neither
// waits. 0, UAPI_SILENT (nothing yet), UAPI_ABSENT, -1.
_must_check_ int uapi_ask(int fd, struct err *e);
_must_check_ int uapi_hear(int fd, struct wireguard_status *ret, struct err *e);

// One request (`get=1` or `set=1` and what follows, up to and with the empty line) and its answer.
// 0, UAPI_ABSENT, UAPI_SILENT at w's deadline, WAIT_CANCELED, -1.
_must_check_ int uapi_request(const char *name, const char *text, const struct wait *w,
	struct wireguard_status *ret, struct err *e);
