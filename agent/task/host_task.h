// SPDX-License-Identifier: Apache-2.0
// What every task on a host begins, ends and fails with.
#pragma once

#include <stdbool.h>

#include "agent/container/docker.h"
#include "agent/evidence.h"
#include "agent/host/host.h"
#include "agent/store/home.h"
#include "lib/attr.h"
#include "lib/task.h"

struct agent;
struct err;

// What a task on a host works with, from begin to end.
struct host_task {
	struct agent *agent;
	struct host *host; // taken
	struct docker *docker;
	struct home home;
	struct evidence ev; // of the start or the verification
	bool ev_stored;
	char container_id[DOCKER_ID_SIZE];
	struct run run; // a start's or a switch's, until it is the host's
	const struct exit_spec *to; // the exit to leave through; NULL: the host's own
	struct exit_copy before; // a switch's: the exit that the host had
	int gate_fd;
	bool ended; // by this task: if it fails, it must leave nothing running
	bool down; // the end succeeded, and nothing was begun since
};

// Takes the host, asks for its spec and opens what the steps need.
_must_check_ int host_task_begin(struct task *task, struct err *e);
void host_task_end(struct task *task);

// Asks for the host's spec again: what is wanted may have changed since the task began.
_must_check_ int host_task_spec(struct task *task, struct err *e);

// After a failure or a cancellation of something that must be all or nothing: wall closed,
// container stopped, evidence and observation reported.
void host_task_undo(struct task *task, enum task_end why);

// Fails a step with one of the agent's codes; the evidence gets it as a failed check unless a check
// has failed already.
_must_check_ int host_task_fail(struct task *task, const char *code, struct err *e);

// The same, for good: a repeat would fail again.
_must_check_ int host_task_refuse(struct task *task, const char *code, struct err *e);

// For what went wrong with files: the machine's disk is full, or something internal.
_must_check_ int host_task_fail_files(struct task *task, struct err *e);

// Fails with the code and the sentence of the evidence's heaviest check.
_must_check_ int host_task_fail_evidence(
	struct task *task, const struct evidence *ev, struct err *e);

// What a step returns for an answer of Docker's: 0 and a cancellation as they are, anything else is
// the failure docker_failed.
_must_check_ int host_task_docker(struct task *task, int r, struct err *e);

// Makes and mounts the host's home.
_must_check_ int host_task_home(struct task *task, struct err *e);

// Sends evidence and observations now; the task's own report follows, so they come first. An absent
// database keeps them waiting.
void host_task_flush_reports(struct task *task);
