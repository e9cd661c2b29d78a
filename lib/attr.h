// SPDX-License-Identifier: Apache-2.0
// Short names for the compiler attributes we use.
#pragma once

#define _must_check_ __attribute__((warn_unused_result))
#define _printf_(text, first) __attribute__((format(printf, text, first)))
#define _cold_ __attribute__((cold))
#define _returns_nonnull_ __attribute__((returns_nonnull))
#define _cleanup_(fn) __attribute__((cleanup(fn))) // fn gets a pointer to the variable at scope end

// A sanitizer's runtime makes system calls and threads of its own: seccomp filters are left out.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif
