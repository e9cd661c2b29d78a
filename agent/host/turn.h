// SPDX-License-Identifier: Apache-2.0
// When it is one host's turn among many.
#pragma once

#include <stdint.h>

// How long until then: once a period, at a time of its own, 1 to period_ms. Hosts that began
// together, as all do whose agent starts, are not checked together: the turns of `number`s in a row
// are spread over the period.
int64_t turn_ms(uint32_t number, int64_t period_ms, int64_t now_ms);
