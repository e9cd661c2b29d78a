// SPDX-License-Identifier: Apache-2.0
// The verification's traffic: echo sources, connections and names, all at once in one loop.
#pragma once

#include "agent/verify/verify_wire.h"
#include "lib/attr.h"

struct err;
struct verify_net;

// Makes everything that needs files or libraries' start-up (before the seccomp filter). The spec
// stays the caller's and must outlive it. EINVAL names an entry of the settings that is not a URL
// or target.
_must_check_ int verify_net_new(
	const struct verify_spec *spec, int total_ms, struct verify_net **ret, struct err *e);

// Sends, waits, judges. Always ends within total_ms.
void verify_net_run(struct verify_net *v, struct verify_result *ret);
