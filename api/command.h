// SPDX-License-Identifier: Apache-2.0
// What ccp-api does instead of serving: it makes what statements in psql take where the API stands in otherwise.
#pragma once

#include "lib/args.h"

// A secret comes on stdin and is never an argument; what is printed may be pasted into a statement,
// but for the first line of webhook-secret, which is the receiver's. Keys that secrets are sealed to are public.
extern const struct args_command api_commands[];
