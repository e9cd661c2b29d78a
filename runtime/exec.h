// SPDX-License-Identifier: Apache-2.0
// `exec`: a further process of a container that runs.
#pragma once

#include "lib/attr.h"

struct err;
struct call;

// Takes the limits that are inherited out of the process file, and has them: exec runc. A call
// without a process file, which is a person's, is left as it is.
_must_check_ int exec_prepare(const struct call *call, struct err *e);
