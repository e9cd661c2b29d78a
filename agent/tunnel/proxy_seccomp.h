// SPDX-License-Identifier: Apache-2.0
// What the proxy engine must not ask of the kernel.
#pragma once

#include "lib/attr.h"

struct err;
struct sock_fprog;

// The engine parses what proxies and users send, holds CAP_NET_ADMIN and lives in the uplink's
// namespace. Under this filter it keeps to what it is for: threads, sockets of the internet, its
// device. It gets EPERM for other namespaces and mounts, for other processes' memory and
// descriptors, for keys, kernel modules and BPF, for new processes, for new files and other names of
// old ones, for every other kind of socket. x86_64 only: a call of another architecture ends it.
//
// It is a list of what is refused, and not of what is allowed, because builds of the engine differ:
// Go's runtime, and in a packaged one glibc, choose their calls by themselves.
//
// execve is allowed: the filter is loaded before it. What that starts has the same filter.
//
// For launch_config's `filter`; filter_done it. EINVAL and the like come from libseccomp.
_must_check_ int proxy_seccomp_make(struct sock_fprog *ret, struct err *e);
