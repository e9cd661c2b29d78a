// SPDX-License-Identifier: Apache-2.0
// A host's keys: made once by host.create, never in the database, gone with host.delete.
#pragma once

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct err;

// In DATA_DIR/hosts/<host id>/ (0700, root):
//
//     wireguard.key                  X25519, base64 as `wg genkey` writes it, one for all exits of
//     the host client.key                     ed25519, OpenSSH format: logs in as `dev`; handed out
//     as a memfd only etc/ssh_host_ed25519_key       ed25519, OpenSSH format: the container's sshd
//     reads it (read-only mount)
//
// and etc/authorized_keys holds the client key's public half.
#define KEYS_WIREGUARD "wireguard.key"
#define KEYS_CLIENT "client.key"
#define KEYS_HOST "ssh_host_ed25519_key" // in etc/

enum {
	KEYS_WIREGUARD_SIZE = 32,
	KEYS_WIREGUARD_TEXT_SIZE = 45,
	KEYS_SSH_LINE_SIZE = 128, // "ssh-ed25519 AAAA..." with the NUL: 80 characters
	KEYS_PEM_MAX = 1024, // an OpenSSH ed25519 key file has 400
};

struct keys_public {
	char wireguard[KEYS_WIREGUARD_TEXT_SIZE]; // base64
	char ssh_host[KEYS_SSH_LINE_SIZE];
	char ssh_client[KEYS_SSH_LINE_SIZE];
};

// Makes what is missing (so a repeat changes nothing) and returns the public halves. `dir_fd` is
// the host's directory, `etc_fd` its etc/.
_must_check_ int keys_make(int dir_fd, int etc_fd, struct keys_public *ret, struct err *e);

// Only reads: ENOENT when host.create has never run here.
_must_check_ int keys_read(int dir_fd, int etc_fd, struct keys_public *ret, struct err *e);

// The WireGuard private key. The caller wipes it.
_must_check_ int keys_wireguard(int dir_fd, uint8_t ret[static KEYS_WIREGUARD_SIZE], struct err *e);

// A sealed memfd with the client key, for SCM_RIGHTS. The caller closes it.
_must_check_ int keys_client_memfd(int dir_fd, int *ret_fd, struct err *e);

// Unlinks all three.
_must_check_ int keys_remove(int dir_fd, int etc_fd, struct err *e);

// One ed25519 key pair from a 32-byte seed in the openssh-key-v1 format (PROTOCOL.key of OpenSSH),
// unencrypted; `check` are the format's two equal random words. The caller wipes and frees *ret.
// For keys_make and its test.
char *ssh_key_write(const uint8_t seed[static 32], uint32_t check, const char *comment);

// "ssh-ed25519 AAAA..." of a key that ssh_key_write made. EINVAL for anything else.
_must_check_ int ssh_key_public(
	const char *pem, char ret[static KEYS_SSH_LINE_SIZE], struct err *e);
