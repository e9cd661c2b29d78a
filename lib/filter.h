// SPDX-License-Identifier: Apache-2.0
// Filters of system calls as the kernel takes them, to be loaded by a child after its fork.
#pragma once

#include "lib/attr.h"

struct err;
struct sock_fprog;

// Reads what seccomp_export_bpf() wrote: libseccomp writes its program to a descriptor only, and
// its own loading is not async-signal-safe. ret->filter is on the heap; filter_done it.
_must_check_ int filter_read(int fd, struct sock_fprog *ret, struct err *e);

void filter_done(struct sock_fprog *filter); // leaves NULL
