// SPDX-License-Identifier: Apache-2.0
// What was checked, what came out, how long it took: collected check by check, stored as one
// verification.
#include "agent/evidence.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/wait.h"

static const char *const outcome_names[] = {
	[OUTCOME_PASSED] = "passed",
	[OUTCOME_INCONCLUSIVE] = "inconclusive",
	[OUTCOME_FAILED] = "failed",
};

const char *outcome_name(enum outcome o)
{
	return outcome_names[o];
}

int outcome_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(outcome_names); i++)
		if (strcmp(name, outcome_names[i]) == 0)
			return (int)i;
	return -1;
}

void evidence_init(struct evidence *ev)
{
	*ev = (struct evidence){.checks = json_new_array(), .started_us = wait_now_us()};
}

void evidence_done(struct evidence *ev)
{
	json_freep(&ev->checks);
}

// The first check with the heaviest outcome says why.
static void weigh(struct evidence *ev, enum outcome outcome, const char *code, const char *sentence)
{
	if (outcome <= ev->outcome)
		return;
	ev->outcome = outcome;
	snprintf(ev->code, sizeof(ev->code), "%s", code);
	snprintf(ev->sentence, sizeof(ev->sentence), "%s", sentence);
}

void evidence_add(struct evidence *ev, const char *name, enum outcome outcome, const char *code,
	int64_t took_us, const char *detail, ...)
{
	assert((outcome == OUTCOME_PASSED) == (!code));
	char text[sizeof(ev->sentence)];
	va_list args;
	va_start(args, detail);
	vsnprintf(text, sizeof(text), detail, args);
	va_end(args);

	cJSON *check = json_add(ev->checks, json_new_object());
	json_set_text(check, "name", name);
	json_set_text(check, "outcome", outcome_name(outcome));
	json_set_number(check, "ms", (double)((took_us + 50) / 100) / 10);
	json_set_text(check, "detail", text);

	weigh(ev, outcome, code, text);
}

void evidence_take(struct evidence *ev, struct evidence *from)
{
	cJSON *check;
	while ((check = cJSON_DetachItemFromArray(from->checks, 0)))
		json_add(ev->checks, check);
	weigh(ev, from->outcome, from->code, from->sentence);
	if (from->observed_ip[0] != '\0')
		memcpy(ev->observed_ip, from->observed_ip, sizeof(ev->observed_ip));
	evidence_done(from);
	evidence_init(from);
}

static bool check_is(const cJSON *check, const char *what, const char *value)
{
	return strcmp(cJSON_GetObjectItemCaseSensitive(check, what)->valuestring, value) == 0;
}

bool evidence_proves_exit(const struct evidence *ev)
{
	bool seen = false;
	const cJSON *check;
	if (ev->outcome != OUTCOME_INCONCLUSIVE)
		return ev->outcome == OUTCOME_PASSED;
	cJSON_ArrayForEach (check, ev->checks) {
		bool passed = check_is(check, "outcome", outcome_name(OUTCOME_PASSED));
		if (!passed && !check_is(check, "name", "dns") && !check_is(check, "name", "dns6"))
			return false;
		seen = seen || (passed && check_is(check, "name", "exit_ip"));
	}
	return seen;
}

int evidence_duration_ms(const struct evidence *ev)
{
	return (int)((wait_now_us() - ev->started_us + 500) / 1000);
}
