// SPDX-License-Identifier: Apache-2.0
// Fuzzes the strict checker: whatever it lets through, cJSON must take, print, and take again.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_freep) cJSON *json = NULL;
	_cleanup_(json_freep) cJSON *again = NULL;
	struct err e;

	if (json_check((const char *)data, size, &json_from_client, &e) < 0)
		return 0;
	if (json_parse((const char *)data, size, &json_from_client, &json, &e) < 0) {
		if (!strstr(e.message, "comes twice"))
			abort(); // the checker took what cJSON refuses
		return 0;
	}
	_cleanup_(freep) char *text = json_print(json);
	if (json_parse(text, strlen(text), &json_from_peer, &again, &e) < 0)
		abort();
	if (!cJSON_Compare(json, again, 1))
		abort();
	return 0;
}
