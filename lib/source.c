// SPDX-License-Identifier: Apache-2.0
// Fairness among networks and addresses.
#include "lib/source.h"

#include <string.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/mem.h"

static uint64_t first_bytes(const struct addr *a, size_t v4, size_t v6)
{
	uint8_t bytes[8] = {0};
	if (a->family == AF_INET)
		memcpy(bytes + 4, a->bytes, v4); // as in ::/32, which is not in use
	else
		memcpy(bytes, a->bytes, v6);
	uint64_t number;
	memcpy(&number, bytes, sizeof(number));
	return number;
}

struct source source_of(const struct addr *address)
{
	return (struct source){first_bytes(address, 3, 6), first_bytes(address, 4, 8)};
}

struct source source_of_text(const char *address)
{
	struct addr a;
	struct err e;
	return addr_parse(address, &a, &e) == 0 ? source_of(&a) : (struct source){0};
}

// FNV-1a. Who finds a name with another's number shares that one's turns, as by using its name.
uint64_t source_name(const char *name)
{
	uint64_t number = name ? 0xcbf29ce484222325 : 0;
	for (; name && *name != '\0'; name++)
		number = (number ^ (uint8_t)*name) * 0x100000001b3;
	return number;
}

struct crowd {
	const struct source_place *place;
	size_t of_network, of_address;
};

static struct crowd crowd_of(
	const struct source_place *place, const struct source_place *places, size_t count)
{
	struct crowd crowd = {.place = place};
	for (size_t i = 0; i < count; i++) {
		if (places[i].source.network != place->source.network)
			continue;
		crowd.of_network++;
		crowd.of_address += places[i].source.address == place->source.address;
	}
	return crowd;
}

static bool leaves_before(const struct crowd *a, const struct crowd *b)
{
	if (a->place->is_silent != b->place->is_silent)
		return a->place->is_silent;
	if (a->of_network != b->of_network)
		return a->of_network > b->of_network;
	if (a->of_address != b->of_address)
		return a->of_address > b->of_address;
	return a->place->since_ms < b->place->since_ms;
}

size_t source_leaver(const struct source_place *places, size_t count)
{
	struct crowd leaver = crowd_of(&places[0], places, count);
	for (size_t i = 1; i < count; i++) {
		struct crowd other = crowd_of(&places[i], places, count);
		if (leaves_before(&other, &leaver))
			leaver = other;
	}
	return (size_t)(leaver.place - places);
}
