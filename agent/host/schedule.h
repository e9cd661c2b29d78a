// SPDX-License-Identifier: Apache-2.0
// When a run is checked next, and how thoroughly: without any I/O, times in milliseconds.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct schedule {
	uint32_t number; // whose turns these are: turn_ms()
	int64_t light_ms, full_ms; // periods
	int64_t full_at_ms; // when the next full check is due
	bool want_full; // something has changed, or the last check did not pass
	int64_t deaf_until_ms, deaf_ms; // to silence, and how long that was
};

// Is a check that begins now a full one?
bool schedule_is_full(const struct schedule *s, int64_t now_ms);

// After a check that has just ended: the pause until the next one; 0: at once, because something
// has changed since this one began. `pause_ms` is what its result asks for; a full check that is
// due earlier comes earlier.
int64_t schedule_next(
	struct schedule *s, bool was_full, bool passed, int64_t pause_ms, int64_t now_ms);

// Is a tunnel that is silent to be checked? Not soon after such a check that passed: one that is
// far away, or drowned by its own host, or only ever sends, is not checked all the time. The pause
// grows with each in a row, up to light_ms, and begins again when as long again has passed without
// one.
enum { SCHEDULE_DEAF_MS = 5000 };
bool schedule_hears_silence(const struct schedule *s, int64_t now_ms);
void schedule_silence_was_nothing(struct schedule *s, int64_t now_ms);
