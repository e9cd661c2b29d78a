// SPDX-License-Identifier: Apache-2.0
// All processes: _cleanup_(ssh_key_freep) ssh_key key = NULL; frees at the end of the scope.
#pragma once

#include <libssh/libssh.h>

static inline void ssh_key_freep(const ssh_key *key)
{
	ssh_key_free(*key);
}
