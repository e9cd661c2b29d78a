// SPDX-License-Identifier: Apache-2.0
// What all parts of the running agent share: where things are, who it is, its threads.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/engine.h"
#include "lib/attr.h"
#include "lib/seal.h"

struct checks;
struct dial;
struct err;
struct hosts;
struct loop;
struct outbox;
struct pool;
struct watch;

// Made by main() and never freed: every thread may read it. What is known only after the program
// has registered (process_id, cluster) is written before any task, check or dial can run.
struct agent {
	const char *state_dir;
	const char *node;
	const char *docker_socket;
	char *data_dir; // STATE_DIR/agent, 0700
	int data_fd;
	char *init_path; // ccp-init on the machine
	struct engine_home engines;
	struct seal_pair sealing;
	int64_t open_files; // what containers may have: our own hard limit, at most 65,536
	struct loop *loop;
	struct hosts *hosts;
	struct outbox *outbox;
	struct pool *dials; // 2 threads with a database connection each
	struct pool *checks; // 2 threads without one
	struct checks *guards;
	struct watch *watch;
	struct dial *dial;
	int64_t process_id;
	char cluster[128];
	_Atomic bool knows_hosts; // node.specs was answered: what is not in the table is nobody's
};

// The codes that tasks and evidence carry, as constants. "internal" for a word that is none.
const char *agent_error_code(const char *word);
