// SPDX-License-Identifier: Apache-2.0
// Starts the program that carries a tunnel as a daemon: double fork, own session, one capability.
#pragma once

#include <sys/types.h>

#include "lib/attr.h"

struct budget_door;
struct err;
struct proc_user;
struct sock_fprog;
struct wait;

// The descriptors that the program finds beside the standard ones; what the config has none of is
// closed, and so is everything else.
enum { LAUNCH_FD_SOCKET = 3, LAUNCH_FD_KEY = 4, LAUNCH_FD_LOCK = 5 };

// It runs with CAP_NET_ADMIN, which makes its device, and no_new_privs; no way leads to other rights. It leaves no core.
struct launch_config {
	const char *program; // absolute path
	const char *const *argv; // NULL-terminated, argv[0] included
	const char *const *environment; // NULL-terminated
	int uplink_fd; // the network namespace it lives in
	int input_fd; // its stdin, such as a memfd with its configuration; -1: nothing
	int log_fd; // its stdout and stderr
	const char *socket_path; // a Unix socket, bound and listened on for it; NULL: none
	// A file, made 0600 when missing, on which its process holds a record lock as long as it
	// lives: engine_find() asks who that is. It must not open the file itself: closing any
	// descriptor of a file ends a process's record locks on it (fcntl(2)). NULL: none.
	const char *lock_path;
	int key_fd; // stays open in it, for the flock on it; -1: none
	const struct budget_door *door; // into its control group
	const struct proc_user *user; // whom it runs as; NULL: root
	// What it may ask of the kernel, from exec itself on; made by seccomp_export_bpf or by hand.
	// It has to allow execve, and write for what is said when that fails. NULL: everything.
	const struct sock_fprog *filter;
};

// Returns when the program has been exec'ed, its lock is held and its socket takes connections (they
// are answered once it has come up). 0 with its pid and pidfd, WAIT_TIMEOUT, WAIT_CANCELED, -1. Safe
// in a process with threads: between fork and exec only async-signal-safe calls are made.
_must_check_ int launch_start(const struct launch_config *config, const struct wait *w,
	pid_t *ret_pid, int *ret_pidfd, struct err *e);
