// SPDX-License-Identifier: Apache-2.0
// Spreads hosts over a period.
#include "agent/host/turn.h"

// Of 2^32, by the golden ratio: its multiples lie as evenly as can be, however many there are.
#define STEP 2654435769u

int64_t turn_ms(uint32_t number, int64_t period_ms, int64_t now_ms)
{
	uint32_t share = number * STEP;
	int64_t offset_ms = (int64_t)(((uint64_t)period_ms * share) >> 32);
	return period_ms - (now_ms + period_ms - offset_ms) % period_ms;
}
