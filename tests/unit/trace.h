// SPDX-License-Identifier: Apache-2.0
// What the code under test did to its neighbours, as one line of text: their fakes write it here.
#pragma once

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/attr.h"
#include "lib/err.h"

static char trace[8192];

// Adds "words; ".
_printf_(1, 2) static void did(const char *format, ...)
{
	size_t used = strlen(trace);
	va_list args;
	va_start(args, format);
	vsnprintf(trace + used, sizeof(trace) - used, format, args);
	va_end(args);
	used = strlen(trace);
	snprintf(trace + used, sizeof(trace) - used, "; ");
}

// All that was done since the last time, and nothing else.
#define assert_did(expected) \
	do { \
		assert_string_equal(trace, expected); \
		trace[0] = '\0'; \
	} while (0)

// What a fake returns: 0, a named outcome, or -1, the latter two with this sentence.
static inline int result(int r, const char *why, struct err *e)
{
	return r == 0 ? 0 : r > 0 ? err_outcome(e, r, EIO, "%s", why) : err_say(e, EIO, "%s", why);
}
