// SPDX-License-Identifier: Apache-2.0
// The system calls that a container's processes may make.
#pragma once

// The seccomp profile in Docker's format. Heap, the caller frees it.
//
// x86_64 only, and everything is allowed but what widens the container: new namespaces, mounts,
// io_uring, sockets of families other than UNIX, INET, INET6 and NETLINK, the keyring, bpf, perf,
// handles, modules, kexec, quota, host name and clock. 32-bit programs end by SIGSYS: int 0x80
// would pass by rules made for 64-bit arguments.
char *seccomp_profile(void);
