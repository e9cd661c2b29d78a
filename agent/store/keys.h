// SPDX-License-Identifier: Apache-2.0
// A host's keys: made once by host.create, never in the database, removed by host.delete.
#pragma once

#include <stdint.h>

#include "lib/attr.h"
#include "lib/key32.h"
#include "lib/sshkey.h"

struct err;

// Files of a host:
//
//     DATA_DIR/hosts/<host id>/     0700, root
//         wireguard.key             X25519 in base64 as `wg genkey` writes it, one for all exits
//         client.key                ed25519, OpenSSH format: logs in as `dev`; given out by memfd
//         ccp/etc/                  mounted, as part of ccp/:
//             ssh_host_ed25519_key  ed25519, OpenSSH format: read by the container's sshd
//             authorized_keys       the client key's public half
#define KEYS_WIREGUARD "wireguard.key"
#define KEYS_CLIENT "client.key"
#define KEYS_HOST "ssh_host_ed25519_key" // in ccp/etc/

struct keys_public {
	char wireguard[KEY32_TEXT_SIZE]; // base64
	char ssh_host[SSHKEY_LINE_SIZE];
	char ssh_client[SSHKEY_LINE_SIZE];
};

// Makes what is missing (so a repeat changes nothing) and returns the public halves. `dir_fd` is
// the host's directory, `etc_fd` its etc/.
_must_check_ int keys_make(int dir_fd, int etc_fd, struct keys_public *ret, struct err *e);

// Only reads: ENOENT when host.create has never run here.
_must_check_ int keys_read(int dir_fd, int etc_fd, struct keys_public *ret, struct err *e);

// The WireGuard private key. The caller wipes it.
_must_check_ int keys_wireguard(int dir_fd, uint8_t ret[static KEY32_SIZE], struct err *e);

// A sealed memfd with the client key, for SCM_RIGHTS. The caller closes it.
_must_check_ int keys_client_memfd(int dir_fd, int *ret_fd, struct err *e);

// Unlinks all three.
_must_check_ int keys_remove(int dir_fd, int etc_fd, struct err *e);
