// SPDX-License-Identifier: Apache-2.0
// The times of light and full checks.
#include "agent/host/schedule.h"

#include "agent/host/turn.h"

bool schedule_is_full(const struct schedule *s, int64_t now_ms)
{
	return s->want_full || now_ms >= s->full_at_ms;
}

int64_t schedule_next(
	struct schedule *s, bool was_full, bool passed, int64_t pause_ms, int64_t now_ms)
{
	if (passed && s->want_full)
		pause_ms = 0;
	if (passed && was_full)
		s->full_at_ms = now_ms + turn_ms(s->number, s->full_ms, now_ms);
	if (!passed) // a light one may have asked the one source that is down
		s->want_full = true;
	if (pause_ms > s->full_at_ms - now_ms && s->full_at_ms > now_ms)
		pause_ms = s->full_at_ms - now_ms;
	return pause_ms;
}

bool schedule_hears_silence(const struct schedule *s, int64_t now_ms)
{
	return now_ms >= s->deaf_until_ms;
}

void schedule_silence_was_nothing(struct schedule *s, int64_t now_ms)
{
	bool again = s->deaf_ms > 0 && now_ms < s->deaf_until_ms + s->deaf_ms + SCHEDULE_DEAF_MS;
	int64_t pause_ms = again ? 2 * s->deaf_ms : SCHEDULE_DEAF_MS;
	s->deaf_ms = pause_ms < s->light_ms ? pause_ms : s->light_ms;
	s->deaf_until_ms = now_ms + s->deaf_ms;
}
