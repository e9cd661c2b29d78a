// SPDX-License-Identifier: Apache-2.0
// Wire format of the agent's dial socket (STATE_DIR/run/dial/dial.sock), the one place where programs
// meet outside PostgreSQL.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The socket is AF_UNIX SOCK_SEQPACKET, one request per connection: the caller connects, sends one
// struct dial_request, reads one struct dial_reply and closes. Both sides are built from one tree
// and installed together, so the structs are in host byte order; `magic` names the version and a
// different one is refused. The agent checks the caller's uid by SO_PEERCRED before it reads.
#define DIAL_MAGIC 0x43435001u

// What is dialled inside the container's namespace, always on 127.0.0.1.
#define DIAL_PORT_SSH 22

struct dial_request {
	uint32_t magic; // DIAL_MAGIC
	uint32_t port; // TCP port inside the container
	char session_id[40]; // text uuid of ccp.sessions, NUL terminated
};

enum dial_outcome {
	DIAL_OK = 0, // two descriptors follow by SCM_RIGHTS, in the order of enum dial_fd
	DIAL_REFUSED = 1, // session.open said no; `sentence` is for the user
	DIAL_UNREACHABLE = 2, // the container does not answer on that port
	DIAL_BUSY = 3, // the agent's queue is full or its database is away: try again
};

enum dial_fd {
	DIAL_FD_SOCKET, // connected TCP socket inside the container's namespace
	DIAL_FD_CLIENT_KEY, // memfd with the private key (OpenSSH format) that logs in as `dev`
	DIAL_FD_COUNT,
};

struct dial_reply {
	uint32_t magic;
	uint32_t outcome; // enum dial_outcome
	char sentence[256]; // for people, "" when DIAL_OK
	char host_key[256]; // the container's host key, one line "ssh-ed25519 AAAA..."
};

// What the other end sent is of this version, with texts that end and numbers in range; a reply
// brings its descriptors exactly when it is DIAL_OK.
bool dial_request_is_valid(const struct dial_request *request);
bool dial_reply_is_valid(const struct dial_reply *reply, size_t fds_count);
