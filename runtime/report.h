// SPDX-License-Identifier: Apache-2.0
// Where an error goes: the file that containerd reads, and stderr.
#pragma once

struct err;
struct call;

// Says what went wrong, in the form that the caller asked for. Docker shows the last error of that
// file to its client.
void report_error(const struct call *call, const struct err *error);
