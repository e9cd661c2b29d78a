// SPDX-License-Identifier: Apache-2.0
// Listener: shares the places for logging in among addresses and networks.
#include "sshproxy/startup.h"

static enum startup_decision decide_in_address(const struct source_place *starting, size_t count,
	struct source newcomer, size_t *ret_leaver)
{
	enum startup_decision decision = STARTUP_REFUSED;
	for (size_t i = 0; i < count; i++) {
		if (starting[i].source.address != newcomer.address || !starting[i].is_silent)
			continue;
		if (decision == STARTUP_REFUSED ||
			starting[i].since_ms < starting[*ret_leaver].since_ms)
			*ret_leaver = i;
		decision = STARTUP_ENTERS_FOR;
	}
	return decision;
}

enum startup_decision startup_decide(const struct source_place *starting, size_t count,
	struct source newcomer, size_t *ret_leaver)
{
	size_t of_address = 0;
	for (size_t i = 0; i < count; i++)
		of_address += starting[i].source.address == newcomer.address;
	if (of_address >= STARTUP_ADDRESS_MAX)
		return decide_in_address(starting, count, newcomer, ret_leaver);
	if (count < STARTUP_PLACES)
		return STARTUP_ENTERS;
	*ret_leaver = source_leaver(starting, count);
	return STARTUP_ENTERS_FOR;
}

size_t startup_connections_max(uint64_t descriptors)
{
	if (descriptors >= STARTUP_CONNECTIONS_MAX + STARTUP_DESCRIPTORS_SPARE)
		return STARTUP_CONNECTIONS_MAX;
	return descriptors > STARTUP_DESCRIPTORS_SPARE
		       ? (size_t)descriptors - STARTUP_DESCRIPTORS_SPARE
		       : 0;
}
