// SPDX-License-Identifier: Apache-2.0
// What a line of sing-box's log says about the proxy.
#include "agent/tunnel/proxy_log.h"

#include <string.h>

#include "lib/mem.h"

// What no proxy is the reason of: one line on every machine without a default route, and what became of
// a connection on its user's side.
static const char *const others[] = {"network: missing default interface", "connection: "};

static const char *reason_of(const char *line)
{
	const char *reason = line, *found;
	while ((reason == line || *reason == '[') && (found = strstr(reason, "] ")))
		reason = found + strlen("] ");
	found = strstr(reason, PROXY_LOG_TAG);
	for (size_t i = 0; !found && i < ARRAY_SIZE(others); i++)
		if (strncmp(reason, others[i], strlen(others[i])) == 0)
			return "";
	// The last one: what comes before it is the user's.
	for (; found; found = strstr(reason, PROXY_LOG_TAG))
		reason = found + strlen(PROXY_LOG_TAG);
	return reason;
}

void proxy_log_reason(const char *line, char *ret, size_t size)
{
	size_t len = 0;
	for (const char *c = reason_of(line); *c && len < size - 1; c++)
		ret[len++] = *c >= ' ' && *c <= '~' ? *c : '?';
	ret[len] = '\0';
}
