// SPDX-License-Identifier: Apache-2.0
// What the two ends of the dial socket accept from each other.
#include "lib/dial.h"

#include "lib/mem.h"

bool dial_request_is_valid(const struct dial_request *request)
{
	return request->magic == DIAL_MAGIC && request->port > 0 && request->port <= UINT16_MAX &&
	       text_ends_within(request->session_id, sizeof(request->session_id)) &&
	       str_is_uuid(request->session_id);
}

bool dial_reply_is_valid(const struct dial_reply *reply, size_t fds_count)
{
	return reply->magic == DIAL_MAGIC && reply->outcome <= DIAL_BUSY &&
	       text_ends_within(reply->sentence, sizeof(reply->sentence)) &&
	       text_ends_within(reply->host_key, sizeof(reply->host_key)) &&
	       fds_count == (reply->outcome == DIAL_OK ? DIAL_FD_COUNT : 0);
}
