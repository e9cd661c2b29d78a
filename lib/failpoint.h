// SPDX-License-Identifier: Apache-2.0
// Places where a test lets the process die. Compiled in the debug flavour only.
#pragma once

// CCP_FAILPOINT=<kind>:<step>:before|after in the environment: the process kills itself with
// SIGKILL at that place. The task runner has one before and one after each step (after: done, not
// yet reported).
#ifdef CCP_FAILPOINTS
void failpoint(const char *kind, const char *step, const char *when);
#else
static inline void failpoint(const char *kind, const char *step, const char *when)
{
	(void)kind;
	(void)step;
	(void)when;
}
#endif
