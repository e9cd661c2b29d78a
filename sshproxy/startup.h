// SPDX-License-Identifier: Apache-2.0
// How many connections may be on their way in: OpenSSH's MaxStartups with random early drop.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// 10:30:100. From 10 connections that have not logged in, 30 % of the new ones are refused, rising
// in a line to all of them at 100.
enum { STARTUP_BEGIN = 10, STARTUP_RATE = 30, STARTUP_FULL = 100 };

// `waiting` connections have not logged in; `dice` is uniform over all of uint32_t.
bool startup_refuses(unsigned waiting, uint32_t dice);
