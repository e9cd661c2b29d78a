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

enum check_verdict verdict_of_check(enum outcome outcome, bool exit_proven, unsigned *in_a_row)
{
	switch (outcome) {
	case OUTCOME_PASSED:
		*in_a_row = 0;
		return CHECK_HOLDS;
	case OUTCOME_INCONCLUSIVE:
		*in_a_row = exit_proven ? 0 : *in_a_row + 1;
		return *in_a_row < CHECK_INCONCLUSIVE_MAX ? CHECK_UNKNOWN : CHECK_ENDS;
	case OUTCOME_FAILED:
		return CHECK_ENDS;
	}
	return CHECK_ENDS;
}
