// SPDX-License-Identifier: Apache-2.0
// Fuzzes what either end of the dial socket may send: what is accepted has texts that end.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dial.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
	if (!promise)
		abort();
}

// The first byte is how many descriptors came; what is missing of a message is zero.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dial_request request = {0};
	struct dial_reply reply = {0};
	if (size < 1)
		return 0;
	size_t fds = data[0] % 4, len = size - 1;
	memcpy(&request, data + 1, len < sizeof(request) ? len : sizeof(request));
	memcpy(&reply, data + 1, len < sizeof(reply) ? len : sizeof(reply));
	if (dial_request_is_valid(&request))
		must(str_is_uuid(request.session_id) && request.port - 1 < UINT16_MAX);
	if (dial_reply_is_valid(&reply, fds)) {
		must(strlen(reply.sentence) < sizeof(reply.sentence));
		must(strlen(reply.host_key) < sizeof(reply.host_key));
		must((fds == DIAL_FD_COUNT) == (reply.outcome == DIAL_OK));
	}
	return 0;
}
