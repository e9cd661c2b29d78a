// SPDX-License-Identifier: Apache-2.0
// Before the fork: the proxy's own host key, one for all hosts.
#pragma once

#include <libssh/libssh.h>

#include "lib/attr.h"

struct err;

// Reads the Ed25519 key from `path`; makes it (0600) when there is no file. The caller frees the
// key with ssh_key_free.
_must_check_ int hostkey_load(const char *path, ssh_key *ret, struct err *e);

// "ssh-ed25519 AAAA..." on the heap.
_must_check_ int hostkey_public(ssh_key key, char **ret, struct err *e);
