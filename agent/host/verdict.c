// SPDX-License-Identifier: Apache-2.0
// The tables of verdicts: the first row that fits.
#include "agent/host/verdict.h"

#include <stddef.h>

// clang-format off
static const struct {
	unsigned all; // of these facts hold
	unsigned none; // of these do
	struct inspection_verdict verdict;
} inspections[] = {
	{FOUND_RUNNING | FOUND_SAME,     FOUND_DEAD,            {INSPECTION_KEEP,  "running", NULL, NULL}},
	{FOUND_RUNNING | FOUND_WANTED,   FOUND_SEEN | FOUND_RUN, {INSPECTION_ADOPT, "running", NULL, NULL}},
	{FOUND_RUNNING | FOUND_UNUSABLE, 0,                     {INSPECTION_END,   "stopped", "settings_incomplete", NULL}},
	{FOUND_RUNNING,                  FOUND_SEEN,            {INSPECTION_END,   "stopped", NULL,
		"the container ran while no agent watched over it; it was stopped"}},
	{FOUND_RUNNING | FOUND_SAME,     0,                     {INSPECTION_END,   "stopped", NULL,
		"the container has ended"}},
	{FOUND_RUNNING,                  0,                     {INSPECTION_END,   "stopped", NULL,
		"the container was not started by the agent; it was stopped"}},
	{FOUND_CONTAINER,                0,                     {INSPECTION_END,   "stopped", NULL, NULL}},
	{0,                              0,                     {INSPECTION_END,   "absent",  NULL,
		"there is no container"}},
};
// clang-format on

const struct inspection_verdict *verdict_of_inspection(unsigned facts)
{
	size_t i = 0;
	while ((facts & inspections[i].all) != inspections[i].all ||
		(facts & inspections[i].none) != 0)
		i++;
	return &inspections[i].verdict;
}

static bool lasts(const struct unknown_checks *unknown, int64_t now_ms)
{
	return unknown->count >= CHECK_INCONCLUSIVE_MAX &&
	       now_ms - unknown->since_ms >= CHECK_INCONCLUSIVE_MS;
}

enum check_verdict verdict_of_check(
	enum outcome outcome, bool exit_proven, int64_t now_ms, struct unknown_checks *unknown)
{
	switch (outcome) {
	case OUTCOME_PASSED:
		unknown->count = 0;
		return CHECK_HOLDS;
	case OUTCOME_INCONCLUSIVE:
		if (unknown->count == 0)
			unknown->since_ms = now_ms;
		unknown->count = exit_proven ? 0 : unknown->count + 1;
		return lasts(unknown, now_ms) ? CHECK_ENDS : CHECK_UNKNOWN;
	case OUTCOME_FAILED:
		return CHECK_ENDS;
	}
	return CHECK_ENDS;
}
