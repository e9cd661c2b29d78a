// SPDX-License-Identifier: Apache-2.0
// What a line of sing-box's log says about the proxy.
#pragma once

#include <stddef.h>

#include "agent/tunnel/proxy_outbound.h"

#define PROXY_LOG_TAG "[" PROXY_OUTBOUND "]: "

// A line at level `error` is
//     ERROR[0001] [3540660892 0ms] connection: open connection to 198.51.100.7:80 using
//     outbound/socks[exit]: dial tcp 198.51.100.1:1080: connect: connection refused
// Copies what follows the outbound's tag, or else all behind the level: where the user wanted to go is
// left out. "" for what says nothing of the proxy. Some of it may be the proxy's own words, so what is not printable ASCII becomes "?".
void proxy_log_reason(const char *line, char *ret, size_t size);
