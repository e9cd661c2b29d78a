// SPDX-License-Identifier: Apache-2.0
// Dies where CCP_FAILPOINT says, in the debug flavour.
#include "lib/failpoint.h"

#ifdef CCP_FAILPOINTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void failpoint(const char *kind, const char *step, const char *when)
{
	const char *wanted = getenv("CCP_FAILPOINT");
	_cleanup_(freep) char *here = NULL;

	if (!wanted)
		return;
	here = xasprintf("%s:%s:%s", kind, step, when);
	if (strcmp(here, wanted) == 0)
		raise(SIGKILL);
}

#endif
