// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reader of the tunnel engine's answers.
// uses: agent/tunnel/wireguard.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tunnel/wireguard.h"
#include "lib/err.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xstrndup((const char *)data, size);
	struct wireguard_status status;
	struct err e;

	if (wireguard_answer_parse(text, &status, &e) == 0 && status.handshake_ns < 0)
		abort();
	return 0;
}
