// SPDX-License-Identifier: Apache-2.0
// The task kinds of the agent: a table of steps each.
#pragma once

#include "agent/container.h"
#include "agent/evidence.h"
#include "agent/home.h"
#include "agent/host.h"
#include "lib/task.h"

struct agent;

// What a task on a host works with, from begin to end.
struct work {
	struct agent *agent;
	struct host *host; // taken
	struct docker *docker;
	struct home home;
	struct evidence ev; // of the start or the verification
	bool ev_stored;
	char container_id[DOCKER_ID_SIZE];
	struct live live; // a start's, until it is the host's
	int gate_fd;
	bool ended; // this task has put the host down: nothing of it may be left when it fails
};

// Takes the host, asks for its spec and opens what the steps need.
_must_check_ int work_begin(struct task *task, struct err *e);
void work_end(struct task *task);

// After a failure or a cancellation of something that must be all or nothing: wall closed,
// container stopped, evidence and observation told.
void work_undo(struct task *task, enum task_end why);

// Fails a step with one of the agent's codes; the evidence gets it as a failed check unless a check
// has failed already.
_must_check_ int work_fail(struct task *task, const char *code, struct err *e);

// The same for what went wrong with files: the machine's disk is full, or something internal.
_must_check_ int work_fail_files(struct task *task, struct err *e);

// What a step returns for an answer of Docker's: 0 and a cancellation as they are, anything else is
// the failure docker_failed.
_must_check_ int work_docker(struct task *task, int r, struct err *e);

// Makes and mounts the host's home.
_must_check_ int work_home(struct task *task, struct err *e);

// Sends evidence and observations now; the task's own report follows, so they come first. An absent
// database keeps them waiting.
void work_tell(struct task *task);

// The steps that several kinds have in common.
_must_check_ int step_end(struct task *task, struct err *e); // ends what runs
_must_check_ int step_remove(struct task *task, struct err *e); // removes the container
_must_check_ int step_image(struct task *task, struct err *e); // pins the image's present id

// start.c: a start from nothing to a proven, open, answering host. Each says what it does in the
// table there.
_must_check_ int start_prepare(struct task *task, struct err *e);
_must_check_ int start_create(struct task *task, struct err *e);
_must_check_ int start_boot(struct task *task, struct err *e);
_must_check_ int start_wall(struct task *task, struct err *e);
_must_check_ int start_tunnel(struct task *task, struct err *e);
_must_check_ int start_examine(struct task *task, struct err *e);
_must_check_ int start_verify(struct task *task, struct err *e);
_must_check_ int start_prove(struct task *task, struct err *e);
_must_check_ int start_gate(struct task *task, struct err *e);
_must_check_ int start_finish(struct task *task, struct err *e);

// The steps of a start, for the tables of host.start and host.rebuild. A stage that names something
// done is told when it is done, so with the step after it; host_starting and verifying are told as
// they begin.
#define START_STEPS \
	{"create", "image_ready", 15, "Making the container", start_create}, \
		{"boot", "container_created", 25, "Starting the container behind its gate", \
			start_boot}, \
		{"wall", NULL, 0, NULL, start_wall}, \
		{"tunnel", "firewall_ready", 40, "Connecting the tunnel to the exit", \
			start_tunnel}, \
		{"examine", "tunnel_ready", 55, "Examining tunnel and wall", start_examine}, \
		{"verify", "verifying", 65, "Proving the exit from inside", start_verify}, \
		{"prove", NULL, 0, NULL, start_prove}, {"gate", NULL, 0, NULL, start_gate}, \
	{ \
		"finish", "ssh_ready", 95, "The host answers", start_finish \
	}

extern const struct task_kind agent_kinds[];
