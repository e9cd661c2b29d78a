// SPDX-License-Identifier: Apache-2.0
// Starts wireguard-go as a daemon: double fork, own session, one capability.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"

struct budget_door;
struct err;
struct wait;

struct launch_config {
	const char *program; // absolute path
	const char *name; // of the device it makes
	const char *socket_path; // its UAPI socket, bound and listened on for it
	int uplink_fd; // the network namespace it lives in
	int log_fd; // its stdout and stderr
	int key_fd; // stays open in it, for the lock on it
	const struct budget_door *door; // into its control group
	int64_t memory_mb; // that it is to do with; 0: no limit
};

// Returns when the program has been exec'ed and its UAPI socket takes connections (they are
// answered once it has come up). 0 with its pid and pidfd, WAIT_TIMEOUT, WAIT_CANCELED, -1. Safe in
// a process with threads: between fork and exec only async-signal-safe calls are made.
_must_check_ int launch_start(const struct launch_config *config, const struct wait *w,
	pid_t *ret_pid, int *ret_pidfd, struct err *e);
