// SPDX-License-Identifier: Apache-2.0
// Processes: a lock for one process at a time, giving up rights, children with a deadline.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/outcome.h"

struct err;
struct str;
struct wait;

enum proc_outcome {
	PROC_LOCKED = OUTCOMES_PROC, // proc_lock: another process holds it; `e` says which
	PROC_CUT, // proc_run: the output passed its limit
};

// Takes an exclusive flock on `path` (made 0600 when missing) and writes the pid into it. Holding
// it proves that no other process of the kind lives: the kernel releases it when the holder dies.
// The descriptor must stay open; children that outlive us must not inherit it (it is O_CLOEXEC).
_must_check_ int proc_lock(const char *path, int *ret_fd, struct err *e);

// Asks the kernel for `signal` when the parent thread dies; fails with ESRCH when it already has
// (`parent` is its pid as the child knew it before). Lost at execve of a setuid program and at a
// change of uid: call it after.
_must_check_ int proc_die_with_parent(pid_t parent, int signal, struct err *e);

// No new rights by execve from here on, no core dumps, no ptrace by the same uid, /proc/self owned
// by root.
_must_check_ int proc_lock_down(struct err *e);

struct proc_user {
	uid_t uid;
	gid_t gid;
	gid_t group; // one that it has besides; 0: none
};
_must_check_ int proc_user_find(const char *name, struct proc_user *ret, struct err *e);

// Drops every capability but those in the mask `keep` (bit CAP_x) from the permitted, effective,
// inheritable and ambient sets. Returns 0, or -1 with errno. Async-signal-safe.
_must_check_ int proc_keep_caps(uint64_t keep);

// Becomes `user` for good: no other supplementary groups, no capabilities but `keep`, no_new_privs.
// For single-threaded children only; afterwards it checks that the way back is closed.
_must_check_ int proc_drop(const struct proc_user *user, uint64_t keep, struct err *e);

// Runs a program to its end: stdin from a text, stdout into memory, stderr as ours.
struct proc_child {
	const char *path; // absolute
	const char *const *argv; // NULL-terminated, argv[0] included
	const char *const *envp; // NULL-terminated; NULL: an environment of PATH only
	const char *input; // or NULL: /dev/null
	const int *pass_fd; // becomes the child's descriptor 3; NULL: none
	size_t output_max_bytes; // most stdout
};

struct proc_result {
	int exit_code; // 0..255, or 128 + the signal that ended it
	char *output; // stdout, NUL-terminated, the caller frees it
	size_t output_len;
};

// 0 (it ended: look at exit_code), WAIT_TIMEOUT, WAIT_CANCELED, PROC_CUT (in these three it was
// killed and reaped; *ret is not set), -1. The child starts with the calling thread's network
// namespace, an empty signal mask and default handlers.
_must_check_ int proc_run(const struct proc_child *child, const struct wait *w,
	struct proc_result *ret, struct err *e);
void proc_result_done(struct proc_result *result);

// Its parts, for a program that goes on. proc_spawn starts it with these as stdin and stdout,
// without a look at `input`. proc_read_output reads until end of file: 0, PROC_CUT, or what wait_fd
// says. proc_reap waits for the end: the exit code, or 128 + the signal.
_must_check_ int proc_spawn(
	const struct proc_child *child, int in_fd, int out_fd, pid_t *ret, struct err *e);
_must_check_ int proc_read_output(int fd, struct str *output, const struct wait *w, struct err *e);
_must_check_ int proc_reap(pid_t pid, struct err *e);

// A descriptor that becomes readable when the process ends.
_must_check_ int proc_pidfd(pid_t pid, int *ret_fd, struct err *e);
_must_check_ int proc_pidfd_signal(int pidfd, int signal, struct err *e);

// Sets the title that ps and top show for this thread (15 bytes are kept).
void proc_set_name(const char *name);
