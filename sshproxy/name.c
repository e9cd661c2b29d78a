// SPDX-License-Identifier: Apache-2.0
// All processes: checks user names before they are used.
#include "sshproxy/name.h"

#include <string.h>

bool name_is_valid(const char *name)
{
	size_t len = strnlen(name, NAME_SIZE);
	return len >= NAME_MIN && len <= NAME_LEN_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

const char *name_or_dash(const char *name)
{
	return name && name_is_valid(name) ? name : "-";
}
