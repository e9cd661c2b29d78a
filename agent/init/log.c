// SPDX-License-Identifier: Apache-2.0
// ccp-init's log: one line on stderr for each thing that failed.
#include "agent/init/init.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

long init_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void init_log(const char *what)
{
	dprintf(STDERR_FILENO, "ccp-init: %s: %s\n", what, strerror(errno));
}
