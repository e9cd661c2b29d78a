// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reader of the verify child's report: nothing but its own checks becomes evidence.
// uses: agent/verify/verify_wire.c agent/evidence.c
#include <stdint.h>
#include <stdlib.h>

#include "agent/verify/verify_wire.h"
#include "lib/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evidence ev;
	struct err e;

	evidence_init(&ev);
	if (verify_report_read((const char *)data, size, VERIFY_LIGHT, &ev, &e) == 0 &&
		(cJSON_GetArraySize(ev.checks) != 2 ||
			(ev.outcome == OUTCOME_PASSED) != (ev.code[0] == '\0')))
		abort();
	evidence_done(&ev);
	return 0;
}
