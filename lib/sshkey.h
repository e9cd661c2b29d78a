// SPDX-License-Identifier: Apache-2.0
// SSH keys: writes ed25519 private keys as OpenSSH does, reads the public keys of users.
#pragma once

#include <stdint.h>

#include "lib/attr.h"

struct err;

enum {
	SSHKEY_SEED_SIZE = 32,
	SSHKEY_LINE_SIZE = 128, // "ssh-ed25519 AAAA..." with the NUL: 81 bytes
	SSHKEY_PEM_MAX = 1024, // an OpenSSH ed25519 key file has 400 bytes
};

// One ed25519 key pair from a seed in the openssh-key-v1 format (PROTOCOL.key of OpenSSH),
// unencrypted; `check` is the format's random word. The caller wipes and frees it.
char *sshkey_write(
	const uint8_t seed[static SSHKEY_SEED_SIZE], uint32_t check, const char *comment);

// The public half, "ssh-ed25519 AAAA...", of a key that sshkey_write made. EINVAL for another
// text.
_must_check_ int sshkey_public(const char *pem, char ret[static SSHKEY_LINE_SIZE], struct err *e);

// Reads a line of authorized_keys, "type base64 [comment]", and returns "type base64" on the heap;
// NULL unless it is a whole ed25519, ECDSA or RSA key (2048 bits or more). Certificates are
// refused: the SSH library does not verify them.
char *sshkey_line_read(const char *line);
