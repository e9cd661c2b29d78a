// SPDX-License-Identifier: Apache-2.0
// Listener: decides whether a new connection may begin to log in.
#include "sshproxy/startup.h"

#include <string.h>

#include "lib/addr.h"

uint64_t startup_network(const struct addr *address)
{
	uint64_t network = 0;
	if (address->family == AF_INET)
		memcpy((char *)&network + 4, address->bytes, 4); // as in ::/32, which is not in use
	else
		memcpy(&network, address->bytes, sizeof(network));
	return network;
}

bool startup_refuses(unsigned waiting, unsigned of_network, uint32_t random)
{
	if (of_network >= STARTUP_NETWORK_MAX || waiting >= STARTUP_FULL)
		return true;
	if (waiting < STARTUP_BEGIN)
		return false;
	unsigned percent = STARTUP_RATE + (100 - STARTUP_RATE) * (waiting - STARTUP_BEGIN) /
						  (STARTUP_FULL - STARTUP_BEGIN);
	return random % 100 < percent;
}

size_t startup_connections_max(uint64_t descriptors)
{
	if (descriptors >= STARTUP_CONNECTIONS_MAX + STARTUP_DESCRIPTORS_SPARE)
		return STARTUP_CONNECTIONS_MAX;
	return descriptors > STARTUP_DESCRIPTORS_SPARE
		       ? (size_t)descriptors - STARTUP_DESCRIPTORS_SPARE
		       : 0;
}
