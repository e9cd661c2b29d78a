// SPDX-License-Identifier: Apache-2.0
// The messages between the agent and its verify child, as JSON.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/evidence.h"
#include "agent/verify/verify.h"
#include "lib/attr.h"

struct err;

enum { VERIFY_REPORT_MAX = 16384, VERIFY_ZONE_MAX = 200 };

// The specification, as the child reads it. `total_ms` is how long it may take. On the heap.
char *verify_spec_print(const struct verify_spec *spec, int total_ms);

// Reads it; the arrays in *ret point into *ret_json, which the caller frees.
_must_check_ int verify_spec_parse(const char *text, size_t len, struct verify_spec *ret,
	int *ret_total_ms, cJSON **ret_json, struct err *e);

// One check as the child saw it. The child is not believed beyond its own checks.
enum verify_check { CHECK_EXIT_IP, CHECK_DNS, CHECK_CONNECTIVITY, CHECK_FULL_SIZE, VERIFY_CHECKS };

struct verify_result {
	struct {
		enum outcome outcome;
		const char *code; // of the agent's error codes, NULL when passed
		int64_t took_us;
		char detail[200];
	} checks[VERIFY_CHECKS];
	struct addr observed; // family 0: none
	int fits; // as in evidence
};

// CHECK_CONNECTIVITY and what follows it are made by VERIFY_FULL only.
static inline int verify_checks_of(enum verify_kind kind)
{
	return kind == VERIFY_FULL ? VERIFY_CHECKS : CHECK_CONNECTIVITY;
}

// What the child answers: the result, or {"error": sentence} when it could not run. On the heap.
char *verify_report_print(enum verify_kind kind, const struct verify_result *result);
char *verify_report_print_error(const char *sentence);

// Adds the report's checks to the evidence. EBADMSG for anything that is not exactly the checks of
// that kind; EIO with the child's own sentence when it could not run.
_must_check_ int verify_report_read(
	const char *text, size_t len, enum verify_kind kind, struct evidence *ev, struct err *e);
