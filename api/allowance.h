// SPDX-License-Identifier: Apache-2.0
// How many requests each login may make, so that a script in a loop leaves room for others.
#pragma once

#include <stdint.h>

enum {
	ALLOWANCE_MINUTE_S = 60,
	ALLOWANCE_LOGINS = 8192, // remembered at once
};

// Sets what each may make a minute, and as many of them at once; 0 until then: without limit. It is
// a setting, and counts in this process. From any thread.
void allowance_set(int64_t per_minute);

// A login (its id, proven or not) makes a request now (wait_now_us). Returns 0: it may; else in how
// many seconds it may. Costs no memory and no query; on the HTTP thread only. When more logins than
// ALLOWANCE_LOGINS have asked within a minute, the one that asked least is forgotten.
int allowance_take(const char *login, int64_t now_us);
