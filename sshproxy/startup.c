// SPDX-License-Identifier: Apache-2.0
// Decides whether a new connection is let in to log in.
#include "sshproxy/startup.h"

bool startup_refuses(unsigned waiting, uint32_t dice)
{
	if (waiting < STARTUP_BEGIN)
		return false;
	if (waiting >= STARTUP_FULL)
		return true;
	unsigned percent = STARTUP_RATE + (100 - STARTUP_RATE) * (waiting - STARTUP_BEGIN) /
						  (STARTUP_FULL - STARTUP_BEGIN);
	return dice % 100 < percent;
}
