// SPDX-License-Identifier: Apache-2.0
// ccp-init's log: one line on stderr for each thing that failed.
#include "agent/init/init.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void init_log(const char *what)
{
	dprintf(STDERR_FILENO, "ccp-init: %s: %s\n", what, strerror(errno));
}
